//! The server's life.

use std::sync::Arc;
use std::time::Duration;

use api::app::{Lacks, Readiness};
use api::server::serve_health;
use reqwest::StatusCode;
use reqwest::header::CONNECTION;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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

    let with = async |missing, degraded| {
        let lacks = Lacks { missing, degraded };
        let options = Options {
            lacks,
            ..Options::default()
        };
        Server::with(options).await
    };
    let server = with(vec![], vec!["ledger"]).await;
    assert_eq!(
        health(&server, "/health/ready").await,
        (
            StatusCode::OK,
            json!({ "status": "ready", "degraded": ["ledger"] })
        )
    );

    let server = with(vec!["gate"], vec!["ledger"]).await;
    assert_eq!(health(&server, "/health/live").await.0, StatusCode::OK);
    assert_eq!(
        health(&server, "/health/ready").await,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not ready", "missing": ["gate"], "degraded": ["ledger"] })
        )
    );
}

#[tokio::test]
async fn who_is_about_to_leave_says_so_and_still_answers() {
    let server = Server::start().await;
    let query = json!({ "query": "{ hello }" }).to_string();
    let answer = server.post("*/*").body(query.clone()).send().await.unwrap();
    assert_eq!(answer.headers().get(CONNECTION), None);
    server.leaving.cancel();
    assert_eq!(
        health(&server, "/health/ready").await,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not ready", "missing": ["leaving"] })
        )
    );
    let answer = server.post("*/*").body(query).send().await.unwrap();
    assert_eq!(answer.headers()[CONNECTION], "close");
    let answer: Json = answer.json().await.unwrap();
    assert_eq!(answer["data"]["hello"], "world");
    assert_eq!(health(&server, "/health/live").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_process_without_an_endpoint_tells_its_health_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let readiness = Readiness {
        lacks: Arc::new(|| Lacks {
            missing: vec!["payment"],
            degraded: Vec::new(),
        }),
        leaving: CancellationToken::new(),
    };
    let task = tokio::spawn(serve_health(listener, readiness, stop.clone()));
    // For its client only.
    let other = Server::start().await;
    let get = |path: &str| other.client.get(format!("http://{address}{path}"));
    assert_eq!(
        crate::client::read(get("/health/ready")).await,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not ready", "missing": ["payment"] })
        )
    );
    let status = get("/graphql").send().await.unwrap().status();
    assert_eq!(status, StatusCode::NOT_FOUND);
    stop.cancel();
    task.await.unwrap();
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
    server.task.await.unwrap();
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
    ended.expect("the server ends").unwrap();
}
