//! What a browser is asked to send by pages of others, and what it is told of ours.

use std::sync::atomic::Ordering;

use reqwest::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::json;

use crate::client::{JSON, Options, Server};

const SHOP: &str = "https://shop.example";
const OTHER: &str = "https://evil.example";

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// What a browser asks before it sends JSON elsewhere.
fn preflight(server: &Server, origin: &str) -> RequestBuilder {
    let request = server
        .client
        .request(Method::OPTIONS, server.url("/graphql"));
    request
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(ACCESS_CONTROL_REQUEST_HEADERS, "content-type,authorization")
}

fn has_no_permission(headers: &HeaderMap) {
    for name in headers.keys() {
        let name = name.as_str();
        assert!(name != ACCESS_CONTROL_ALLOW_ORIGIN, "{headers:?}");
        assert!(name != ACCESS_CONTROL_ALLOW_CREDENTIALS, "{headers:?}");
    }
}

async fn with_origins() -> Server {
    let mut options = Options::default();
    let origins = [SHOP, "http://localhost:3000"];
    options.server.origins = origins.map(HeaderValue::from_static).to_vec();
    Server::with(options).await
}

#[tokio::test]
async fn what_a_page_can_send_without_asking_is_not_executed() {
    let server = Server::start().await;
    let body = json!({ "query": "mutation { bump }" }).to_string();
    // An HTML form's three kinds, and a script's request without a type of its own.
    for (kind, body) in [
        (
            "application/x-www-form-urlencoded",
            "query=mutation+%7B+bump+%7D".to_owned(),
        ),
        ("application/x-www-form-urlencoded", body.clone()),
        ("text/plain", body.clone()),
        ("text/plain;charset=UTF-8", body.clone()),
        ("text/plain; application/json", body.clone()),
        (
            "multipart/form-data; boundary=x",
            format!(
                "--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{body}\r\n--x--\r\n"
            ),
        ),
        ("", body.clone()),
    ] {
        let mut request = server
            .client
            .post(server.url("/graphql"))
            .header(ORIGIN, OTHER);
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let response = sent(request.body(body)).await;
        assert_eq!(
            response.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind}"
        );
        has_no_permission(response.headers());
    }
    // A link, a picture, a form by GET.
    for accept in ["*/*", JSON, "text/html,*/*;q=0.8", "text/event-stream"] {
        let url = server.url("/graphql?query=mutation+%7B+bump+%7D");
        let response = sent(server.client.get(url).header(ACCEPT, accept)).await;
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{accept}"
        );
    }
    assert_eq!(server.counters.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn pages_of_other_origins_are_not_let_in_unless_they_are_listed() {
    let server = Server::start().await;
    let response = sent(preflight(&server, SHOP)).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    has_no_permission(response.headers());

    let server = with_origins().await;
    for origin in [
        OTHER,
        "null",
        "https://shop.example.evil.example",
        "http://shop.example",
    ] {
        has_no_permission(sent(preflight(&server, origin)).await.headers());
        let request = server.post(JSON).header(ORIGIN, origin);
        let request = request.body(json!({ "query": "{ hello }" }).to_string());
        has_no_permission(sent(request).await.headers());
    }
}

#[tokio::test]
async fn pages_of_listed_origins_may_use_the_api_without_credentials() {
    let server = with_origins().await;
    let response = sent(preflight(&server, SHOP)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], SHOP);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
    let allowed = headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
    for name in [
        "content-type",
        "authorization",
        "accept-language",
        "traceparent",
    ] {
        assert!(
            allowed.split(',').any(|allowed| allowed == name),
            "{allowed}"
        );
    }
    assert!(headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS).is_none());
    let vary: Vec<_> = headers.get_all(VARY).iter().collect();
    assert!(format!("{vary:?}").contains("origin"), "{vary:?}");

    for body in [
        json!({ "query": "{ hello }" }),
        json!({ "query": "{" }),
        json!([]),
        json!({ "query": "{ panics }" }),
    ] {
        let request = server.post(JSON).header(ORIGIN, SHOP);
        let response = sent(request.body(body.to_string())).await;
        let headers = response.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], SHOP, "{body}");
        let exposed = headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
        assert!(exposed.contains("x-request-id"), "{exposed}");
        assert!(headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS).is_none());
    }
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_not_to_do_with_it() {
    let mut options = Options::default();
    options.server.playground = true;
    let server = Server::with(options).await;
    let document = |query: &str| json!({ "query": query }).to_string();
    let get = |path: &str| server.client.get(server.url(path));
    for request in [
        server.post(JSON).body(document("{ hello }")),
        server.post(JSON).body(document("{ panics }")),
        server.post(JSON).body("x"),
        server.post("text/event-stream").body(document("{ hello }")),
        server.client.put(server.url("/graphql")),
        get("/graphql"),
        get("/health/live"),
        get("/.well-known/jwks.json"),
        get("/nowhere"),
        get("/playground"),
        get("/playground/playground.js"),
    ] {
        let response = sent(request).await;
        let path = response.url().path().to_owned();
        let headers = response.headers();
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[REFERRER_POLICY], "no-referrer", "{path}");
        assert_eq!(headers[X_FRAME_OPTIONS], "DENY", "{path}");
        assert_eq!(
            headers["cross-origin-resource-policy"], "same-origin",
            "{path}"
        );
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(headers.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
        assert!(headers.contains_key(CACHE_CONTROL), "{path}");
        if path == "/graphql" {
            assert_eq!(headers[CACHE_CONTROL], "no-store");
        }
    }
}
