//! The server's life.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::client::{Options, Server};

async fn health(server: &Server, path: &str) -> (StatusCode, Json) {
    crate::client::read(server.client.get(server.url(path))).await
}

#[tokio::test]
async fn it_says_that_it_lives_and_whether_it_is_ready() {
    let server = Server::start().await;
    assert_eq!(
        health(&server, "/health/live").await,
        (StatusCode::OK, json!({ "status": "live" }))
    );
    assert_eq!(
        health(&server, "/health/ready").await,
        (StatusCode::OK, json!({ "status": "ready" }))
    );

    let server = Server::with(Options {
        missing: vec!["ledger"],
        ..Options::default()
    })
    .await;
    assert_eq!(health(&server, "/health/live").await.0, StatusCode::OK);
    assert_eq!(
        health(&server, "/health/ready").await,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not ready", "missing": ["ledger"] })
        )
    );
}

#[tokio::test]
async fn what_runs_when_it_is_told_to_stop_is_still_answered() {
    let server = Server::start().await;
    let request = server
        .post("*/*")
        .body(json!({ "query": "{ slow(millis: 300) }" }).to_string());
    let answer = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    let answer: Json = answer.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["slow"], true);
    server.task.await.unwrap().unwrap();
    assert!(
        server
            .client
            .get(format!("http://{}/health/live", server.address))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_does_not_end_within_the_drain_time_is_left() {
    let mut options = Options::default();
    options.server.drain = Duration::from_millis(200);
    let server = Server::with(options).await;
    let request = server
        .post("*/*")
        .body(json!({ "query": "{ slow(millis: 60000) }" }).to_string());
    let _answer = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(2), server.task).await;
    ended.expect("the server ends").unwrap().unwrap();
}
