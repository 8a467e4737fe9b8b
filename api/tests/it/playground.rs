//! The playground, out of the binary.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};

use crate::client::{Options, Server};

async fn with_playground() -> Server {
    let mut options = Options::default();
    options.server.playground = true;
    Server::with(options).await
}

#[tokio::test]
async fn every_file_is_there_compressed_and_can_be_kept() {
    let server = with_playground().await;
    for (path, kind) in [
        ("/playground", "text/html; charset=utf-8"),
        (
            "/playground/playground.js",
            "text/javascript; charset=utf-8",
        ),
        ("/playground/index.css", "text/css; charset=utf-8"),
        ("/playground/codicon.ttf", "font/ttf"),
        (
            "/playground/editor.worker.js",
            "text/javascript; charset=utf-8",
        ),
        (
            "/playground/graphql.worker.js",
            "text/javascript; charset=utf-8",
        ),
        (
            "/playground/json.worker.js",
            "text/javascript; charset=utf-8",
        ),
    ] {
        let response = server.client.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind);
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        let tag = response.headers()[ETAG].clone();
        assert!(
            response.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]),
            "{path}"
        );

        let again = server
            .client
            .get(server.url(path))
            .header(IF_NONE_MATCH, tag);
        assert_eq!(
            again.send().await.unwrap().status(),
            StatusCode::NOT_MODIFIED,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_new_visitor_finds_documents_to_try() {
    let server = with_playground().await;
    let tabs = server
        .client
        .get(server.url("/playground/tabs.json"))
        .send()
        .await
        .unwrap();
    let tabs: Vec<serde_json::Value> = tabs.json().await.unwrap();
    assert_eq!(tabs.len(), api::playground::TABS.len());
    for tab in tabs {
        let query = tab["query"].as_str().unwrap();
        async_graphql::parser::parse_query(query).unwrap();
        if let Some(variables) = tab["variables"].as_str() {
            let read: serde_json::Value = serde_json::from_str(variables).unwrap();
            assert!(read.is_object(), "{variables}");
        }
    }
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let server = with_playground().await;
    let response = server
        .client
        .get(server.url("/playground"))
        .send()
        .await
        .unwrap();
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
}

#[tokio::test]
async fn the_root_leads_to_it() {
    let server = with_playground().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let response = client
        .build()
        .unwrap()
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()[LOCATION], "/playground");
}

#[tokio::test]
async fn it_is_not_there_unless_asked_for() {
    let server = Server::start().await;
    for path in ["/", "/playground", "/playground/playground.js"] {
        let response = server.client.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
