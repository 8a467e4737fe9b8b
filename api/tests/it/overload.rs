//! More requests than a node works on.

use std::time::Duration;

use api::limits::Limits;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::client::{GRAPHQL_RESPONSE, Options, Server};
use crate::raw::{self, Raw};
use crate::socket::client::Socket;

/// A server that works on two operations at once, and has both.
async fn full() -> (Server, [Raw; 2]) {
    let mut options = Options::default();
    options.engine.limits = Limits {
        in_flight: 2,
        ..Limits::default()
    };
    let server = Server::with(options).await;
    let mut held = [Raw::open(&server).await, Raw::open(&server).await];
    for request in &mut held {
        request.ask("mutation { held }").await;
    }
    while server.counters.held() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (server, held)
}

fn is_overload(body: &Json) -> bool {
    let said = &body["errors"][0]["extensions"];
    body.get("data").is_none()
        && [&said["code"], &said["reason"], &said["retryable"]]
            == [&json!("UNAVAILABLE"), &json!("OVERLOADED"), &json!(true)]
}

#[tokio::test]
async fn past_the_bound_a_request_is_told_to_come_again_and_what_was_taken_is_served() {
    let (server, mut held) = full().await;
    let body = json!({ "query": "{ hello }" }).to_string();
    let answer = server
        .post(GRAPHQL_RESPONSE)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(is_overload(&answer.json().await.unwrap()));
    let answer = server.client.get(server.url("/graphql?query=%7Bhello%7D"));
    assert_eq!(answer.send().await.unwrap().status(), 503);

    server.counters.release.cancel();
    for request in &mut held {
        let answer = request.answer().await;
        assert_eq!(
            (answer.status, &answer.body["data"]["held"]),
            (200, &json!(true))
        );
    }
    let (status, body) = server.ask("{ hello }").await;
    assert_eq!(
        (status.as_u16(), &body["data"]["hello"]),
        (200, &json!("world"))
    );
    assert_eq!(server.counters.held(), 2);
}

#[tokio::test]
async fn nothing_of_a_refused_body_is_waited_for() {
    let (server, _held) = full().await;
    let mut request = Raw::open(&server).await;
    request.send(&raw::head(1_000_000)).await;
    let answer = request.answer().await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    assert!(is_overload(&answer.body), "{}", answer.body);
}

#[tokio::test]
async fn a_refusal_costs_a_client_nothing_but_the_refusal() {
    let (server, _held) = full().await;
    // Small bodies have come with their heads: the connection goes on.
    let mut client = Raw::open(&server).await;
    for _ in 0..100 {
        client.ask("{ hello }").await;
        assert_eq!(client.answer().await.status, 503);
    }
    server.counters.release.cancel();
    let served = async {
        loop {
            client.ask("{ hello }").await;
            if client.answer().await.status == 200 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_crowd_that_does_not_stay_away_keeps_nobody_else_out() {
    const CLIENTS: u32 = 50;
    const EACH: u32 = 100;
    let (server, _held) = full().await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let mut client = Raw::open(&server).await;
        clients.spawn(async move {
            for _ in 0..EACH {
                client.ask("{ hello }").await;
                assert_eq!(client.answer().await.status, 503);
            }
            client
        });
    }
    let mut clients = clients.join_all().await;
    // Their connections rest by now; this one is told at once.
    let mut newcomer = Raw::open(&server).await;
    newcomer.ask("{ hello }").await;
    assert_eq!(newcomer.answer().await.status, 503);
    server.counters.release.cancel();
    for client in &mut clients {
        client.ask("{ hello }").await;
    }
    for client in &mut clients {
        assert!([200, 503].contains(&client.answer().await.status));
    }
    let (status, _) = server.ask("{ hello }").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn who_asks_how_it_is_and_what_the_provider_sends_come_through() {
    let (server, _held) = full().await;
    for path in ["/health/live", "/health/ready", "/.well-known/jwks.json"] {
        let answer = server.client.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    let webhook = server.client.post(server.url("/webhooks/payments"));
    let webhook = webhook.header("stripe-signature", "right").body("{}");
    assert_eq!(webhook.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn over_a_socket_operations_are_bounded_with_all_others() {
    let (server, _held) = full().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("1", "mutation { bump }").await;
    let heard = socket.hear().await;
    assert_eq!(
        (&heard["type"], &heard["id"]),
        (&json!("error"), &json!("1"))
    );
    assert!(
        is_overload(&json!({ "errors": heard["payload"] })),
        "{heard}"
    );
    // What is only listened to is no work.
    socket
        .subscribe("2", "subscription { countdown(from: 1) }")
        .await;
    assert_eq!(socket.hear().await["payload"]["data"]["countdown"], 1);
    assert_eq!(socket.hear().await["type"], "complete");

    server.counters.release.cancel();
    socket.subscribe("3", "{ hello }").await;
    let mut heard = socket.hear().await;
    while is_overload(&json!({ "errors": heard["payload"] })) {
        socket.subscribe("3", "{ hello }").await;
        heard = socket.hear().await;
    }
    assert_eq!(heard["payload"]["data"]["hello"], "world");
    assert_eq!(server.counters.bumps(), 0, "a refused mutation did nothing");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_no_work() {
    let mut options = Options::default();
    options.engine.limits.in_flight = 1;
    let server = Server::with(options).await;
    // More than the buffers on the way take, and nobody reads it.
    let mut socket = Socket::ready(&server).await;
    for id in 0..40 {
        let query = "{ many(first: 4000) { name } }";
        socket.subscribe(&id.to_string(), query).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (status, _) = server.ask("{ hello }").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn bodies_that_are_still_coming_fill_no_more_than_their_room() {
    let mut options = Options::default();
    options.server.connections.bodies = 5 * 1_024;
    let server = Server::with(options).await;
    let body = json!({ "query": format!("{{ hello }} #{}", "x".repeat(3_200)) }).to_string();
    let mut slow = Raw::open(&server).await;
    slow.send(&raw::head(body.len())).await;
    let mut other = Raw::open(&server).await;
    let refused = async {
        loop {
            other
                .send(&format!("{}{body}", raw::head(body.len())))
                .await;
            if other.answer().await.status == 503 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused)
        .await
        .unwrap();
    // A small one still fits beside it.
    other.ask("{ hello }").await;
    assert_eq!(other.answer().await.status, 200);
    slow.send(&body).await;
    assert_eq!(slow.answer().await.status, 200);
    other
        .send(&format!("{}{body}", raw::head(body.len())))
        .await;
    assert_eq!(other.answer().await.status, 200);
}
