//! The graphql-transport-ws protocol, message by message.

pub mod client;
pub mod life;

use std::sync::atomic::Ordering;

use futures_util::SinkExt;
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::Server;
use client::Socket;

#[tokio::test]
async fn an_operation_gives_its_results_and_completes() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { n: countdown(from: 3) }")
        .await;
    for n in [3, 2, 1] {
        let next = socket.hear().await;
        assert_eq!((&next["type"], &next["id"]), (&json!("next"), &json!("a")));
        assert_eq!(next["payload"]["data"], json!({ "n": n }));
    }
    assert_eq!(
        socket.hear().await,
        json!({ "type": "complete", "id": "a" })
    );

    socket.subscribe("a", "{ context }").await;
    assert_eq!(
        socket.hear().await["payload"]["data"]["context"],
        "nobody ko"
    );
    assert_eq!(
        socket.hear().await,
        json!({ "type": "complete", "id": "a" })
    );

    socket.subscribe("b", "mutation { bump }").await;
    assert_eq!(socket.hear().await["payload"]["data"]["bump"], 1);
    assert_eq!(
        socket.hear().await,
        json!({ "type": "complete", "id": "b" })
    );
}

#[tokio::test]
async fn a_subscriptions_field_may_stand_in_a_fragment() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    let query = "subscription { ...F } fragment F on Feed { ... { countdown(from: 1) } }";
    for id in ["first", "kept"] {
        socket.subscribe(id, query).await;
        assert_eq!(socket.hear().await["payload"]["data"]["countdown"], 1);
        assert_eq!(socket.hear().await["type"], "complete");
    }
}

#[tokio::test]
async fn request_errors_end_the_operation_as_errors() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { countdown(from: 1) ticks(everyMillis: 1) }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription($n: Int!) { countdown(from: $n) }",
            "BAD_USER_INPUT",
        ),
        ("subscription { refused }", "UNAVAILABLE"),
        ("subscription { panics }", "INTERNAL"),
        ("{ panics }", "INTERNAL"),
    ] {
        socket.subscribe("a", query).await;
        let message = socket.hear().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!("a")),
            "{message}"
        );
        assert_eq!(
            message["payload"][0]["extensions"]["code"], code,
            "{message}"
        );
    }
    socket.silent().await;
}

#[tokio::test]
async fn errors_within_an_event_do_not_end_the_operation() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { things { name maybeName } }")
        .await;
    for _ in 0..2 {
        let message = socket.hear().await;
        assert_eq!(
            message["payload"]["data"]["things"],
            json!({ "name": "thing", "maybeName": null })
        );
        assert_eq!(
            message["payload"]["errors"][0]["path"],
            json!(["things", "maybeName"])
        );
    }
    assert_eq!(socket.hear().await["type"], "complete");
    socket
        .subscribe("b", "subscription { things { certain { name } } }")
        .await;
    let message = socket.hear().await;
    assert_eq!(
        (&message["type"], &message["payload"]["data"]),
        (&json!("next"), &Json::Null)
    );
}

#[tokio::test]
async fn a_client_may_complete_and_use_the_id_again() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { ticks(everyMillis: 1) }")
        .await;
    socket.hear().await;
    assert_eq!(server.counters.open.load(Ordering::SeqCst), 1);
    socket.say(&json!({ "type": "complete", "id": "a" })).await;
    socket
        .say(&json!({ "type": "complete", "id": "never was" }))
        .await;
    socket.subscribe("a", "{ hello }").await;
    // What was under way may still come, then only what was asked for since.
    let hello = loop {
        let message = socket.hear().await;
        if message["payload"]["data"].get("ticks").is_none() {
            break message;
        }
    };
    assert_eq!(hello["payload"]["data"]["hello"], "world");
    assert_eq!(
        socket.hear().await,
        json!({ "type": "complete", "id": "a" })
    );
    socket.silent().await;
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn pings_are_answered_at_any_time() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    socket
        .say(&json!({ "type": "ping", "payload": { "a": [1] } }))
        .await;
    assert_eq!(
        socket.hear().await,
        json!({ "type": "pong", "payload": { "a": [1] } })
    );
    socket.say(&json!({ "type": "pong" })).await;
    socket.silent().await;
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_code() {
    let server = Server::start().await;
    let init = |payload: Json| json!({ "type": "connection_init", "payload": payload });
    for (said, code) in [
        (forever("a"), 4401),
        (json!({ "type": "complete" }), 4400),
        (json!("hello"), 4400),
        (json!({ "type": "start", "id": "a" }), 4400),
        // What only a server says.
        (json!({ "type": "connection_ack" }), 4400),
        (init(json!([])), 4400),
        (init(json!({ "Authorization": "Bearer x" })), 4403),
        (init(json!({ "authorization": "Basic x" })), 4403),
        (init(json!({ "authToken": "forged" })), 4403),
        (init(json!({ "authToken": "broken" })), 1013),
    ] {
        let mut socket = Socket::open(&server).await;
        socket.say(&said).await;
        assert_eq!(socket.closed().await, code, "{said:?}");
    }
}

/// Asks for what does not end.
fn forever(id: &str) -> Json {
    let query = "subscription { ticks(everyMillis: 60000) }";
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

#[tokio::test]
async fn what_is_there_already_is_not_begun_again() {
    let server = Server::start().await;
    let init = json!({ "type": "connection_init" });
    let mut socket = Socket::ready(&server).await;
    socket.say(&init).await;
    assert_eq!(socket.closed().await, 4429);

    // The second one came before the first was answered.
    let mut socket = Socket::open(&server).await;
    socket.say(&init).await;
    socket.say(&init).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    assert_eq!(socket.closed().await, 4429);

    let mut socket = Socket::ready(&server).await;
    let long = "가".repeat(42);
    socket.say(&forever(&long)).await;
    socket.say(&forever(&long)).await;
    assert_eq!(socket.closed().await, 4409);
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn what_can_not_be_read_ends_a_socket_that_was_let_in() {
    let server = Server::start().await;
    for said in [
        json!({ "type": "subscribe", "id": "a", "payload": { "query": 1 } }),
        json!({ "type": "next", "id": "a", "payload": {} }),
    ] {
        let mut socket = Socket::ready(&server).await;
        socket.say(&said).await;
        assert_eq!(socket.closed().await, 4400);
    }

    let mut socket = Socket::ready(&server).await;
    socket
        .0
        .send(Message::binary(r#"{"type":"ping"}"#))
        .await
        .unwrap();
    assert_eq!(socket.closed().await, 4400);

    let mut socket = Socket::ready(&server).await;
    socket
        .0
        .send(Message::text("x".repeat(1024 * 1024 + 1)))
        .await
        .unwrap();
    assert_eq!(socket.closed().await, 1009);
}

#[tokio::test]
async fn only_the_one_protocol_is_spoken() {
    let server = Server::start().await;
    let mut socket = Socket::open_with(&server, None).await;
    assert_eq!(socket.closed().await, 4406);
    let mut socket = Socket::open_with(&server, Some("graphql-transport-ws, graphql-ws")).await;
    socket.say(&json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");

    let request = server
        .client
        .get(server.url("/graphql"))
        .header("upgrade", "websocket");
    let (status, body) = crate::client::read(request).await;
    assert_eq!(status, 400);
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
}
