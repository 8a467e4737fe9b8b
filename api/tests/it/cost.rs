//! What an answer says of what was asked for, and the sizes of what is sent.

use api::limits::Limits;
use serde_json::{Value as Json, json};

use crate::client::{Options, Server};
use crate::socket::client::Socket;

async fn with(limits: Limits) -> Server {
    let mut options = Options::default();
    options.engine.limits = limits;
    Server::with(options).await
}

async fn cost(server: &Server, query: &str, variables: Json) -> Json {
    let (_, body) = server.ask_with(query, variables).await;
    body["extensions"]["cost"].clone()
}

#[tokio::test]
async fn every_answer_tells_what_was_reckoned_and_what_may_be() {
    let server = with(Limits {
        complexity: 100,
        ..Limits::default()
    })
    .await;
    let is = |reckoned: u32| json!({ "reckoned": reckoned, "limit": 100 });
    for _ in 0..2 {
        assert_eq!(cost(&server, "{ hello }", json!({})).await, is(1));
        let fixed = "query($t: String) { echo(text: $t) thing { name } }";
        assert_eq!(cost(&server, fixed, json!({ "t": "x" })).await, is(3));
        assert_eq!(cost(&server, "mutation { bump }", json!({})).await, is(1));
        // By the variables of each request, the first time and every other.
        let sized = "query($n: Int! = 7) { many(first: $n) { name } }";
        assert_eq!(cost(&server, sized, json!({ "n": 50 })).await, is(50));
        assert_eq!(cost(&server, sized, json!({})).await, is(7));
        assert_eq!(cost(&server, sized, json!({ "n": 101 })).await, is(101));
        let nested =
            "query($n: Int!) { ...Many } fragment Many on Query { many(first: $n) { name } }";
        assert_eq!(cost(&server, nested, json!({ "n": 3 })).await, is(3));
        assert_eq!(cost(&server, nested, json!({ "n": 4 })).await, is(4));
    }
    // What failed while it was executed was reckoned too.
    assert_eq!(
        cost(&server, "{ maybeNothing { name } }", json!({})).await,
        is(2)
    );

    let mut socket = Socket::ready(&server).await;
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.hear().await["payload"]["extensions"]["cost"], is(1));
    assert_eq!(socket.hear().await["type"], "complete");
    socket
        .subscribe("2", "subscription { countdown(from: 2) }")
        .await;
    assert_eq!(socket.hear().await["payload"]["extensions"]["cost"], is(1));
    let second = socket.hear().await;
    assert_eq!(second["payload"], json!({ "data": { "countdown": 1 } }));
}

#[tokio::test]
async fn lists_have_so_many_entries() {
    let server = with(Limits {
        list_items: 5,
        ..Limits::default()
    })
    .await;
    let query = "query($input: ThingInput) { echo(input: $input) }";
    let tags = |count: usize| json!({ "input": { "name": "n", "tags": vec!["t"; count] } });
    let literal = |count: usize| {
        let tags = "\"t\" ".repeat(count);
        format!("{{ echo(input: {{ name: \"n\", tags: [{tags}] }}) }}")
    };
    let default = |count: usize| {
        let tags = "\"t\" ".repeat(count);
        format!("query($t: [String!] = [{tags}]) {{ echo(input: {{ name: \"n\", tags: $t }}) }}")
    };
    for _ in 0..2 {
        for (query, variables, status) in [
            (query, tags(5), 200),
            (query, tags(6), 400),
            (&literal(5), json!({}), 200),
            (&literal(6), json!({}), 400),
            (&default(5), json!({}), 200),
            (&default(6), json!({}), 400),
        ] {
            let (answered, body) = server.ask_with(query, variables.clone()).await;
            assert_eq!(answered.as_u16(), status, "{query} {variables} {body}");
            if status == 400 {
                let said = &body["errors"][0];
                assert_eq!(said["extensions"]["code"], "LIMIT_EXCEEDED");
                assert_eq!(
                    said["message"],
                    "A list has 6 entries; at most 5 are taken."
                );
            }
        }
    }
}

#[tokio::test]
async fn json_has_so_many_brackets_within_brackets() {
    let server = with(Limits {
        json_depth: 8,
        ..Limits::default()
    })
    .await;
    // The body's own, those of `variables`, and so many more.
    let body = |more: usize| {
        let nested = format!("{}{}", "[".repeat(more), "]".repeat(more));
        format!(r#"{{"query":"{{ hello }}","variables":{{"x":{nested}}}}}"#)
    };
    for (more, status) in [(6, 200), (7, 400), (500_000, 400)] {
        let answer = server.post("*/*").body(body(more)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        if status == 400 {
            let answer: Json = answer.json().await.unwrap();
            let said = answer["errors"][0]["message"].as_str().unwrap();
            assert_eq!(said, "The JSON has more than 8 brackets open at once.");
        }
    }
    let (status, _) = server.ask("{ hello }").await;
    assert_eq!(status.as_u16(), 200);

    let mut socket = Socket::ready(&server).await;
    socket
        .say(&json!({ "type": "ping", "payload": { "a": [[[[[[1]]]]]] } }))
        .await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket
        .say(&json!({ "type": "ping", "payload": { "a": [[[[[[[1]]]]]]] } }))
        .await;
    assert_eq!(socket.closed().await, 4400);
}
