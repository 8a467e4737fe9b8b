//! GraphQL over HTTP: what is refused, with which status, and in which words.

use reqwest::header::{
    ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use tracing_subscriber::util::SubscriberInitExt;

use crate::client::{GRAPHQL_RESPONSE, JSON, Options, Server, read, token};
use crate::toy::SECRET;

/// Sends what has to be refused and gives its status and code.
async fn refused(request: RequestBuilder) -> (StatusCode, String) {
    let (status, body) = read(request).await;
    let body = body.as_object().unwrap().clone();
    assert!(!body.contains_key("data"), "{body:?}");
    for error in body["errors"].as_array().unwrap() {
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    (
        status,
        body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

fn document(query: &str) -> String {
    json!({ "query": query }).to_string()
}

#[tokio::test]
async fn a_request_is_executed_in_its_callers_trace() {
    // Spans are only made where somebody wants them.
    let _ = tracing_subscriber::registry().try_init();
    let server = Server::start().await;
    let request = || server.post(JSON).body(document("{ span }"));
    let (_, body) = read(request()).await;
    assert_eq!(body["data"]["span"], Json::Null);
    let (_, body) = read(request().header("traceparent", "any")).await;
    assert_eq!(body["data"]["span"], "caller");
}

#[tokio::test]
async fn a_request_that_is_not_executed_has_the_status_of_its_media_type() {
    let server = Server::start().await;
    let cases = [
        (document("{"), "GRAPHQL_PARSE_FAILED"),
        (document("{ nope }"), "GRAPHQL_VALIDATION_FAILED"),
        (
            document("query A { hello } query B { hello }"),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({ "query": "query A { hello }", "operationName": "B" }).to_string(),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            document("query($n: Int!) { many(first: $n) { name } }"),
            "BAD_USER_INPUT",
        ),
        (
            document(
                "{ many(first: 999) { a: name b: name c: name d: name e: name f: name g: name h: name i: name j: name k: name } }",
            ),
            "LIMIT_EXCEEDED",
        ),
    ];
    for (body, code) in cases {
        let request = server.post(GRAPHQL_RESPONSE).body(body.clone());
        assert_eq!(
            refused(request).await,
            (StatusCode::BAD_REQUEST, code.to_owned()),
            "{body}"
        );
        let request = server.post(JSON).body(body.clone());
        assert_eq!(
            refused(request).await,
            (StatusCode::OK, code.to_owned()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_a_4xx_in_either_media_type() {
    let server = Server::start().await;
    for accept in [JSON, GRAPHQL_RESPONSE] {
        for body in [
            "",
            "{",
            "[]",
            "\"x\"",
            "{}",
            r#"[{"query":"{hello}"}]"#,
            r#"{"query":7}"#,
        ] {
            let request = server.post(accept).body(body);
            let expected = (StatusCode::BAD_REQUEST, "BAD_REQUEST".to_owned());
            assert_eq!(refused(request).await, expected, "{body}");
        }
    }
}

#[tokio::test]
async fn bodies_that_a_browser_sends_anywhere_are_not_read() {
    let server = Server::start().await;
    let body = document("mutation { bump }");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "",
    ] {
        let request = server.client.post(server.url("/graphql"));
        let request = if kind.is_empty() {
            request
        } else {
            request.header(CONTENT_TYPE, kind)
        };
        let expected = (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE".to_owned(),
        );
        assert_eq!(
            refused(request.body(body.clone())).await,
            expected,
            "{kind}"
        );
    }
    server
        .until(|counters| counters.bumps.load(std::sync::atomic::Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn a_media_type_that_is_not_offered_is_not_acceptable() {
    let server = Server::start().await;
    let request = server.post("text/html").body(document("{ hello }"));
    let expected = (StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE".to_owned());
    assert_eq!(refused(request).await, expected);
}

#[tokio::test]
async fn get_runs_queries_only() {
    let server = Server::start().await;
    let get = |parameters: &[(&str, &str)]| {
        let url = reqwest::Url::parse_with_params(&server.url("/graphql"), parameters).unwrap();
        server.client.get(url).header("accept", GRAPHQL_RESPONSE)
    };
    let (status, body) = read(get(&[
        (
            "query",
            "query A($t: String) { echo(text: $t) } query B { hello }",
        ),
        ("operationName", "A"),
        ("variables", r#"{"t":"가"}"#),
    ]))
    .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["data"]["echo"], "Some(\"가\") 7 None None None");

    let response = get(&[("query", "mutation { bump }")]).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "POST");
    let (status, code) = refused(get(&[("variables", "{}")])).await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::BAD_REQUEST, "BAD_REQUEST")
    );
    assert_eq!(
        server
            .counters
            .bumps
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let server = Server::start().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let response = server
            .client
            .request(method, server.url("/graphql"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[ALLOW], "GET, POST");
    }
}

#[tokio::test]
async fn a_subscription_is_not_served_over_http() {
    let server = Server::start().await;
    let request = server
        .post(JSON)
        .body(document("subscription { countdown(from: 3) }"));
    assert_eq!(
        refused(request).await,
        (StatusCode::BAD_REQUEST, "BAD_REQUEST".to_owned())
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_one_just_below_is_not() {
    let server = Server::start().await;
    let padded = |length: usize| {
        let body = document("{ hello }");
        let padding = " ".repeat(length - body.len());
        format!("{body}{padding}")
    };
    let limit = 1024 * 1024;
    let (status, _) = read(server.post(JSON).body(padded(limit))).await;
    assert_eq!(status, StatusCode::OK);
    let expected = (
        StatusCode::PAYLOAD_TOO_LARGE,
        "PAYLOAD_TOO_LARGE".to_owned(),
    );
    assert_eq!(
        refused(server.post(JSON).body(padded(limit + 1))).await,
        expected
    );
}

#[tokio::test]
async fn who_asks_is_who_the_token_says() {
    let server = Server::start().await;
    let (_, body) = server.ask("{ context }").await;
    assert_eq!(body["data"]["context"], "nobody en");
    let response = server.ask_as(&token(7), "{ context }").await;
    let body: Json = response.json().await.unwrap();
    assert_eq!(
        body["data"]["context"],
        "00000000-0000-0000-0000-000000000007 en"
    );
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_a_401_and_nothing_runs() {
    let server = Server::start().await;
    for value in [
        "Bearer forged",
        "Bearer ",
        "Basic eDp5",
        "account-7",
        "Bearer",
    ] {
        let request = server.post(JSON).header(AUTHORIZATION, value);
        let response = request
            .body(document("mutation { bump }"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{value}");
        assert!(response.headers().contains_key(WWW_AUTHENTICATE));
        let body: Json = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    assert_eq!(
        server
            .counters
            .bumps
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn who_asks_can_not_be_found_out_while_a_part_is_away() {
    let server = Server::start().await;
    let response = server.ask_as("broken", "{ hello }").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(RETRY_AFTER));
    let text = response.text().await.unwrap();
    assert!(text.contains("\"retryable\":true"), "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn messages_are_in_the_language_that_is_asked_for() {
    let server = Server::start().await;
    let request = server
        .post(JSON)
        .header(ACCEPT_LANGUAGE, "ko-KR,ko;q=0.9,en;q=0.8");
    let (_, body) = read(request.body(document("{ context }"))).await;
    assert_eq!(body["data"]["context"], "nobody ko");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = Server::start().await;
    for body in [document("{ hello }"), document("{"), "x".to_owned()] {
        let response = server.post(JSON).body(body).send().await.unwrap();
        assert_eq!(
            response.headers()["x-request-id"],
            "00000000-0000-0000-0000-000000005eed"
        );
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn the_schema_is_shown_only_where_it_may_be() {
    let schema = "{ __schema { queryType { name } } }";
    let hidden =
        "query { ...Hidden } fragment Hidden on Query { t: __type(name: \"Query\") { name } }";
    let server = Server::start().await;
    assert_eq!(
        server.ask(schema).await.1["data"]["__schema"]["queryType"]["name"],
        "Query"
    );

    let mut options = Options::default();
    options.engine.introspection = false;
    let server = Server::with(options).await;
    for query in [schema, hidden] {
        let (status, code) = refused(server.post(GRAPHQL_RESPONSE).body(document(query))).await;
        assert_eq!(
            (status, code.as_str()),
            (StatusCode::BAD_REQUEST, "INTROSPECTION_DISABLED")
        );
    }
    assert_eq!(
        server.ask("{ __typename }").await.1["data"]["__typename"],
        "Query"
    );
}

#[tokio::test]
async fn a_syntax_error_says_what_and_where_and_does_not_repeat_the_document() {
    let server = Server::start().await;
    let query = format!("{{ hello }} }} # {}", "x".repeat(100_000));
    let (_, body) = server.ask(&query).await;
    let error = &body["errors"][0];
    assert_eq!(
        error["message"],
        "Syntax error: expected EOI or executable_definition."
    );
    assert_eq!(error["locations"], json!([{ "line": 1, "column": 11 }]));
}

#[tokio::test]
async fn no_name_is_suggested() {
    let server = Server::start().await;
    let (_, body) = server.ask("{ helo }").await;
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert!(!message.contains("hello"), "{message}");
}
