//! GraphQL over server-sent events, event by event.

use std::sync::atomic::Ordering;
use std::time::Duration;

use api::sessions::EndedSessions;
use chrono::TimeDelta;
use domain::Timestamp;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::client::{JSON, Options, Server, read, token};
use crate::socket::life::Nines;
use crate::toy::SECRET;

const STREAM: &str = "text/event-stream";

/// A client's end of a stream.
struct Stream {
    response: Response,
    unread: String,
}

/// What a stream says.
#[derive(Debug, PartialEq)]
enum Said {
    Comment,
    Next(Json),
    Complete,
}

impl Stream {
    async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], STREAM);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(response.headers().contains_key("x-request-id"));
        Self {
            response,
            unread: String::new(),
        }
    }

    async fn of(server: &Server, query: &str) -> Self {
        Self::open(server.post(STREAM).body(document(query))).await
    }

    /// Whatever comes next; `None` is the end.
    async fn said(&mut self) -> Option<Said> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let said = parse(event);
                self.unread = String::from(rest);
                return Some(said);
            }
            let chunk = timeout(Duration::from_secs(3), self.response.chunk()).await;
            let chunk = chunk.expect("something is said").unwrap();
            let Some(chunk) = chunk else {
                assert_eq!(self.unread, "", "half an event");
                return None;
            };
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event; comments do not count.
    async fn heard(&mut self) -> Option<Said> {
        loop {
            match self.said().await {
                Some(Said::Comment) => {}
                said => return said,
            }
        }
    }

    async fn next(&mut self) -> Json {
        match self.heard().await {
            Some(Said::Next(result)) => result,
            other => panic!("a result, not {other:?}"),
        }
    }

    /// Nothing but the end of the operation is to come.
    async fn completes(&mut self) {
        assert_eq!(self.heard().await, Some(Said::Complete));
        assert_eq!(self.heard().await, None);
    }
}

fn parse(event: &str) -> Said {
    assert!(!event.contains(SECRET), "{event}");
    if event == ":" {
        return Said::Comment;
    }
    // A browser leaves out an event without data.
    let (kind, data) = event.split_once('\n').unwrap();
    let data = data.strip_prefix("data:").unwrap();
    match kind {
        "event: next" => Said::Next(serde_json::from_str(data).unwrap()),
        "event: complete" => Said::Complete,
        _ => panic!("{event}"),
    }
}

fn document(query: &str) -> String {
    json!({ "query": query }).to_string()
}

fn get(server: &Server, query: &str) -> RequestBuilder {
    let url = reqwest::Url::parse_with_params(&server.url("/graphql"), [("query", query)]);
    server.client.get(url.unwrap()).header(ACCEPT, STREAM)
}

async fn open_feeds(server: &Server, count: usize) {
    server
        .until(|counters| counters.open.load(Ordering::SeqCst) == count)
        .await;
}

#[tokio::test]
async fn an_operation_gives_its_results_and_completes() {
    let server = Server::start().await;
    let countdown = "subscription { n: countdown(from: 3) }";
    for request in [
        server.post(STREAM).body(document(countdown)),
        get(&server, countdown),
    ] {
        let mut stream = Stream::open(request).await;
        for n in [3, 2, 1] {
            assert_eq!(stream.next().await["data"], json!({ "n": n }));
        }
        stream.completes().await;
    }
    let mut stream = Stream::of(&server, "{ hello }").await;
    assert_eq!(stream.next().await["data"], json!({ "hello": "world" }));
    stream.completes().await;
    let mut stream = Stream::of(&server, "mutation { bump }").await;
    assert_eq!(stream.next().await["data"]["bump"], 1);
    stream.completes().await;

    let (status, body) = read(get(&server, "mutation { bump }")).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        body["errors"][0]["extensions"]["code"],
        "METHOD_NOT_ALLOWED"
    );
    assert_eq!(server.counters.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stream_begins_with_a_comment_and_is_kept_alive_by_them() {
    let mut options = Options::default();
    options.server.sockets.keep_alive = Duration::from_millis(30);
    let server = Server::with(options).await;
    let mut stream = Stream::of(&server, "subscription { ticks(everyMillis: 60000) }").await;
    for _ in 0..3 {
        assert_eq!(stream.said().await, Some(Said::Comment));
    }
}

#[tokio::test]
async fn request_errors_are_results_of_an_accepted_stream() {
    let server = Server::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { hello } query B { hello }",
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            "subscription($n: Int!) { countdown(from: $n) }",
            "BAD_USER_INPUT",
        ),
        ("subscription { refused }", "UNAVAILABLE"),
        ("subscription { panics }", "INTERNAL"),
        ("{ panics }", "INTERNAL"),
    ] {
        let mut stream = Stream::of(&server, query).await;
        let result = stream.next().await;
        assert_eq!(result["errors"][0]["extensions"]["code"], code, "{result}");
        assert_eq!(result.get("data"), None, "{result}");
        stream.completes().await;
    }
    // Errors within an event do not end the operation.
    let mut stream = Stream::of(&server, "subscription { things { name maybeName } }").await;
    for _ in 0..2 {
        let result = stream.next().await;
        assert_eq!(
            result["data"]["things"],
            json!({ "name": "thing", "maybeName": null })
        );
        assert_eq!(result["errors"][0]["path"], json!(["things", "maybeName"]));
    }
    stream.completes().await;
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_by_its_status() {
    let server = Server::start().await;
    let bearer = |token: &str| {
        let request = server.post(STREAM).body(document("{ hello }"));
        request.bearer_auth(token)
    };
    let form = server.client.post(server.url("/graphql"));
    for (request, expected) in [
        (server.post(STREAM).body("{"), StatusCode::BAD_REQUEST),
        (bearer("forged"), StatusCode::UNAUTHORIZED),
        (bearer("broken"), StatusCode::SERVICE_UNAVAILABLE),
        (
            form.header(ACCEPT, STREAM).body(document("{ hello }")),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            server.post(STREAM).body("x".repeat(1024 * 1024 + 1)),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ] {
        let (status, body) = read(request).await;
        assert_eq!(status, expected, "{body}");
    }
}

#[tokio::test]
async fn who_takes_both_has_streams_of_subscriptions_and_answers_of_the_rest() {
    let server = Server::start().await;
    let both = "application/graphql-response+json, application/json, text/event-stream";
    let (status, body) = read(server.post(both).body(document("{ hello }"))).await;
    assert_eq!(
        (status, &body["data"]["hello"]),
        (StatusCode::OK, &json!("world"))
    );
    let (status, _) = read(server.post(both).body(document("{ nope }"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let request = server.post(both);
    let request = request.body(document("subscription { countdown(from: 1) }"));
    let mut stream = Stream::open(request).await;
    assert_eq!(stream.next().await["data"]["countdown"], 1);
    stream.completes().await;
    // Who names no stream is told where subscriptions are.
    for accept in [JSON, "*/*"] {
        let request = server.post(accept);
        let request = request.body(document("subscription { countdown(from: 1) }"));
        let (status, body) = read(request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(STREAM), "{message}");
    }
}

#[tokio::test]
async fn a_client_that_closes_ends_the_operation() {
    let server = Server::start().await;
    let mut stream = Stream::of(&server, "subscription { ticks(everyMillis: 1) }").await;
    stream.next().await;
    open_feeds(&server, 1).await;
    drop(stream);
    open_feeds(&server, 0).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_without_completing() {
    let server = Server::start().await;
    let request = server.post(STREAM).bearer_auth("brief-9");
    let request = request.body(document("subscription { ticks(everyMillis: 10) }"));
    let mut stream = Stream::open(request).await;
    let last = loop {
        match stream.heard().await {
            Some(Said::Next(_)) => {}
            other => break other,
        }
    };
    assert_eq!(last, None);
    open_feeds(&server, 0).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_without_completing() {
    let ended = EndedSessions::new(TimeDelta::minutes(15));
    let server = Server::with(Options {
        ended: ended.clone(),
        ..Options::default()
    })
    .await;
    let open = async |account| {
        let request = server.post(STREAM).bearer_auth(token(account));
        let request = request.body(document("subscription { ticks(everyMillis: 10) }"));
        Stream::open(request).await
    };
    let (mut gone, mut stays) = (open(9).await, open(7).await);
    ended.load(&Nines, Timestamp::UNIX_EPOCH).await.unwrap();
    while let Some(said) = gone.heard().await {
        assert!(matches!(said, Said::Next(_)), "{said:?}");
    }
    stays.next().await;
}

#[tokio::test]
async fn streams_count_as_sockets_do() {
    let mut options = Options::default();
    options.server.sockets.per_account = 1;
    options.server.sockets.per_node = 3;
    let server = Server::with(options).await;
    let forever = || {
        let request = server.post(STREAM);
        request.body(document("subscription { ticks(everyMillis: 60000) }"))
    };
    let mine = Stream::open(forever().bearer_auth(token(1))).await;
    let (status, body) = read(forever().bearer_auth(token(1))).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
    assert_eq!(body["errors"][0]["extensions"]["code"], "TOO_MANY_STREAMS");
    drop(mine);
    open_feeds(&server, 0).await;
    let mut open = vec![Stream::open(forever().bearer_auth(token(1))).await];
    for _ in 0..2 {
        open.push(Stream::open(forever()).await);
    }
    let refused = forever().send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(RETRY_AFTER));
    // Sockets sit on the same seats.
    let upgrade = format!("ws://{}/graphql", server.address);
    let refused = tokio_tungstenite::connect_async(upgrade).await;
    assert!(refused.is_err());
    // Whoever wants one answer needs none.
    assert_eq!(server.ask("{ hello }").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    let mut options = Options::default();
    options.server.sockets.write_timeout = Duration::from_millis(200);
    let server = Server::with(options).await;
    let mut other = Stream::of(&server, "subscription { ticks(everyMillis: 20) }").await;
    let stream = Stream::of(&server, "subscription { big }").await;
    open_feeds(&server, 2).await;
    // It has a kernel's buffers to fill, then the time to take an event runs out.
    open_feeds(&server, 1).await;
    drop(stream);
    other.next().await;
}

#[tokio::test]
async fn shutting_down_ends_streams_without_completing_them() {
    let server = Server::start().await;
    let mut stream = Stream::of(&server, "subscription { ticks(everyMillis: 60000) }").await;
    open_feeds(&server, 1).await;
    server.shutdown.cancel();
    assert_eq!(stream.heard().await, None);
    let ended = timeout(Duration::from_secs(1), server.task).await;
    ended.expect("the server ends at once").unwrap();
    assert_eq!(server.counters.open.load(Ordering::SeqCst), 0);
}
