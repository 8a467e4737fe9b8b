//! From where requests and sockets come, and what is counted by it.

use api::app::SocketSettings;
use domain::rate::Rate;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::client::{Options, Server, token};
use crate::socket::client::Socket;

/// One socket from each place; behind a proxy on this machine, if it is `trusted`.
async fn server(trusted: bool) -> Server {
    let mut options = Options::default();
    options.server.sockets = SocketSettings {
        per_peer: 1,
        ..SocketSettings::default()
    };
    if trusted {
        options.server.networks.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }
    Server::with(options).await
}

async fn is_let_in(socket: &mut Socket) -> bool {
    let init = json!({ "type": "connection_init" });
    socket.say(&init).await;
    match socket.receive().await {
        Ok(message) => message == json!({ "type": "connection_ack" }),
        Err((code, reason)) => {
            assert_eq!(code, 4429, "{reason}");
            false
        }
    }
}

#[tokio::test]
async fn who_is_not_signed_in_has_so_many_sockets_from_one_place() {
    let server = server(false).await;
    let mut one = Socket::open(&server).await;
    assert!(is_let_in(&mut one).await);
    // What a client says of where it comes from changes nothing.
    let mut two = Socket::open_from(&server, "192.0.2.1").await;
    assert!(!is_let_in(&mut two).await);
    // Who is signed in is counted by the account.
    let payload = json!({ "authToken": token(7) });
    let _signed_in = Socket::ready_as(&server, payload).await;
    drop(one);
    loop {
        let mut again = Socket::open(&server).await;
        if is_let_in(&mut again).await {
            break;
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_whom_it_speaks_for() {
    let server = server(true).await;
    let mut one = Socket::open_from(&server, "192.0.2.1").await;
    assert!(is_let_in(&mut one).await);
    let mut other = Socket::open_from(&server, "192.0.2.2").await;
    assert!(is_let_in(&mut other).await);
    let mut again = Socket::open_from(&server, "203.0.113.9, 192.0.2.1").await;
    assert!(!is_let_in(&mut again).await);
}

#[tokio::test]
async fn a_socket_that_talks_too_much_is_closed() {
    let mut options = Options::default();
    options.server.sockets.messages = Rate::new(10, 3_600_000);
    let server = Server::with(options).await;
    let mut socket = Socket::ready(&server).await;
    for _ in 0..9 {
        socket.say(&json!({ "type": "ping" })).await;
        assert_eq!(socket.hear().await["type"], "pong");
    }
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await, 4429);
    // Each socket has its own.
    let mut another = Socket::ready(&server).await;
    another.say(&json!({ "type": "ping" })).await;
    assert_eq!(another.hear().await["type"], "pong");
}

#[tokio::test]
async fn who_is_not_signed_in_asks_so_often() {
    let limited = Options {
        limited_ms: Some(1_500),
        ..Options::default()
    };
    let server = Server::with(limited).await;
    let body = json!({ "query": "{ hello }" }).to_string();
    let refused = server.post("*/*").body(body.clone()).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "2");
    let refused: Json = refused.json().await.unwrap();
    let said = &refused["errors"][0]["extensions"];
    assert_eq!(
        (&said["code"], &said["retryAfterMs"]),
        (&json!("RATE_LIMITED"), &json!(1_500))
    );
    let signed_in = server.post("*/*").bearer_auth(token(7)).body(body);
    assert_eq!(signed_in.send().await.unwrap().status(), StatusCode::OK);

    let mut socket = Socket::ready(&server).await;
    socket.subscribe("1", "{ hello }").await;
    let heard = socket.hear().await;
    assert_eq!(heard["payload"][0]["extensions"]["code"], "RATE_LIMITED");

    let mut options = Options {
        limited_ms: Some(1_500),
        ..Options::default()
    };
    options.server.networks.spared = vec!["127.0.0.0/8".parse().unwrap()];
    let (status, _) = Server::with(options).await.ask("{ hello }").await;
    assert_eq!(status, StatusCode::OK);
}
