//! The routes around the endpoint, and how answers travel.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Server, Shop};

/// Status, content type and body of a path.
async fn get(server: &Server, path: &str) -> (u16, String, String) {
    let request = server.anybody().request(Method::GET, path);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    (status, content_type.unwrap_or_default(), body)
}

async fn post(caller: &Caller, accept: &str, query: &str) -> (u16, String, Value) {
    let request = caller
        .request(Method::POST, "/graphql")
        .header("Accept", accept)
        .json(&json!({ "query": query }));
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
    let media = content_type.split(';').next().unwrap().to_owned();
    (status, media, response.json().await.unwrap())
}

#[tokio::test]
async fn answers_come_in_what_the_client_accepts() {
    const NEW: &str = "application/graphql-response+json";
    const OLD: &str = "application/json";
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    for (accept, media) in [
        (NEW, NEW),
        (OLD, OLD),
        ("*/*", OLD),
        (
            "application/graphql-response+json, application/json;q=0.9",
            NEW,
        ),
        (
            "application/json, application/graphql-response+json;q=0.9",
            OLD,
        ),
    ] {
        let (status, got, answer) = post(&anybody, accept, "{ serverTime }").await;
        assert_eq!((status, got.as_str()), (200, media), "{accept}");
        assert_ne!(answer["data"]["serverTime"], Value::Null);
        // What was not executed is a 4xx only where the media type allows one.
        let (status, got, answer) = post(&anybody, accept, "{ nothing }").await;
        let expected = if media == NEW { 400 } else { 200 };
        assert_eq!((status, got.as_str()), (expected, media), "{accept}");
        assert_eq!(answer.get("data"), None);
    }
    let (status, _, answer) = post(&anybody, "text/html", "{ serverTime }").await;
    assert_eq!(status, 406);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_ACCEPTABLE");

    // Queries come by GET too.
    let request = anybody.request(Method::GET, "/graphql").query(&[
        (
            "query",
            "query Q($id: ID!) { serverTime item(id: $id) { id } }",
        ),
        ("variables", r#"{"id":"item_00000000000000000000000001"}"#),
        ("operationName", "Q"),
    ]);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["item"], Value::Null, "{answer}");
    assert_eq!(answer.get("errors"), None);
}

#[tokio::test]
async fn the_process_says_whether_it_is_well() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (status, _, body) = get(&server, "/health/live").await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"live"}"#));
    let (status, _, body) = get(&server, "/health/ready").await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"ready"}"#));
    let (status, _, _) = get(&server, "/nothing").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn anybody_can_check_our_tokens_and_nobody_can_make_them() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (status, content_type, body) = get(&server, "/.well-known/jwks.json").await;
    assert_eq!(status, 200);
    assert!(content_type.contains("json"), "{content_type}");
    let keys: Value = serde_json::from_str(&body).unwrap();
    let key = &keys["keys"][0];
    assert_eq!(
        json!([key["kty"], key["crv"], key["alg"], key["use"]]),
        json!(["OKP", "Ed25519", "EdDSA", "sig"]),
        "{body}"
    );
    assert_eq!(key.get("d"), None, "the private half is out");
    // The key that a token names is there.
    let buyer = server.sign_in(Demo::Customer).await;
    let head = buyer.token().unwrap().split('.').next().unwrap().to_owned();
    let kid = key["kid"].as_str().unwrap();
    assert!(decoded(&head).contains(kid), "{head}");
}

/// The text of unpadded base64 in its alphabet for URLs.
fn decoded(text: &str) -> String {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits = text
        .bytes()
        .flat_map(|c| (0..6).rev().map(move |bit| digit(c) >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let bytes = bits
        .chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit));
    String::from_utf8(bytes.collect()).unwrap()
}

#[tokio::test]
async fn letters_can_be_read_on_a_page() {
    let shop = Shop::new();
    let server = shop.start().await;
    let email = "kim@example.com";
    let korean = server.anybody().reading("ko");
    korean.request_verification(email).await;
    let code = server.mailed_code(email).await;
    let (status, content_type, page) = get(&server, "/mailbox").await;
    assert_eq!(status, 200);
    assert!(content_type.starts_with("text/html"), "{content_type}");
    assert!(page.contains(email) && page.contains(&code), "{page}");
    assert!(page.contains("인증 코드는"), "{page}");

    // The letter as HTML can do nothing to the shop's pages.
    let (_, link) = page.split_once("href=\"").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let request = server.anybody().request(reqwest::Method::GET, link);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str();
    let policy = policy.unwrap();
    assert!(policy.ends_with("; sandbox"), "{policy}");
    let letter = response.text().await.unwrap();
    assert!(letter.contains(&format!(">{code}</p>")), "{letter}");
    for nothing in [
        "/mailbox/00000000-0000-0000-0000-000000000000",
        "/mailbox/lock",
    ] {
        let (status, _, said) = get(&server, nothing).await;
        assert!((400..500).contains(&status), "{nothing}: {status} {said}");
    }
}

#[tokio::test]
async fn the_playground_comes_from_the_binary() {
    let shop = Shop::new();
    let server = shop.start().await;
    let no_redirect = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let home = no_redirect.get(server.url()).send().await.unwrap();
    assert!(home.status().is_redirection(), "{}", home.status());
    let place = home.headers()[LOCATION].to_str().unwrap();
    let (status, content_type, _) = get(&server, place).await;
    assert_eq!(status, 200);
    assert!(content_type.starts_with("text/html"), "{content_type}");
    let query = "{ __schema { queryType { name } } }";
    let (_, _, answer) = post(&server.anybody(), "application/json", query).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test]
async fn what_is_for_trying_out_can_be_turned_off() {
    let shop = Shop::with(&[("PLAYGROUND", "false")]);
    let server = shop.start().await;
    for path in ["/", "/playground", "/mailbox"] {
        let (status, _, _) = get(&server, path).await;
        assert_eq!(status, 404, "{path}");
    }
    let query = "{ __schema { queryType { name } } }";
    let (_, _, answer) = post(&server.anybody(), "application/json", query).await;
    assert_eq!(answer.get("data"), None, "{answer}");
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(code, "INTROSPECTION_DISABLED");
    let (status, _, _) = get(&server, "/health/ready").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_told_and_nothing_starts() {
    let shop = Shop::with(&[("ORDERS__HOLD", "soon"), ("DELIVERY__HOUR", "24")]);
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("soon"), "{printed}");
    assert!(!shop.data().exists());
    let shop = Shop::with(&[("DELIVERY__HOUR", "24"), ("GATE__SHARDS", "0")]);
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    for setting in ["delivery.hour", "gate.shards"] {
        assert!(printed.contains(setting), "{printed}");
    }
    let shop = Shop::with(&[("ORDERS__HOLDS", "1s")]);
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.to_lowercase().contains("holds"), "{printed}");
}
