//! What one request may ask for: just below passes, above is refused, and quickly.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::limits::Limits;
use serde_json::{Value as Json, json};

use crate::client::{Options, Server};

async fn with(limits: Limits) -> Server {
    let mut options = Options::default();
    options.engine.limits = limits;
    Server::with(options).await
}

/// Asks, and insists on an answer within a second.
async fn ask(server: &Server, query: &str, variables: Json) -> (u16, Json) {
    let answer = tokio::time::timeout(Duration::from_secs(1), server.ask_with(query, variables));
    let (status, body) = answer.await.expect("the answer is quick");
    (status.as_u16(), body)
}

async fn passes(server: &Server, query: &str) {
    let (status, body) = ask(server, query, json!({})).await;
    assert_eq!((status, &body["errors"]), (200, &Json::Null), "{query}");
}

async fn refused(server: &Server, query: &str, code: &str) {
    let (status, body) = ask(server, query, json!({})).await;
    let shown = &query[..query.len().min(200)];
    assert_eq!(
        (status, &body["errors"][0]["extensions"]["code"]),
        (400, &json!(code)),
        "{shown}"
    );
    assert!(body.get("data").is_none());
    // And the server is as it was.
    passes(server, "{ hello }").await;
}

const EXCEEDED: &str = "LIMIT_EXCEEDED";
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

#[tokio::test]
async fn the_tools_introspection_query_passes() {
    let server = Server::start().await;
    // As deep as the tools' own: `getIntrospectionQuery` of graphql-js 17.
    let of_type = (0..9).fold(String::from("kind name"), |inner, _| {
        format!("kind name ofType {{ {inner} }}")
    });
    passes(
        &server,
        &format!(
            "query IntrospectionQuery {{ __schema {{ queryType {{ name kind }} types {{ ...Full }}
               directives {{ name locations args(includeDeprecated: true) {{ ...Input }} }} }} }}
             fragment Full on __Type {{ kind name description fields(includeDeprecated: true) {{
               name args {{ ...Input }} type {{ ...Ref }} isDeprecated }} }}
             fragment Input on __InputValue {{ name type {{ ...Ref }} defaultValue }}
             fragment Ref on __Type {{ {of_type} }}"
        ),
    )
    .await;
}

#[tokio::test]
async fn bytes_of_a_document() {
    let server = with(Limits {
        document_bytes: 40,
        ..Limits::default()
    })
    .await;
    let padded = |length: usize| format!("{{ hello }} #{}", "x".repeat(length - 11));
    passes(&server, &padded(40)).await;
    refused(&server, &padded(41), EXCEEDED).await;
}

#[tokio::test]
async fn tokens() {
    let server = with(Limits {
        tokens: 20,
        ..Limits::default()
    })
    .await;
    passes(&server, &format!("{{ {} }}", "hello ".repeat(18))).await;
    refused(&server, &format!("{{ {} }}", "hello ".repeat(19)), EXCEEDED).await;
}

#[tokio::test]
async fn brackets() {
    let server = Server::start().await;
    refused(&server, &"{hello".repeat(800), EXCEEDED).await;
    refused(
        &server,
        &format!("{{ echo(text: {}", "[".repeat(4_500)),
        EXCEEDED,
    )
    .await;
    refused(
        &server,
        &format!("query($a: {}Int) {{ hello }}", "[".repeat(4_500)),
        EXCEEDED,
    )
    .await;
    // Brackets that only a sloppy reader of strings would overlook.
    let hidden = format!("{{ echo(text: [\"\"\"x\" {}", "[".repeat(4_500));
    refused(&server, &hidden, "GRAPHQL_PARSE_FAILED").await;
}

#[tokio::test]
async fn depth() {
    let nested = |depth: usize| {
        let inner = "itself { ".repeat(depth - 2);
        format!("{{ thing {{ {inner} name {} }} }}", "}".repeat(depth - 2))
    };
    let server = Server::start().await;
    passes(&server, &nested(16)).await;
    refused(&server, &nested(17), EXCEEDED).await;
    // Through fragments, each of them flat.
    let mut chained = String::from("{ thing { ...F0 } }");
    for n in 0..20 {
        let _ = write!(
            chained,
            " fragment F{n} on Thing {{ itself {{ ...F{} }} }}",
            n + 1
        );
    }
    chained.push_str(" fragment F20 on Thing { name }");
    refused(&server, &chained, EXCEEDED).await;
}

#[tokio::test]
async fn inline_fragments_within_each_other() {
    let nested = |levels: usize| {
        let inner = "... { ".repeat(levels);
        format!("{{ {inner} hello {} }}", "}".repeat(levels))
    };
    let server = Server::start().await;
    passes(&server, &nested(29)).await;
    refused(&server, &nested(30), EXCEEDED).await;
}

#[tokio::test]
async fn fragment_bombs() {
    let bomb = |leaf: &str| {
        let mut bomb = String::from("{ thing { ...F0 } }");
        for n in 0..25 {
            let _ = write!(bomb, " fragment F{n} on Thing {{ ...F{0} ...F{0} }}", n + 1);
        }
        bomb + leaf
    };
    let server = Server::start().await;
    refused(&server, &bomb(" fragment F25 on Thing { name }"), EXCEEDED).await;
    // The last fragment is missing: nothing is selected, and it would take as long to find out.
    refused(&server, &bomb(""), EXCEEDED).await;
}

#[tokio::test]
async fn fragments_that_spread_themselves() {
    let server = Server::start().await;
    refused(
        &server,
        "{ ...A } fragment A on Query { hello ...A }",
        INVALID,
    )
    .await;
    refused(
        &server,
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
        INVALID,
    )
    .await;
    refused(&server, "{ hello } fragment A on Query { ...A }", INVALID).await;
    refused(&server, "{ hello } fragment A on Query { hello }", INVALID).await;
}

#[tokio::test]
async fn aliases() {
    let server = with(Limits {
        aliases: 3,
        ..Limits::default()
    })
    .await;
    passes(&server, "{ a: hello thing { b: name c: name } }").await;
    refused(
        &server,
        "{ a: hello thing { b: name c: name d: name } }",
        EXCEEDED,
    )
    .await;
    refused(
        &server,
        "{ thing { ...F } maybeThing { ...F } } fragment F on Thing { b: name c: name }",
        EXCEEDED,
    )
    .await;
}

#[tokio::test]
async fn fields_at_the_top() {
    let server = with(Limits {
        root_fields: 2,
        ..Limits::default()
    })
    .await;
    passes(
        &server,
        "{ hello ...F } fragment F on Query { thing { name slowName } }",
    )
    .await;
    refused(
        &server,
        "{ hello ...F } fragment F on Query { a: hello b: hello }",
        EXCEEDED,
    )
    .await;
}

#[tokio::test]
async fn directives() {
    let server = with(Limits {
        directives: 2,
        ..Limits::default()
    })
    .await;
    passes(&server, "{ hello @include(if: true) @skip(if: false) }").await;
    refused(
        &server,
        "{ hello @include(if: true) @skip(if: false) thing @skip(if: false) { name } }",
        EXCEEDED,
    )
    .await;
}

#[tokio::test]
async fn complexity_follows_the_variables_of_each_request() {
    let server = with(Limits {
        complexity: 100,
        ..Limits::default()
    })
    .await;
    let query = "query($n: Int!) { many(first: $n) { name } }";
    for _ in 0..2 {
        assert_eq!(ask(&server, query, json!({ "n": 100 })).await.0, 200);
        let (status, body) = ask(&server, query, json!({ "n": 101 })).await;
        assert_eq!(
            (status, &body["errors"][0]["extensions"]["code"]),
            (400, &json!(EXCEEDED))
        );
    }
}

#[tokio::test]
async fn errors_in_one_answer() {
    let server = with(Limits {
        errors: 3,
        ..Limits::default()
    })
    .await;
    let (_, body) = ask(&server, "{ a b c d e f }", json!({})).await;
    let errors = body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[3]["message"], "3 more errors are not listed.");

    let (_, body) = ask(
        &server,
        "{ thing { a: maybeName b: maybeName c: maybeName d: maybeName } }",
        json!({}),
    )
    .await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 4);
    assert_eq!(
        body["data"]["thing"],
        json!({ "a": null, "b": null, "c": null, "d": null })
    );
}

#[tokio::test]
async fn a_mutations_field_runs_once() {
    let server = Server::start().await;
    refused(
        &server,
        "mutation { bumpThing { name } bumpThing { slowName } }",
        INVALID,
    )
    .await;
    refused(
        &server,
        "mutation { bumpThing { name } ...F } fragment F on Mutation { bumpThing { name } }",
        INVALID,
    )
    .await;
    assert_eq!(server.counters.bumps.load(Ordering::SeqCst), 0);
    passes(&server, "mutation { a: bump b: bump }").await;
    assert_eq!(server.counters.bumps.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn other_operations_in_a_document_do_not_disturb() {
    let server = Server::start().await;
    let query = "query A { hello }
        query B($n: Int!) { many(first: $n) { ...L } }
        fragment L on Leaf { name }";
    for _ in 0..2 {
        for (name, variables, status) in [
            ("A", json!({}), 200),
            ("B", json!({ "n": 1 }), 200),
            ("B", json!({}), 400),
        ] {
            let body = json!({ "query": query, "operationName": name, "variables": variables })
                .to_string();
            let (answered, body) =
                crate::client::read(server.post(crate::client::GRAPHQL_RESPONSE).body(body)).await;
            assert_eq!(answered.as_u16(), status, "{name} {body}");
        }
    }
}

/// Before the document is known and after: what is kept skips validation, not the variables.
#[tokio::test]
async fn input_values_are_checked_before_anything_runs() {
    let server = Server::start().await;
    let query = "query($number: Int, $id: ID, $colour: Colour, $input: ThingInput) {
        echo(number: $number, id: $id, colour: $colour, input: $input) }";
    for _ in 0..2 {
        for (variables, said) in [
            (
                json!({ "number": "1" }),
                "The variable \"$number\": expected Int, found a string.",
            ),
            (
                json!({ "number": 1.5 }),
                "expected Int, found a number with a fraction.",
            ),
            (
                json!({ "number": 3_000_000_000_i64 }),
                "expected Int, found a number beyond 32 bits.",
            ),
            (json!({ "number": [1, 2] }), "expected Int, found a list."),
            (json!({ "id": 1.5 }), "expected ID"),
            (json!({ "id": true }), "expected ID, found a boolean."),
            (
                json!({ "colour": "BLUE" }),
                "expected Colour, found a string that is not one.",
            ),
            (json!({ "input": "x" }), "expected ThingInput"),
            (
                json!({ "input": {} }),
                "ThingInput needs the field \"name\".",
            ),
            (
                json!({ "input": { "name": null } }),
                "$input\".name: String! can't be null.",
            ),
            (
                json!({ "input": { "name": "x", "size": 1 } }),
                "ThingInput has no field \"size\".",
            ),
            (
                json!({ "input": { "name": "x", "tags": ["a", 1] } }),
                "The variable \"$input\".tags[1]: expected String, found a number.",
            ),
        ] {
            let (status, body) = ask(&server, query, variables.clone()).await;
            assert_eq!(status, 400, "{variables} {body}");
            assert!(body.get("data").is_none());
            assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
            let message = body["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(said), "{message}");
        }
        let fine = json!({ "number": -3, "id": 7, "colour": "RED", "input": { "name": "n", "tags": "t" } });
        let (status, body) = ask(&server, query, fine).await;
        assert_eq!(status, 200);
        assert_eq!(
            body["data"]["echo"],
            r#"None -3 Some("7") Some("red") Some(("n", 1, Some(["t"])))"#
        );
    }
    for literal in [
        "number: 3000000000",
        "number: \"1\"",
        "colour: BLUE",
        "input: \"x\"",
        "input: { name: \"x\", count: 3000000000 }",
        "input: { name: 1 }",
    ] {
        refused(&server, &format!("{{ echo({literal}) }}"), INVALID).await;
    }
}
