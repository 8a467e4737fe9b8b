//! What the endpoint does for browsers, and which documents it executes, by its settings.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Caller, Demo, Shop, Socket, Stream};

const SHOP: &str = "https://shop.example";

fn hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

async fn post(caller: &Caller, body: &Value) -> Value {
    let request = caller.request(Method::POST, "/graphql").json(body);
    request.send().await.unwrap().json().await.unwrap()
}

fn code(answer: &Value) -> &str {
    assert_eq!(answer.get("data"), None, "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn pages_of_the_origins_that_are_set_may_use_it() {
    let shop = Shop::with(&[(
        "GRAPHQL__ORIGINS",
        "https://shop.example,http://localhost:3000",
    )]);
    let server = shop.start().await;
    let anybody = server.anybody();
    for (origin, is_allowed) in [
        (SHOP, true),
        ("http://localhost:3000", true),
        ("https://evil.example", false),
    ] {
        let preflight = anybody
            .request(Method::OPTIONS, "/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let query = anybody
            .request(Method::POST, "/graphql")
            .header("origin", origin)
            .json(&json!({ "query": "{ serverTime }" }));
        for request in [preflight, query] {
            let response = request.send().await.unwrap();
            let allowed = response.headers().get("access-control-allow-origin");
            let allowed = allowed.map(|allowed| allowed.to_str().unwrap());
            assert_eq!(allowed, is_allowed.then_some(origin));
            let credentials = response.headers().get("access-control-allow-credentials");
            assert_eq!(credentials, None);
        }
    }
    let shop = Shop::with(&[("GRAPHQL__ORIGINS", "*")]);
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("graphql.origins"), "{printed}");
}

#[tokio::test]
async fn a_document_is_sent_once_and_named_from_then_on() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    let query = "query Time { serverTime }";
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(query) } });
    let by_hash = json!({ "extensions": extensions });
    assert_eq!(
        code(&post(&anybody, &by_hash).await),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let sent = json!({ "query": query, "extensions": extensions });
    for body in [sent, by_hash, json!({ "documentId": hash(query) })] {
        let answer = post(&anybody, &body).await;
        assert!(answer["data"]["serverTime"].is_string(), "{answer}");
    }
    let shop = Shop::with(&[("GRAPHQL__PERSISTED_QUERIES", "false")]);
    let server = shop.start().await;
    let sent = json!({ "query": query, "extensions": extensions });
    let refused = post(&server.anybody(), &sent).await;
    assert_eq!(code(&refused), "PERSISTED_QUERY_NOT_SUPPORTED");
}

#[tokio::test]
async fn where_documents_are_trusted_nothing_else_is_executed() {
    let stock = "subscription($ids: [ID!]!) { stockChanged(itemIds: $ids) { itemId } }";
    let items = "{ items(first: 1) { edges { node { id } } } }";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trusted.json");
    let list = json!({ hash(stock): stock, format!("sha256:{}", hash(items)): items });
    std::fs::write(&file, list.to_string()).unwrap();
    let shop = Shop::with(&[
        ("GRAPHQL__TRUSTED_DOCUMENTS", file.to_str().unwrap()),
        ("PLAYGROUND", "false"),
    ]);
    let server = shop.start().await;
    let anybody = server.anybody();
    let answer = post(&anybody, &json!({ "documentId": hash(items) })).await;
    let item = &answer["data"]["items"]["edges"][0]["node"]["id"];
    assert!(item.is_string(), "{answer}");
    let other = "mutation { signOut(input: { refreshToken: \"x\" }) { userErrors { code } } }";
    for body in [
        json!({ "query": items }),
        json!({ "query": other }),
        json!({ "query": other, "documentId": hash(items) }),
        json!({ "documentId": hash(other) }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
    ] {
        assert_eq!(code(&post(&anybody, &body).await), "DOCUMENT_NOT_TRUSTED");
    }
    let watch = json!({ "documentId": hash(stock), "variables": { "ids": [item] } });
    let mut stream = Stream::of(&anybody, &watch).await;
    assert_eq!(&stream.next().await["itemId"], item);
    let mut socket = Socket::ready(&anybody).await;
    socket.ask_for(&watch).await;
    assert_eq!(&socket.next().await["itemId"], item);
    let mut socket = Socket::stock_changed(&anybody, &[item.as_str().unwrap()]).await;
    let refusal = socket.refusal().await;
    assert_eq!(refusal[0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED");
}

#[tokio::test]
async fn a_list_of_trusted_documents_that_is_none_keeps_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trusted.json");
    let path = file.to_str().unwrap();
    let trusted = ("GRAPHQL__TRUSTED_DOCUMENTS", path);
    let shop = Shop::with(&[trusted]);
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("playground = false"), "{printed}");
    let shop = Shop::with(&[trusted, ("PLAYGROUND", "false")]);
    for text in [None, Some("[]"), Some("{\"00\":\"{ serverTime }\"}")] {
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let (status, printed) = shop.start_in_vain().await;
        assert_eq!(status.code(), Some(1), "{printed}");
        assert!(printed.contains(path), "{printed}");
        assert!(!shop.data().exists(), "{printed}");
    }
}

#[tokio::test]
async fn in_production_nobody_learns_the_schema_from_it() {
    let shop = Shop::with(&[("PLAYGROUND", "false")]);
    let server = shop.start().await;
    let anybody = server.anybody();
    for query in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"Order\") { fields { name } } }",
        "{ serverTime ...F } fragment F on Query { t: __type(name: \"Order\") { name } }",
    ] {
        let answer = post(&anybody, &json!({ "query": query })).await;
        assert_eq!(code(&answer), "INTROSPECTION_DISABLED");
    }
    for (body, neighbours) in [
        (
            json!({ "query": "{ item_s(first: 1) { totalCount } }" }),
            &["items"][..],
        ),
        (json!({ "query": "{ viewer { wishlst } }" }), &["wishlist"]),
        (
            json!({ "query": "{ items(frist: 1) { totalCount } }" }),
            &["first"],
        ),
        (
            json!({ "query": "query($k: ItemKnd) { serverTime }" }),
            &["ItemKind"],
        ),
        (
            json!({ "query": "{ items(first: 1, orderBy: NEWEST) { totalCount } }" }),
            &["NEWEST_FIRST", "OLDEST_FIRST"],
        ),
    ] {
        let answer = post(&anybody, &body).await;
        assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED");
        let text = answer.to_string();
        for neighbour in neighbours {
            assert!(!text.contains(neighbour), "{body}\n{text}");
        }
        assert!(!text.to_lowercase().contains("did you mean"), "{text}");
    }
    // Names of types are no part of the schema that is hidden: clients ask for them.
    let answer = post(&anybody, &json!({ "query": "{ __typename }" })).await;
    assert_eq!(answer["data"]["__typename"], "Query");
}

#[tokio::test]
async fn pages_elsewhere_can_not_make_a_visitors_browser_act() {
    let shop = Shop::new();
    let server = shop.start().await;
    let buyer = server.sign_in(Demo::Customer).await;
    let query = "mutation { signOut(input: { refreshToken: \"x\" }) { userErrors { code } } }";
    let body = json!({ "query": query }).to_string();
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let request = buyer.request(Method::POST, "/graphql");
        let request = request.header("content-type", kind).body(body.clone());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 415, "{kind}");
    }
    for accept in ["*/*", "text/event-stream"] {
        let request = buyer.request(Method::GET, "/graphql");
        let request = request.header("accept", accept).query(&[("query", query)]);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 405, "{accept}");
        assert_eq!(response.headers()["allow"], "POST");
    }
    for path in [
        "/",
        "/playground",
        "/mailbox",
        "/graphql",
        "/health/ready",
        "/nowhere",
    ] {
        let request = buyer.request(Method::GET, path);
        let response = request.send().await.unwrap();
        let headers = response.headers();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(headers.get("server"), None, "{path}");
    }
}
