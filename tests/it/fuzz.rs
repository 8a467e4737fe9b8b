//! Whatever is sent to a running shop: it is answered, or refused by a type. Nothing panics, nothing is
//! the server's fault, and it is as well afterwards as it was before.

use std::fmt::Write;

use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::runtime::Runtime;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::almost::{almost, almost_text, corpus};
use crate::support::{Caller, Demo, Sale, Server, Shop, WEBHOOK_SECRET};

/// Sends as many cases as the environment asks for (`PROPTEST_CASES`), each of them to the end.
fn each<T: std::fmt::Debug>(
    runtime: &Runtime,
    cases: impl Strategy<Value = T>,
    send: impl AsyncFn(T) -> Result<(), String>,
) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let done = TestRunner::new(config).run(&cases, |case| {
        let sent = runtime.block_on(send(case));
        sent.map_err(TestCaseError::fail)
    });
    match done {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{why}: put it into the corpus: {case:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// A shop with something in it, and people who ask.
struct World {
    server: Server,
    people: Vec<Caller>,
    /// Ids of everything there is.
    ids: Vec<String>,
    _shop: Shop,
}

impl World {
    async fn open(shop: Shop) -> Self {
        let server = shop.start().await;
        let seller = server.sign_in(Demo::Seller).await;
        let buyer = server.sign_in(Demo::Customer).await;
        let admin = server.sign_in(Demo::Admin).await;
        let item = seller.sell(Sale::of(9)).await;
        let order = buyer.own(&item, 1).await;
        let page = "{ items(first: 1) { pageInfo { endCursor } } }";
        let page = buyer.ask(page, json!({})).await;
        let cursor = page["items"]["pageInfo"]["endCursor"].as_str().unwrap();
        let mut ids = corpus(include_str!("../fuzz/corpus/ids.txt"));
        ids.extend([item, order, cursor.to_owned()]);
        let people = vec![server.anybody(), buyer, seller, admin];
        Self {
            server,
            people,
            ids,
            _shop: shop,
        }
    }

    /// Sends a body as a request of the protocol; why the answer is none.
    async fn post(&self, who: usize, body: Vec<u8>) -> Result<(), String> {
        let caller = &self.people[who % self.people.len()];
        let request = caller.request(Method::POST, "/graphql");
        let request = request.header("content-type", "application/json");
        let answer = request.body(body).send().await.map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|e| e.to_string())?;
        let json: Value = serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
        let mut all = match &json {
            Value::Array(answers) => answers.iter().collect(),
            one => vec![one],
        }
        .into_iter();
        let is_typed = |answer: &Value| {
            let none = Vec::new();
            let errors = answer["errors"].as_array().unwrap_or(&none);
            let code = |error: &Value| error["extensions"]["code"].as_str().map(str::to_owned);
            let ours = |code: Option<String>| {
                code.is_none_or(|code| code == "INTERNAL" || code == "UNAVAILABLE")
            };
            (answer["data"].is_object() || !errors.is_empty()) && !errors.iter().map(code).any(ours)
        };
        if status < 500 && all.all(is_typed) {
            Ok(())
        } else {
            Err(format!("{status} {text}"))
        }
    }

    /// It is as well as before.
    async fn ends_well(self) {
        for (path, wanted) in [("/health/ready", "ready"), ("/health/live", "live")] {
            let request = self.people[0].request(Method::GET, path);
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["status"], wanted);
        }
        self.server.assert_calm();
        self.server.assert_clean().await;
    }
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

#[test]
fn a_document_is_executed_or_refused() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::new()));
    let documents = corpus(include_str!("../fuzz/corpus/documents.txt"));
    each(
        &runtime,
        (0_usize..4, almost_text(documents)),
        async |(who, document)| {
            let variables = json!({ "id": world.ids[0], "input": {}, "first": 1 });
            let body = json!({ "query": document, "variables": variables });
            world.post(who, body.to_string().into_bytes()).await
        },
    );
    runtime.block_on(world.ends_well());
}

#[test]
fn a_body_is_a_request_or_refused() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::new()));
    let bodies = corpus(include_str!("../fuzz/corpus/bodies.txt"));
    let bodies = bodies.into_iter().map(String::into_bytes).collect();
    each(
        &runtime,
        (0_usize..4, almost(bodies)),
        async |(who, body)| world.post(who, body).await,
    );
    runtime.block_on(world.ends_well());
}

#[test]
fn an_id_a_cursor_and_an_input_name_something_or_nothing() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::new()));
    let document = "query Q($id: ID!, $first: Int, $last: Int, $after: String, $before: String) {
        node(id: $id) { id } item(id: $id) { id } order(id: $id) { id }
        items(first: $first, last: $last, after: $after, before: $before) { nodes { id } } }";
    let mutation = "mutation M($id: ID!, $text: String!, $quantity: Int!) {
        placeOrder(input: { idempotencyKey: $text, lines: [{ itemId: $id, quantity: $quantity }] }) {
            order { id } userErrors { code } }
        payOrder(input: { orderId: $id, idempotencyKey: $text, paymentMethod: $text }) {
            order { id } userErrors { code } }
        addToWishlist(input: { itemId: $id, quantity: $quantity }) {
            entry { id } userErrors { code } } }";
    let text = || almost_text(world.ids.clone());
    let number = || prop_oneof![any::<i32>(), -2..200_i32];
    let cases = (
        (0_usize..4, text(), text(), text()),
        (
            number(),
            proptest::option::of(number()),
            proptest::option::of(number()),
        ),
    );
    each(
        &runtime,
        cases,
        async |((who, id, after, before), (quantity, first, last))| {
            let variables = json!({
                "id": id, "after": after, "before": before, "first": first, "last": last,
            });
            let body = json!({ "query": document, "variables": variables });
            world.post(who, body.to_string().into_bytes()).await?;
            let variables = json!({ "id": id, "text": after, "quantity": quantity });
            let body = json!({ "query": mutation, "variables": variables });
            world.post(who, body.to_string().into_bytes()).await
        },
    );
    runtime.block_on(world.ends_well());
}

#[test]
fn a_header_says_who_asks_or_is_refused() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::new()));
    let mut tokens = corpus(include_str!("../fuzz/corpus/tokens.txt"));
    tokens.extend(
        world
            .people
            .iter()
            .filter_map(Caller::token)
            .map(str::to_owned),
    );
    let (anybody, known) = (&world.people[0], tokens.clone());
    each(&runtime, almost_text(tokens), async |token| {
        let Ok(value) = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}")) else {
            return Ok(());
        };
        let body = json!({ "query": "{ viewer { profile { role } } }" });
        let request = anybody.request(Method::POST, "/graphql").json(&body);
        let request = request.header("authorization", value);
        let answer = request.send().await.map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|e| e.to_string())?;
        // Blanks around a token are not part of it.
        let is_theirs = known.iter().any(|known| known == token.trim());
        match (text.contains("\"role\""), status) {
            (false, 200 | 400 | 401) => Ok(()),
            (true, 200) if is_theirs => Ok(()),
            _ => Err(format!("{status} {text}")),
        }
    });
    runtime.block_on(world.ends_well());
}

/// Sends these on a socket of their own, and waits for its end.
async fn converse(url: &str, messages: &[Vec<u8>]) -> Result<(), String> {
    let mut request = url.into_client_request().map_err(|e| e.to_string())?;
    let protocol = "graphql-transport-ws".parse().unwrap();
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", protocol);
    let (mut stream, _) = connect_async(request).await.map_err(|e| e.to_string())?;
    for message in messages {
        let message = match String::from_utf8(message.clone()) {
            Ok(text) => Message::text(text),
            Err(bytes) => Message::binary(bytes.into_bytes()),
        };
        // The server may have had enough already.
        if stream.send(message).await.is_err() {
            break;
        }
    }
    let _ = stream.send(Message::Close(None)).await;
    let end = async {
        loop {
            match stream.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    let code = u16::from(frame.code);
                    let is_fault = code == 1011 || code == 4500;
                    return if is_fault {
                        Err(format!("closed: {frame:?}"))
                    } else {
                        Ok(())
                    };
                }
                Some(Ok(Message::Text(text))) => {
                    let _: Value =
                        serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            }
        }
    };
    let ended = tokio::time::timeout(crate::support::PATIENCE, end).await;
    ended.map_err(|_| "it never ends".to_owned())?
}

#[test]
fn a_message_on_a_socket_is_heard_or_ends_it() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::new()));
    let url = format!("{}/graphql", world.server.url().replacen("http", "ws", 1));
    let messages = corpus(include_str!("../fuzz/corpus/messages.txt"));
    let messages: Vec<_> = messages.into_iter().map(String::into_bytes).collect();
    let init = br#"{"type":"connection_init"}"#.to_vec();
    let cases = (
        any::<bool>(),
        proptest::collection::vec(almost(messages), 1..5),
    );
    each(&runtime, cases, async |(is_let_in, mut messages)| {
        if is_let_in {
            messages.insert(0, init.clone());
        }
        converse(&url, &messages).await
    });
    runtime.block_on(world.ends_well());
}

#[test]
fn a_webhook_is_a_hint_or_refused() {
    let runtime = runtime();
    let world = runtime.block_on(World::open(Shop::with_provider(&[])));
    let bodies = corpus(include_str!("../fuzz/corpus/webhooks.txt"));
    let signatures = vec![
        "t=@,v1=#".to_owned(),
        "t=@,v1=#,v1=#,v0=x".to_owned(),
        "v1=#".to_owned(),
        "t=,v1=".to_owned(),
        "t=9223372036854775807,v1=#".to_owned(),
    ];
    let anybody = &world.people[0];
    let cases = (almost_text(bodies), almost_text(signatures));
    each(&runtime, cases, async |(body, signature)| {
        let now = anybody.server_time().await.timestamp();
        let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
        mac.update(format!("{now}.{body}").as_bytes());
        let mac = mac
            .finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
        let signature = signature.replace('@', &now.to_string()).replace('#', &mac);
        let Ok(signature) = reqwest::header::HeaderValue::from_str(&signature) else {
            return Ok(());
        };
        let request = anybody.request(Method::POST, "/webhooks/payments");
        let request = request.header("Stripe-Signature", signature).body(body);
        let status = request.send().await.map_err(|e| e.to_string())?.status();
        if status.is_server_error() {
            return Err(status.to_string());
        }
        Ok(())
    });
    runtime.block_on(world.ends_well());
}
