//! The graphql-transport-ws protocol, message by message.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Options, Server, token};
use crate::toy::SECRET;

/// A client's end.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(server: &Server) -> Self {
        Self::open_with(server, Some("graphql-transport-ws")).await
    }

    async fn open_with(server: &Server, protocol: Option<&'static str>) -> Self {
        let mut request = format!("ws://{}/graphql", server.address)
            .into_client_request()
            .unwrap();
        if let Some(protocol) = protocol {
            let value = HeaderValue::from_static(protocol);
            request
                .headers_mut()
                .insert("sec-websocket-protocol", value);
        }
        let language = HeaderValue::from_static("ko");
        request.headers_mut().insert("accept-language", language);
        match connect_async(request).await {
            Ok((socket, _)) => Self(socket),
            Err(error) => panic!("the handshake is accepted: {error}"),
        }
    }

    /// Open, and let in as nobody.
    async fn ready(server: &Server) -> Self {
        Self::ready_as(server, Json::Null).await
    }

    async fn ready_as(server: &Server, payload: Json) -> Self {
        let mut socket = Self::open(server).await;
        socket
            .say(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn say(&mut self, message: &Json) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
            .await;
    }

    /// The next message, or how it was closed.
    async fn receive(&mut self) -> Result<Json, (u16, String)> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        assert!(!text.contains(SECRET), "{text}");
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let frame = frame.expect("a close has a code");
                        return Err((frame.code.into(), frame.reason.to_string()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(Error::ConnectionClosed)) | None => panic!("closed without a code"),
                    Some(Err(error)) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(3), next)
            .await
            .expect("something is said")
    }

    async fn hear(&mut self) -> Json {
        self.receive().await.expect("a message, not a close")
    }

    async fn closed(&mut self) -> u16 {
        match self.receive().await {
            Ok(message) => panic!("a close, not {message}"),
            Err((code, reason)) => {
                assert!(!reason.is_empty() && reason.len() <= 123, "{reason}");
                code
            }
        }
    }

    /// Nothing comes for a while.
    async fn silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(150), self.0.next());
        if let Ok(message) = next.await {
            panic!("silence, not {message:?}");
        }
    }
}

#[tokio::test]
async fn an_operation_gives_its_results_and_completes() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { n: countdown(from: 3) }")
        .await;
    for n in [3, 2, 1] {
        let next = json!({ "type": "next", "id": "a", "payload": { "data": { "n": n } } });
        assert_eq!(socket.hear().await, next);
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
    let init = json!({ "type": "connection_init" });
    let subscribe = |id: &str| {
        let query = "subscription { ticks(everyMillis: 60000) }";
        json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
    };
    for (said, code) in [
        (vec![subscribe("a")], 4401),
        (vec![json!({ "type": "complete" })], 4400),
        (vec![json!("hello")], 4400),
        (vec![json!({ "type": "start", "id": "a" })], 4400),
        (
            vec![json!({ "type": "connection_init", "payload": [] })],
            4400,
        ),
        (
            vec![json!({ "type": "connection_init", "payload": { "Authorization": "Bearer x" } })],
            4403,
        ),
        (
            vec![json!({ "type": "connection_init", "payload": { "authorization": "Basic x" } })],
            4403,
        ),
        (
            vec![json!({ "type": "connection_init", "payload": { "authToken": "forged" } })],
            4403,
        ),
        (
            vec![json!({ "type": "connection_init", "payload": { "authToken": "broken" } })],
            1013,
        ),
    ] {
        let mut socket = Socket::open(&server).await;
        for message in &said {
            socket.say(message).await;
        }
        assert_eq!(socket.closed().await, code, "{said:?}");
    }

    let mut socket = Socket::ready(&server).await;
    socket.say(&init).await;
    assert_eq!(socket.closed().await, 4429);

    let mut socket = Socket::ready(&server).await;
    let long = "가".repeat(42);
    socket.say(&subscribe(&long)).await;
    socket.say(&subscribe(&long)).await;
    assert_eq!(socket.closed().await, 4409);
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;

    let mut socket = Socket::ready(&server).await;
    socket
        .say(&json!({ "type": "subscribe", "id": "a", "payload": { "query": 1 } }))
        .await;
    assert_eq!(socket.closed().await, 4400);

    let mut socket = Socket::ready(&server).await;
    socket
        .0
        .send(Message::binary(init.to_string()))
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

#[tokio::test]
async fn who_asks_is_who_the_payload_says() {
    let server = Server::start().await;
    for payload in [
        json!({ "Authorization": format!("Bearer {}", token(9)) }),
        json!({ "authorization": format!("bearer {}", token(9)) }),
        json!({ "authToken": token(9) }),
    ] {
        let mut socket = Socket::ready_as(&server, payload).await;
        socket.subscribe("a", "{ context }").await;
        assert_eq!(
            socket.hear().await["payload"]["data"]["context"],
            "00000000-0000-0000-0000-000000000009 ko"
        );
    }
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let server = Server::start().await;
    let mut socket = Socket::ready_as(&server, json!({ "authToken": "brief-9" })).await;
    socket
        .subscribe("a", "subscription { ticks(everyMillis: 10) }")
        .await;
    let code = loop {
        if let Err((code, _)) = socket.receive().await {
            break code;
        }
    };
    assert_eq!(code, 4403);
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn a_silent_beginning_is_ended() {
    let mut options = Options::default();
    options.server.sockets.init_timeout = Duration::from_millis(100);
    let server = Server::with(options).await;
    let mut socket = Socket::open(&server).await;
    assert_eq!(socket.closed().await, 4408);
    let mut socket = Socket::ready(&server).await;
    socket.silent().await;
}

#[tokio::test]
async fn sockets_and_operations_are_bounded() {
    let mut options = Options::default();
    options.server.sockets.operations = 2;
    options.server.sockets.per_account = 2;
    options.server.sockets.per_node = 4;
    let server = Server::with(options).await;

    let mut socket = Socket::ready(&server).await;
    for id in ["a", "b"] {
        socket
            .subscribe(id, "subscription { ticks(everyMillis: 60000) }")
            .await;
    }
    socket.subscribe("c", "{ hello }").await;
    let message = socket.hear().await;
    assert_eq!(
        (&message["type"], &message["id"]),
        (&json!("error"), &json!("c"))
    );
    assert_eq!(
        message["payload"][0]["extensions"]["code"],
        "LIMIT_EXCEEDED"
    );
    socket.say(&json!({ "type": "complete", "id": "a" })).await;
    socket.subscribe("c", "{ hello }").await;
    assert_eq!(socket.hear().await["payload"]["data"]["hello"], "world");

    let payload = json!({ "authToken": token(1) });
    let _first = Socket::ready_as(&server, payload.clone()).await;
    let second = Socket::ready_as(&server, payload.clone()).await;
    let mut third = Socket::open(&server).await;
    third
        .say(&json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(third.closed().await, 4429);
    drop((second, third));

    // Five would be one too many for the node: four are open until the two have gone.
    let mut open = Vec::new();
    let refused = loop {
        let mut request = format!("ws://{}/graphql", server.address)
            .into_client_request()
            .unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        match connect_async(request).await {
            Ok((socket, _)) => open.push(socket),
            Err(Error::Http(response)) => break response.status(),
            Err(error) => panic!("{error}"),
        }
        assert!(open.len() <= 2, "more than four sockets are open");
    };
    assert_eq!(refused, 503);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    let mut options = Options::default();
    options.server.sockets.write_timeout = Duration::from_millis(200);
    let server = Server::with(options).await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("ticks", "subscription { ticks(everyMillis: 60000) }")
        .await;
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 1)
        .await;
    socket.subscribe("big", "subscription { big }").await;
    // It has a kernel's buffers to fill, then the time to take a message runs out.
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn a_client_that_has_gone_without_a_word_is_noticed() {
    let mut options = Options::default();
    options.server.sockets.keep_alive = Duration::from_millis(50);
    let server = Server::with(options).await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { ticks(everyMillis: 60000) }")
        .await;
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 1)
        .await;
    // While it is read, its pongs keep it.
    let listening = tokio::time::timeout(Duration::from_millis(400), socket.0.next());
    assert!(!matches!(
        listening.await,
        Ok(None | Some(Err(_) | Ok(Message::Close(_))))
    ));
    // Nobody reads, so nobody answers.
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn shutting_down_says_so() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket
        .subscribe("a", "subscription { ticks(everyMillis: 60000) }")
        .await;
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 1)
        .await;
    server.shutdown.cancel();
    assert_eq!(socket.closed().await, 1001);
    // The answer to the close is written when the next message is asked for.
    let _ = socket.0.next().await;
    let ended = tokio::time::timeout(Duration::from_secs(1), server.task).await;
    ended.expect("the server ends at once").unwrap().unwrap();
    assert_eq!(server.counters.open.load(Ordering::SeqCst), 0);
}
