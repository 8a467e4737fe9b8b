//! More than the shop takes: of one client, and of a whole crowd.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Demo, Sale, Shop};

/// Sends a body; the answer's status and what its first error says.
async fn send(url: &str, body: String) -> (StatusCode, Value) {
    let post = reqwest::Client::new().post(url);
    let post = post.header("content-type", "application/json").body(body);
    let answer = post.send().await.unwrap();
    let status = answer.status();
    let answer: Value = answer.json().await.unwrap();
    let code = &answer["errors"][0]["extensions"]["code"];
    (status, code.clone())
}

#[tokio::test]
async fn limits_are_what_the_settings_say() {
    let shop = Shop::with(&[
        ("LIMITS__BODY", "3000"),
        ("LIMITS__DOCUMENT", "2000"),
        ("LIMITS__JSON_DEPTH", "8"),
        ("LIMITS__TOKENS", "200"),
        ("LIMITS__COMPLEXITY", "200"),
        ("LIMITS__ALIASES", "3"),
        ("LIMITS__LIST_ITEMS", "21"),
        ("ORDERS__MAX_LINES", "20"),
    ]);
    let server = shop.start().await;
    let url = format!("{}/graphql", server.url());
    let ask = |query: &str| json!({ "query": query }).to_string();
    let padded = |bytes: usize| {
        let body = json!({ "query": "{ __typename }", "extensions": { "x": "" } }).to_string();
        let padding = "x".repeat(bytes - body.len());
        body.replace(r#""x":"""#, &format!(r#""x":"{padding}""#))
    };
    let ids = |count: usize| {
        let ids = vec!["item_00000000000000000000000001"; count];
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        json!({ "query": query, "variables": { "ids": ids } }).to_string()
    };
    let aliases = |count: usize| {
        let fields = (0..count).map(|number| format!("a{number}: __typename "));
        ask(&format!("{{ {} }}", fields.collect::<String>()))
    };
    let page = |first: usize| {
        ask(&format!(
            "{{ items(first: {first}) {{ nodes {{ id name }} }} }}"
        ))
    };
    let long = |fields: usize| {
        let fields = "id ".repeat(fields);
        ask(&format!("{{ items(first: 1) {{ nodes {{ {fields} }} }} }}"))
    };
    let nested = |depth: usize| {
        let (open, shut) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"query":"{{ __typename }}","extensions":{{"x":{open}{shut}}}}}"#)
    };
    for (below, above, code) in [
        (padded(3_000), padded(3_001), "PAYLOAD_TOO_LARGE"),
        (nested(8), nested(9), "BAD_REQUEST"),
        (long(150), long(195), "LIMIT_EXCEEDED"),
        (page(20), page(100), "LIMIT_EXCEEDED"),
        (aliases(3), aliases(4), "LIMIT_EXCEEDED"),
        (ids(21), ids(22), "LIMIT_EXCEEDED"),
    ] {
        let (status, refused) = send(&url, below).await;
        assert_eq!((status, refused), (StatusCode::OK, Value::Null), "{code}");
        let (_, refused) = send(&url, above).await;
        assert_eq!(refused, code);
        // And the shop is as it was.
        let (status, refused) = send(&url, ask("{ __typename }")).await;
        assert_eq!((status, refused), (StatusCode::OK, Value::Null));
    }
    let batch = format!("[{}]", ask("{ __typename }"));
    assert_eq!(send(&url, batch).await.1, "BAD_REQUEST");
}

#[tokio::test]
async fn a_crowd_that_asks_for_too_much_is_served_what_can_be() {
    let shop = Shop::with(&[("LIMITS__IN_FLIGHT", "4")]);
    let server = shop.start().await;
    let sale = Sale::of(1_000_000);
    let item = server.sign_in(Demo::Seller).await.sell(sale).await;
    let url = format!("{}/graphql", server.url());
    let watch = format!("tests={}", std::process::id());
    let rush = format!(
        "rush --for 2s --warm-up 500ms --url {url} --item {item} --connections 4 --buyers 200 \
         --overload 4 --overload-connections 200 --watch {watch} --json"
    );
    let rush: Vec<&str> = rush.split_whitespace().collect();
    let (outcome, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{outcome}");
    let overload = &outcome["overload"];
    assert_eq!(
        overload["best"]["orders"]["faults"],
        json!({}),
        "{overload}"
    );
    let orders = &overload["overloaded"]["orders"];
    assert!(orders["accepted"].as_u64().unwrap() > 0, "{overload}");
    assert!(
        orders["faults"]["OVERLOADED"].as_u64().unwrap() > 0,
        "{overload}"
    );
    assert_eq!(orders["refused"], json!({}));
    assert_eq!(orders["transportErrors"], json!({}));
    assert!(
        overload["servedPerMille"].as_u64().unwrap() > 0,
        "{overload}"
    );
    let turned_away = overload["turnedAway"]["answers"].as_u64().unwrap();
    assert_eq!(orders["faults"]["OVERLOADED"], turned_away);
    assert_eq!(overload["health"]["unanswered"], 0);
    assert!(overload["health"]["latency"]["answers"].as_u64().unwrap() > 0);
    assert!(overload["memoryBytes"][0]["most"].as_u64().unwrap() > 0);
    // What was answered is there; what was turned away never was.
    let verified = overload["verified"]["orders"].as_u64().unwrap();
    assert_eq!(outcome["audit"]["orders"]["PENDING_PAYMENT"], verified);
    server.assert_clean().await;
}
