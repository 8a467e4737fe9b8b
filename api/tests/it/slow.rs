//! Clients that are slow, or silent, or too many.

use std::net::SocketAddr;
use std::time::Duration;

use api::app::ConnectionSettings;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::client::{Options, Server};
use crate::raw::{self, Raw};
use crate::socket::client::Socket;

const SOON: Duration = Duration::from_millis(150);
const NEVER: Duration = Duration::from_mins(1);

/// A server with no limit on time but those that a test sets.
async fn with(set: impl FnOnce(&mut ConnectionSettings)) -> Server {
    let mut options = Options::default();
    let connections = &mut options.server.connections;
    connections.idle_timeout = NEVER;
    connections.head_timeout = NEVER;
    connections.body_timeout = NEVER;
    connections.write_timeout = NEVER;
    set(connections);
    Server::with(options).await
}

async fn serves(server: &Server) {
    let (status, body) = server.ask("{ hello }").await;
    assert_eq!(
        (status.as_u16(), &body["data"]["hello"]),
        (200, &json!("world"))
    );
}

#[tokio::test]
async fn a_head_that_does_not_end_ends_its_connection() {
    let server = with(|connections| connections.head_timeout = SOON).await;
    let mut silent = Raw::open(&server).await;
    silent.send("POST /graphql HTTP/1.1\r\nhost: sh").await;
    silent.ended().await;

    // A byte now and then is no better.
    let mut drip = Raw::open(&server).await;
    drip.send("GET / HTTP/1.1\r\n").await;
    let dripping = async {
        while drip.0.write_all(b"x: y\r\n").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), dripping)
        .await
        .expect("it ends");
    serves(&server).await;
}

#[tokio::test]
async fn the_head_of_a_second_request_has_as_long() {
    let server = with(|connections| connections.head_timeout = SOON).await;
    let mut client = Raw::open(&server).await;
    client.ask("{ hello }").await;
    assert_eq!(client.answer().await.status, 200);
    // Between two requests the time does not run.
    sleep(SOON * 2).await;
    client.ask("{ hello }").await;
    assert_eq!(client.answer().await.status, 200);
    client.send("POST").await;
    client.ended().await;
}

#[tokio::test]
async fn a_connection_without_a_request_ends() {
    let server = with(|connections| connections.idle_timeout = SOON).await;
    Raw::open(&server).await.ended().await;
    let mut client = Raw::open(&server).await;
    client.ask("{ hello }").await;
    assert_eq!(client.answer().await.status, 200);
    client.ended().await;
    serves(&server).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = with(|connections| connections.body_timeout = SOON).await;
    let mut client = Raw::open(&server).await;
    client.send(&raw::head(100)).await;
    client.send("{\"query\":").await;
    let answer = client.answer().await;
    let code = &answer.body["errors"][0]["extensions"]["code"];
    assert_eq!((answer.status, code), (408, &json!("REQUEST_TIMEOUT")));
    client.ended().await;

    let mut provider = Raw::open(&server).await;
    provider
        .send("POST /webhooks/payments HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\n{")
        .await;
    assert_eq!(provider.answer().await.status, 408);
    serves(&server).await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_not_kept() {
    let server = with(|connections| {
        connections.write_timeout = SOON;
        connections.per_node = 1;
    })
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = Raw(socket.connect(server.address).await.unwrap());
    // More than the buffers on the way take.
    for _ in 0..150 {
        client.ask("{ many(first: 4000) { name } }").await;
    }
    // The only connection's place is free again.
    until_served(server.address).await;
    drop(client);
}

/// Connects until there is an answer.
async fn until_served(address: SocketAddr) {
    let served = async {
        loop {
            let mut client = Raw(TcpStream::connect(address).await.unwrap());
            client.ask("{ hello }").await;
            if client.answer().await.status == 200 {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), served)
        .await
        .expect("an answer");
}

#[tokio::test]
async fn a_node_and_a_place_have_so_many_connections() {
    for set in [
        |connections: &mut ConnectionSettings| connections.per_peer = 2,
        |connections: &mut ConnectionSettings| connections.per_node = 2,
    ] {
        let server = with(set).await;
        let mut two = [Raw::open(&server).await, Raw::open(&server).await];
        for client in &mut two {
            client.ask("{ hello }").await;
            assert_eq!(client.answer().await.status, 200);
        }
        let mut third = Raw::open(&server).await;
        let answer = third.answer().await;
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.body["errors"][0]["extensions"]["code"],
            "UNAVAILABLE"
        );
        assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
        third.ended().await;
        // Those that are there go on, and the place of one that ends is free.
        for client in &mut two {
            client.ask("{ hello }").await;
            assert_eq!(client.answer().await.status, 200);
        }
        drop(two);
        until_served(server.address).await;
    }
}

#[tokio::test]
async fn who_is_spared_is_not_counted_and_gets_through_to_a_full_node() {
    let mut options = Options::default();
    options.server.connections.per_peer = 1;
    options.server.connections.per_node = 2;
    options.server.networks.spared = vec!["127.0.0.0/8".parse().unwrap()];
    let server = Server::with(options).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = Raw::open(&server).await;
        client.ask("{ hello }").await;
        assert_eq!(client.answer().await.status, 200);
        clients.push(client);
    }
}

#[tokio::test]
async fn a_socket_may_be_silent() {
    let server = with(|connections| {
        connections.idle_timeout = SOON;
        connections.head_timeout = SOON;
        connections.body_timeout = SOON;
        connections.write_timeout = SOON;
    })
    .await;
    let mut socket = Socket::ready(&server).await;
    sleep(SOON * 3).await;
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await["type"], "pong");
    sleep(SOON * 2).await;
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.hear().await["payload"]["data"]["hello"], "world");
}
