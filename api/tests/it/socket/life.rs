//! Whose a socket is, how long it lives, and what it may take.

use std::sync::atomic::Ordering;
use std::time::Duration;

use api::sessions::EndedSessions;
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ports::Sessions;
use domain::session::{Ended, Ending, Session};
use domain::{AccountId, Fault, SessionId, Timestamp};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

use super::client::Socket;
use crate::client::{Options, Server, token};

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
async fn a_socket_ends_with_its_session() {
    let ended = EndedSessions::new(TimeDelta::minutes(15));
    let server = Server::with(Options {
        ended: ended.clone(),
        ..Options::default()
    })
    .await;
    let mut gone = Socket::ready_as(&server, json!({ "authToken": token(9) })).await;
    let mut stays = Socket::ready_as(&server, json!({ "authToken": token(7) })).await;
    let now = Timestamp::UNIX_EPOCH;
    ended.load(&Nines, now).await.unwrap();
    assert_eq!(gone.closed().await, 4403);
    stays.subscribe("a", "{ hello }").await;
    assert_eq!(stays.hear().await["payload"]["data"]["hello"], "world");
    // Whoever comes back with the same token is shown the door at once.
    let mut back = Socket::open(&server).await;
    let payload = json!({ "authToken": token(9) });
    back.say(&json!({ "type": "connection_init", "payload": payload }))
        .await;
    let code = loop {
        match back.receive().await {
            Ok(message) => assert_eq!(message["type"], "connection_ack"),
            Err((code, _)) => break code,
        }
    };
    assert_eq!(code, 4403);
}

/// A ledger in which session 9 has ended.
pub struct Nines;

#[async_trait]
impl Sessions for Nines {
    async fn ended_since(&self, _: Timestamp) -> Result<Vec<Ended>, Fault> {
        Ok(vec![Ended {
            session: SessionId(Uuid::from_u128(9)),
            at: Timestamp::UNIX_EPOCH,
        }])
    }

    async fn open_session(&self, _: &Session, _: &str) -> Result<bool, Fault> {
        unreachable!("nobody signs in")
    }

    async fn session(&self, _: SessionId) -> Result<Option<Session>, Fault> {
        unreachable!("nobody refreshes")
    }

    async fn rotate_session(
        &self,
        _: SessionId,
        _: &str,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<bool, Fault> {
        unreachable!("nobody refreshes")
    }

    async fn sessions_of(
        &self,
        _: AccountId,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Session>, Fault> {
        unreachable!("nobody lists")
    }

    async fn end_sessions(&self, _: AccountId, _: Ending, _: Timestamp) -> Result<usize, Fault> {
        unreachable!("nobody signs out")
    }
}

#[tokio::test]
async fn a_client_that_closes_is_answered_and_its_operations_end() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    for id in ["a", "b"] {
        socket
            .subscribe(id, "subscription { ticks(everyMillis: 60000) }")
            .await;
    }
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 2)
        .await;
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    };
    socket.0.close(Some(frame)).await.unwrap();
    let Err((code, _)) = socket.receive().await else {
        panic!("the close is answered")
    };
    assert_eq!(code, 1000);
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn what_is_asked_right_behind_the_beginning_is_answered() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.say(&json!({ "type": "connection_init" })).await;
    socket.subscribe("a", "{ hello }").await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    assert_eq!(socket.hear().await["payload"]["data"]["hello"], "world");
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
    ended.expect("the server ends at once").unwrap();
    assert_eq!(server.counters.open.load(Ordering::SeqCst), 0);
}
