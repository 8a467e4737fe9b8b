//! Documents that are named instead of sent, over every transport alike.

use api::engine::{Documents, TrustedDocuments};
use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::client::{GRAPHQL_RESPONSE, JSON, Options, Server, read};
use crate::socket::client::Socket;

const HELLO: &str = "query Hello { hello }";

fn hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn apollo(hash: &str) -> Json {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// Status, and data or the code of the only error.
async fn said(request: RequestBuilder) -> (u16, Json) {
    let (status, mut body) = read(request).await;
    let errors = body["errors"].as_array();
    let said = match errors {
        Some(errors) => {
            assert_eq!(errors.len(), 1, "{body}");
            assert_eq!(body.get("data"), None, "{body}");
            body["errors"][0]["extensions"]["code"].take()
        }
        None => body["data"].take(),
    };
    (status.as_u16(), said)
}

async fn post(server: &Server, body: Json) -> (u16, Json) {
    said(server.post(GRAPHQL_RESPONSE).body(body.to_string())).await
}

fn get(server: &Server, parameters: &[(&str, &str)]) -> RequestBuilder {
    let url = reqwest::Url::parse_with_params(&server.url("/graphql"), parameters);
    server
        .client
        .get(url.unwrap())
        .header(ACCEPT, GRAPHQL_RESPONSE)
}

fn world() -> Json {
    json!({ "hello": "world" })
}

#[tokio::test]
async fn a_document_that_was_sent_with_its_hash_is_known_by_it() {
    let server = Server::start().await;
    let extensions = apollo(&hash(HELLO));
    let by_hash = json!({ "extensions": extensions });
    let unknown = (400, json!("PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(post(&server, by_hash.clone()).await, unknown);
    // The public clients look for these words where the status is 200.
    let request = server.post(JSON).body(by_hash.to_string());
    let (status, body) = read(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["errors"][0]["message"], "PersistedQueryNotFound");

    // Without its hash it is not remembered.
    assert_eq!(
        post(&server, json!({ "query": HELLO })).await,
        (200, world())
    );
    assert_eq!(post(&server, by_hash.clone()).await, unknown);

    let both = json!({ "query": HELLO, "extensions": extensions });
    assert_eq!(post(&server, both).await, (200, world()));
    for body in [
        by_hash,
        json!({ "documentId": format!("sha256:{}", hash(HELLO)) }),
        json!({ "documentId": hash(HELLO), "operationName": "Hello", "query": "" }),
    ] {
        assert_eq!(post(&server, body).await, (200, world()));
    }
    let by_get = extensions.to_string();
    let request = get(&server, &[("extensions", &by_get)]);
    assert_eq!(said(request).await, (200, world()));
    let id = format!("sha256:{}", hash(HELLO));
    assert_eq!(
        said(get(&server, &[("documentId", &id)])).await,
        (200, world())
    );
}

#[tokio::test]
async fn a_mutation_is_not_run_by_a_get_of_its_name() {
    let server = Server::start().await;
    let bump = "mutation { bump }";
    let extensions = apollo(&hash(bump));
    let both = json!({ "query": bump, "extensions": extensions });
    assert_eq!(post(&server, both).await, (200, json!({ "bump": 1 })));
    let request = get(&server, &[("extensions", &extensions.to_string())]);
    assert_eq!(said(request).await, (405, json!("METHOD_NOT_ALLOWED")));
    let by_hash = json!({ "extensions": extensions });
    assert_eq!(post(&server, by_hash).await, (200, json!({ "bump": 2 })));
}

#[tokio::test]
async fn a_hash_that_is_not_the_documents_is_refused_and_not_remembered() {
    let server = Server::start().await;
    let other = "{ maybeNothing { name } }";
    for wrong in [hash(other), "x".to_owned(), hash(HELLO).to_uppercase()] {
        let both = json!({ "query": HELLO, "extensions": apollo(&wrong) });
        assert_eq!(post(&server, both).await, (400, json!("BAD_REQUEST")));
        let by_hash = json!({ "extensions": apollo(&wrong) });
        let unknown = (400, json!("PERSISTED_QUERY_NOT_FOUND"));
        assert_eq!(post(&server, by_hash).await, unknown);
    }
    // Nor is a document that can't be executed.
    for broken in ["{", "{ nope }"] {
        let both = json!({ "query": broken, "extensions": apollo(&hash(broken)) });
        assert_eq!(post(&server, both).await.0, 400);
        let by_hash = json!({ "extensions": apollo(&hash(broken)) });
        let unknown = (400, json!("PERSISTED_QUERY_NOT_FOUND"));
        assert_eq!(post(&server, by_hash).await, unknown);
    }
    let version = json!({ "query": HELLO, "extensions": { "persistedQuery": { "version": 2 } } });
    let not_supported = (400, json!("PERSISTED_QUERY_NOT_SUPPORTED"));
    assert_eq!(post(&server, version).await, not_supported);
}

#[tokio::test]
async fn remembering_can_be_turned_off() {
    let mut options = Options::default();
    options.engine.accepted = Documents::Sent { remembered: 0 };
    let server = Server::with(options).await;
    let not_supported = (400, json!("PERSISTED_QUERY_NOT_SUPPORTED"));
    for body in [
        json!({ "extensions": apollo(&hash(HELLO)) }),
        json!({ "query": HELLO, "extensions": apollo(&hash(HELLO)) }),
        json!({ "documentId": hash(HELLO) }),
    ] {
        assert_eq!(post(&server, body).await, not_supported);
    }
    assert_eq!(
        post(&server, json!({ "query": HELLO })).await,
        (200, world())
    );
}

async fn trusting(documents: &[&str]) -> Server {
    let list: Json = documents
        .iter()
        .map(|text| (hash(text), json!(text)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut options = Options::default();
    let trusted = TrustedDocuments::read(&list.to_string()).unwrap();
    options.engine.accepted = Documents::Trusted(trusted);
    Server::with(options).await
}

#[tokio::test]
async fn where_documents_are_trusted_nothing_else_is_executed() {
    let bump = "mutation { bump }";
    let server = trusting(&[HELLO]).await;
    for body in [
        json!({ "documentId": format!("sha256:{}", hash(HELLO)) }),
        json!({ "extensions": apollo(&hash(HELLO)) }),
        json!({ "query": HELLO, "extensions": apollo(&hash(HELLO)) }),
    ] {
        assert_eq!(post(&server, body).await, (200, world()));
    }
    let id = hash(HELLO);
    assert_eq!(
        said(get(&server, &[("documentId", &id)])).await,
        (200, world())
    );
    let refused = (400, json!("DOCUMENT_NOT_TRUSTED"));
    for body in [
        json!({ "query": HELLO }),
        json!({ "query": bump }),
        json!({ "query": "{" }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "query": bump, "documentId": hash(HELLO) }),
        json!({ "query": bump, "extensions": apollo(&hash(bump)) }),
        json!({ "documentId": hash(bump) }),
        json!({ "documentId": "sha256:" }),
        json!({ "documentId": "Hello" }),
        json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": hash(HELLO) } } }),
    ] {
        assert_eq!(post(&server, body.clone()).await, refused, "{body}");
    }
    let bumps = &server.counters.bumps;
    assert_eq!(bumps.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn names_work_over_streams_and_sockets_too() {
    let countdown = "subscription { countdown(from: 1) }";
    let bump = "mutation { bump }";
    for server in [Server::start().await, trusting(&[countdown]).await] {
        let named = json!({ "query": countdown, "extensions": apollo(&hash(countdown)) });
        let stream = async |body: &Json| {
            let request = server.post("text/event-stream").body(body.to_string());
            request.send().await.unwrap().text().await.unwrap()
        };
        let heard = stream(&named).await;
        assert!(
            heard.contains(r#"data: {"data":{"countdown":1}"#),
            "{heard}"
        );
        let heard = stream(&json!({ "documentId": hash(countdown) })).await;
        assert!(
            heard.contains(r#"data: {"data":{"countdown":1}"#),
            "{heard}"
        );
        let heard = stream(&json!({ "documentId": hash(bump) })).await;
        let codes = ["PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED"];
        assert!(codes.iter().any(|code| heard.contains(code)), "{heard}");
        assert!(heard.ends_with("event: complete\ndata:\n\n"), "{heard}");

        let mut socket = Socket::ready(&server).await;
        for payload in [
            json!({ "documentId": hash(countdown) }),
            json!({ "query": "", "extensions": apollo(&hash(countdown)) }),
        ] {
            socket
                .say(&json!({ "type": "subscribe", "id": "a", "payload": payload }))
                .await;
            assert_eq!(socket.hear().await["payload"]["data"]["countdown"], 1);
            assert_eq!(socket.hear().await["type"], "complete");
        }
        let payload = json!({ "documentId": hash(bump) });
        socket
            .say(&json!({ "type": "subscribe", "id": "a", "payload": payload }))
            .await;
        let message = socket.hear().await;
        assert_eq!(message["type"], "error", "{message}");
        let code = message["payload"][0]["extensions"]["code"]
            .as_str()
            .unwrap();
        assert!(codes.contains(&code), "{message}");
    }
}
