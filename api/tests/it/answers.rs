//! Answers fit the schema, whatever fails in them.

use serde_json::{Value as Json, json};

use crate::client::Server;
use crate::toy::SECRET;

const FAULT: &str = concat!(
    r#""extensions":{"code":"UNAVAILABLE","requestId":"00000000-0000-0000-0000-000000005eed","#,
    r#""retryable":true}"#
);

/// The answer's text without the places in the document.
async fn answer(server: &Server, query: &str) -> String {
    let text = server.text(query).await;
    assert!(!text.contains("db-7"), "a driver's text got out: {text}");
    text
}

#[tokio::test]
async fn keys_are_in_the_order_of_the_query() {
    let server = Server::start().await;
    let text = server
        .text("{ z: hello thing { b: slowName a: name __typename c: slowName } y: hello }")
        .await;
    let data = r#"{"data":{"z":"world","thing":{"b":"slow","a":"thing","__typename":"Thing","c":"slow"},"y":"world"},"#;
    assert!(text.starts_with(data), "{text}");
}

#[tokio::test]
async fn a_failed_nullable_field_is_null_and_the_rest_is_there() {
    let server = Server::start().await;
    let text = answer(
        &server,
        "{ thing { slowName maybe { name } name maybeName } hello }",
    )
    .await;
    assert!(
        text.starts_with(
            r#"{"data":{"thing":{"slowName":"slow","maybe":null,"name":"thing","maybeName":null},"hello":"world"},"#
        ),
        "{text}"
    );
    assert!(text.contains(r#""path":["thing","maybe"]"#), "{text}");
    assert!(text.contains(r#""path":["thing","maybeName"]"#), "{text}");
    assert_eq!(text.matches(FAULT).count(), 2, "{text}");
}

#[tokio::test]
async fn a_failed_non_null_field_nulls_the_nearest_nullable_field_above_it() {
    let server = Server::start().await;
    let text = answer(
        &server,
        "{ hello maybeThing { name itself { name certain { name } } } again: hello }",
    )
    .await;
    assert!(
        text.starts_with(r#"{"data":{"hello":"world","maybeThing":null,"again":"world"},"#),
        "{text}"
    );
    assert!(
        text.contains(r#""path":["maybeThing","itself","certain"]"#),
        "{text}"
    );

    let text = answer(
        &server,
        "{ maybeThing { name maybeItself { certain { name } } } }",
    )
    .await;
    assert!(
        text.starts_with(r#"{"data":{"maybeThing":{"name":"thing","maybeItself":null}},"#),
        "{text}"
    );
}

#[tokio::test]
async fn a_failure_with_nothing_nullable_above_it_nulls_the_data() {
    let server = Server::start().await;
    let (status, body) = server.ask("{ hello thing { certain { name } } }").await;
    assert_eq!(status, 200);
    assert_eq!(body["data"], Json::Null);
    assert!(body.as_object().unwrap().contains_key("data"));
    assert_eq!(body["errors"][0]["path"], json!(["thing", "certain"]));
}

#[tokio::test]
async fn a_failed_element_nulls_itself_or_its_list() {
    let server = Server::start().await;
    let (_, body) = server.ask("{ maybeThing { things { index odd } } }").await;
    assert_eq!(
        body["data"]["maybeThing"]["things"],
        json!([{ "index": 0, "odd": "fine" }, null, { "index": 2, "odd": "fine" }])
    );
    assert_eq!(
        body["errors"][0]["path"],
        json!(["maybeThing", "things", 1, "odd"])
    );

    let (_, body) = server
        .ask("{ maybeThing { certainThings { index odd } } hello }")
        .await;
    assert_eq!(
        body["data"],
        json!({ "maybeThing": null, "hello": "world" })
    );
}

#[tokio::test]
async fn a_failed_nullable_field_at_the_top_is_null() {
    let server = Server::start().await;
    let (_, body) = server
        .ask("{ a: hello maybeNothing { name } b: hello }")
        .await;
    assert_eq!(
        body["data"],
        json!({ "a": "world", "maybeNothing": null, "b": "world" })
    );
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_says_a_fixed_sentence_and_names_the_request() {
    let server = Server::start().await;
    let (_, body) = server.ask("{ maybeNothing { name } }").await;
    assert_eq!(
        body["errors"][0],
        json!({
            "message": "A part of the service can't be reached. Try again.",
            "locations": [{ "line": 1, "column": 3 }],
            "path": ["maybeNothing"],
            "extensions": {
                "code": "UNAVAILABLE",
                "requestId": "00000000-0000-0000-0000-000000005eed",
                "retryable": true,
            },
        })
    );
}

#[tokio::test]
async fn a_panic_is_an_opaque_500_and_the_server_goes_on() {
    let server = Server::start().await;
    let (status, body) = server.ask("{ panics }").await;
    assert_eq!(status, 500);
    assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
    assert!(!body.to_string().contains(SECRET));
    let (_, body) = server.ask("{ hello }").await;
    assert_eq!(
        (&body["data"]["hello"], body.get("errors")),
        (&json!("world"), None)
    );
}

#[tokio::test]
async fn a_field_selected_twice_is_merged() {
    let server = Server::start().await;
    let text = server
        .text("{ thing { name } ...More thing { slowName } } fragment More on Query { thing { __typename name } }")
        .await;
    let data = r#"{"data":{"thing":{"name":"thing","__typename":"Thing","slowName":"slow"}},"#;
    assert!(text.starts_with(data), "{text}");
}

#[tokio::test]
async fn variables_that_are_not_sent_leave_the_schemas_defaults() {
    let server = Server::start().await;
    let query = "query Q($n: Int!, $text: String, $count: Int! = 3, $tags: [String!]) {
        echo(text: $text, number: $n, input: { name: \"x\", count: $count, tags: $tags })
    }";
    let (status, body) = server.ask_with(query, json!({ "n": 1 })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["data"]["echo"],
        r#"None 1 None None Some(("x", 3, None))"#
    );
    let sent = json!({ "n": 1, "text": "t", "count": 4, "tags": "one" });
    let (_, body) = server.ask_with(query, sent).await;
    assert_eq!(
        body["data"]["echo"],
        r#"Some("t") 1 None None Some(("x", 4, Some(["one"])))"#
    );
}
