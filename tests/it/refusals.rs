//! Whatever should not be asked for gets a clear *no*, and moves nothing.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::support::{Caller, Closed, Demo, Sale, Server, Shop, Socket, codes, fresh_key, line};

/// An item with stock that must not move.
pub struct Untouched {
    _shop: Shop,
    pub server: Server,
    pub buyer: Caller,
    pub item: String,
    stock: Value,
}

impl Untouched {
    pub async fn of(shop: Shop) -> Self {
        let server = shop.start().await;
        let item = server.sign_in(Demo::Seller).await.sell(Sale::of(50)).await;
        let buyer = server.sign_in(Demo::Customer).await;
        let stock = buyer.item(&item).await["stock"].clone();
        Self {
            _shop: shop,
            server,
            buyer,
            item,
            stock,
        }
    }

    /// Not even the version of the stock has moved.
    pub async fn assert_untouched(&self) {
        let item = self.server.anybody().item(&self.item).await;
        assert_eq!(item["stock"], self.stock);
        self.server.assert_clean().await;
    }
}

pub const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id } userErrors { code } } }";

/// A body as it is, and the status and code it is refused with.
async fn send(caller: &Caller, content_type: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let request = caller
        .request(Method::POST, "/graphql")
        .header("Accept", "application/graphql-response+json")
        .header(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())
        .body(body);
    read(request).await
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer.get("data"), None, "{answer}");
    (status, answer["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn malformed_requests_are_refused_by_their_kind() {
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched { buyer, item, .. } = &untouched;
    let place = json!({
        "query": PLACE,
        "variables": { "input": { "idempotencyKey": fresh_key(), "lines": [line(item, 1)] } },
    });
    let document = |query: &str| json!({ "query": query }).to_string();
    let nested = format!("{{ a{} }}", "{ a".repeat(200) + &"}".repeat(200));
    let deep = format!("{{ items(first: 1) {} }}", deep_selection(20));
    let aliases: Vec<String> = (0..200).map(|n| format!("a{n}: serverTime")).collect();
    let aliases = aliases.join(" ");
    let cut = &place.to_string()[..60];
    for (body, status, expected) in [
        (document("{ serverTime"), 400, "GRAPHQL_PARSE_FAILED"),
        (document(""), 400, "GRAPHQL_PARSE_FAILED"),
        (document("{ nothing }"), 400, "GRAPHQL_VALIDATION_FAILED"),
        (
            document("mutation { placeOrder { order { id } } }"),
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            document("query A { serverTime } query B { serverTime }"),
            400,
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (document(&nested), 400, "LIMIT_EXCEEDED"),
        (document(&deep), 400, "LIMIT_EXCEEDED"),
        (document(&format!("{{ {aliases} }}")), 400, "LIMIT_EXCEEDED"),
        (cut.to_owned(), 400, "BAD_REQUEST"),
        (String::new(), 400, "BAD_REQUEST"),
        ("{}".to_owned(), 400, "BAD_REQUEST"),
        (format!("[{place}]"), 400, "BAD_REQUEST"),
    ] {
        let (got, code) = send(buyer, "application/json", body.clone()).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!((got, &code), (status, &json!(expected)), "{shown}");
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ] {
        let (status, code) = send(buyer, content_type, place.to_string()).await;
        assert_eq!(status, 415, "{content_type}");
        assert_eq!(code, "UNSUPPORTED_MEDIA_TYPE");
    }
    let by_get = buyer.request(Method::GET, "/graphql").query(&[
        ("query", PLACE),
        ("variables", &place["variables"].to_string()),
    ]);
    let accept = "application/graphql-response+json";
    let (status, code) = read(by_get.header("Accept", accept)).await;
    assert_eq!((status, code), (405, json!("METHOD_NOT_ALLOWED")));
    let (status, code) = read(buyer.request(Method::DELETE, "/graphql")).await;
    assert_eq!((status, code), (405, json!("METHOD_NOT_ALLOWED")));
    untouched.assert_untouched().await;
}

/// Selections within selections that the schema has.
fn deep_selection(levels: usize) -> String {
    let mut selection = "{ __typename }".to_owned();
    for _ in 0..levels {
        selection = format!("{{ edges {{ node {{ ... on Item {selection} }} }} }}");
    }
    selection
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused() {
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched { buyer, item, .. } = &untouched;
    let input = json!({ "idempotencyKey": fresh_key(), "lines": [line(item, 1)] });
    let body = json!({
        "query": PLACE,
        "variables": { "input": input },
        "extensions": { "filler": "x".repeat(10_000_000) },
    });
    let body = body.to_string();
    // Every time, however far the client has come with sending it.
    for _ in 0..10 {
        let (status, code) = send(buyer, "application/json", body.clone()).await;
        assert_eq!((status, code), (413, json!("PAYLOAD_TOO_LARGE")));
    }
    untouched.assert_untouched().await;
}

#[tokio::test]
async fn tokens_are_ours_and_of_now() {
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched {
        server,
        buyer,
        item,
        ..
    } = &untouched;
    let place = json!({
        "query": PLACE,
        "variables": { "input": { "idempotencyKey": fresh_key(), "lines": [line(item, 1)] } },
    })
    .to_string();
    let good = buyer.token().unwrap();
    let [head, claims, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).unwrap();
    let other_shop = Shop::new();
    let elsewhere = other_shop.start().await.sign_in(Demo::Customer).await;
    let admin = server.sign_in(Demo::Admin).await;
    let admin_claims = admin.token().unwrap().split('.').nth(1).unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let first = signature.chars().next().unwrap();
    let flipped = if first == 'A' { 'B' } else { 'A' };
    for forged in [
        "garbage".to_owned(),
        format!("{head}.{claims}."),
        format!("{head}.{claims}.{flipped}{}", &signature[1..]),
        format!("{head}.{admin_claims}.{signature}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        elsewhere.token().unwrap().to_owned(),
    ] {
        let forger = server.bearer(&forged);
        let (status, code) = send(&forger, "application/json", place.clone()).await;
        assert_eq!((status, code), (401, json!("UNAUTHENTICATED")), "{forged}");
        let closed = Socket::open(&forger).await.closed().await;
        assert_eq!(closed, Closed(Some(4403)), "{forged}");
    }
    untouched.assert_untouched().await;
}

#[tokio::test]
async fn a_token_ends_and_so_does_its_socket() {
    let untouched = Untouched::of(Shop::with(&[("ACCOUNTS__ACCESS", "2s")])).await;
    let Untouched { server, item, .. } = &untouched;
    let buyer = server.sign_in(Demo::Customer).await;
    let mut socket = Socket::stock_changed(&buyer, &[item]).await;
    assert_eq!(socket.next().await["stock"]["available"], 50);
    // The server closes it at the moment at which the token ends.
    assert_eq!(socket.closed().await, Closed(Some(4403)));

    let place = json!({
        "query": PLACE,
        "variables": { "input": { "idempotencyKey": fresh_key(), "lines": [line(item, 1)] } },
    });
    let (status, code) = send(&buyer, "application/json", place.to_string()).await;
    assert_eq!((status, code), (401, json!("UNAUTHENTICATED")));
    let closed = Socket::open(&buyer).await.closed().await;
    assert_eq!(closed, Closed(Some(4403)));
    untouched.assert_untouched().await;
}

#[tokio::test]
async fn refusals_can_be_read_in_korean() {
    let untouched = Untouched::of(Shop::new()).await;
    let Untouched { buyer, item, .. } = &untouched;
    let place = async |language: &'static str, quantity: i64| {
        let document = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
            order { id } userErrors { code message } } }";
        let lines = [line(item, quantity)];
        let input = json!({ "idempotencyKey": fresh_key(), "lines": lines });
        let request = buyer
            .request(Method::POST, "/graphql")
            .header("Accept-Language", language)
            .json(&json!({ "query": document, "variables": { "input": input } }));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let payload = &answer["data"]["placeOrder"];
        let message = payload["userErrors"][0]["message"].clone();
        (codes(payload)[0].to_owned(), message)
    };
    for quantity in [51, 0] {
        let (code, english) = place("en", quantity).await;
        let (same, korean) = place("ko-KR,ko;q=0.9,en;q=0.5", quantity).await;
        assert_eq!(code, same);
        let english = english.as_str().unwrap();
        let korean = korean.as_str().unwrap();
        let is_hangul = |c: char| ('가'..='힣').contains(&c);
        assert!(korean.contains(is_hangul), "{korean}");
        assert!(!english.contains(is_hangul), "{english}");
    }
    untouched.assert_untouched().await;
}
