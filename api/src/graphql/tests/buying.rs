//! Orders: placed, seen, paid, cancelled.

use std::sync::Arc;

use domain::account::Role;
use domain::item::Kind;
use domain::{AccountId, OrderId};
use serde_json::{Value, json};

use super::client::Client;
use super::world::World;
use crate::graphql::ids::GlobalId;

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id number state version placedAt paymentDueAt total { amount } refunds { id }
        payment { state } shipment { state } rejection
        lines { quantity unitPrice { amount } subtotal { amount } }
        actions { action allowed until refused { code } } }
    replayed serverTime userErrors { __typename code message field } } }";

const KEY: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

fn buyer(world: &Arc<World>) -> (AccountId, Client) {
    let me = world.add_account(5, Role::Customer);
    (me, Client::new(world).signed_in(me, Role::Customer))
}

fn line(number: u128, quantity: i64) -> Value {
    let id = super::world::item_id(number).to_global().to_string();
    json!({ "itemId": id, "quantity": quantity })
}

fn order(lines: &[Value]) -> Value {
    json!({ "input": { "idempotencyKey": KEY, "lines": lines } })
}

fn placed(answer: &Value) -> OrderId {
    OrderId::parse(&answer["placeOrder"]["order"]["id"].as_str().unwrap().into()).unwrap()
}

#[tokio::test]
async fn a_placed_order_is_answered_without_asking_the_ledger() {
    let world = World::new();
    world.add_item(1, 10, Kind::General);
    world.add_item(2, 10, Kind::General);
    let (_, client) = buyer(&world);
    let answer = client.data(PLACE, order(&[line(1, 2), line(2, 1)])).await;
    let payload = &answer["placeOrder"];
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["replayed"], false);
    let mut order = payload["order"].clone();
    assert_eq!(order["number"].as_str().unwrap().len(), 14);
    for varying in ["id", "number", "placedAt"] {
        order.as_object_mut().unwrap().remove(varying);
    }
    let refused = json!({ "code": "STATE_CONFLICT" });
    assert_eq!(
        order,
        json!({
            "state": "ACCEPTED",
            "version": 0,
            "paymentDueAt": null,
            "total": { "amount": "3004" },
            "refunds": [],
            "payment": null,
            "shipment": null,
            "rejection": null,
            "lines": [
                { "quantity": 2, "unitPrice": { "amount": "1001" }, "subtotal": { "amount": "2002" } },
                { "quantity": 1, "unitPrice": { "amount": "1002" }, "subtotal": { "amount": "1002" } },
            ],
            "actions": [
                { "action": "PAY", "allowed": false, "until": null, "refused": refused },
                { "action": "CANCEL", "allowed": false, "until": null, "refused": refused },
                { "action": "REQUEST_RETURN", "allowed": false, "until": null, "refused": refused },
            ],
        })
    );
    let asked =
        ["items", "reserve", "publish", "orders", "receipt", "levels"].map(|of| world.asked(of));
    assert_eq!(asked, [1, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_repeated_request_answers_the_order_as_it_is_now() {
    let world = World::new();
    world.add_item(1, 10, Kind::General);
    let (_, client) = buyer(&world);
    let first = client.data(PLACE, order(&[line(1, 2)])).await;
    for state in ["ACCEPTED", "PENDING_PAYMENT"] {
        let again = client.data(PLACE, order(&[line(1, 2)])).await;
        let payload = &again["placeOrder"];
        assert_eq!(payload["replayed"], true);
        assert_eq!(payload["order"]["id"], first["placeOrder"]["order"]["id"]);
        assert_eq!(payload["order"]["state"], state);
        world.write_order(placed(&first));
    }
    let other = client.data(PLACE, order(&[line(1, 3)])).await;
    let errors = &other["placeOrder"]["userErrors"];
    assert_eq!(other["placeOrder"]["order"], Value::Null);
    assert_eq!(errors[0]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(errors[0]["field"], json!(["idempotencyKey"]));
}

#[tokio::test]
async fn an_order_is_seen_from_acceptance_on_by_its_buyer_alone() {
    let world = World::new();
    world.add_item(1, 10, Kind::General);
    let (_, client) = buyer(&world);
    let answer = client.data(PLACE, order(&[line(1, 2)])).await;
    let id = json!({ "id": answer["placeOrder"]["order"]["id"] });
    let query = "query($id: ID!) { order(id: $id) { state } node(id: $id) { __typename } }";
    let seen = client.data(query, id.clone()).await;
    assert_eq!(
        seen,
        json!({ "order": { "state": "ACCEPTED" }, "node": { "__typename": "Order" } })
    );
    world.write_order(placed(&answer));
    let seen = client.data(query, id.clone()).await;
    assert_eq!(seen["order"]["state"], "PENDING_PAYMENT");

    let somebody = world.add_account(6, Role::Admin);
    let other = client.signed_in(somebody, Role::Admin);
    assert_eq!(
        other.data(query, id.clone()).await,
        json!({ "order": null, "node": null })
    );
    let mine = "{ viewer { orders(first: 5) { edges { node { state } } } } }";
    let orders = |data: Value| data["viewer"]["orders"]["edges"].as_array().unwrap().len();
    assert_eq!(orders(client.data(mine, json!({})).await), 1);
    assert_eq!(orders(other.data(mine, json!({})).await), 0);
}

#[tokio::test]
async fn the_items_of_a_long_order_are_one_question() {
    let world = World::new();
    for number in 1..=675 {
        world.add_item(number, 10, Kind::General);
    }
    let (_, client) = buyer(&world);
    let lines: Vec<Value> = (1..=675).map(|number| line(number, 1)).collect();
    let answer = client.data(PLACE, order(&lines)).await;
    let before = world.asked("items");
    let id = json!({ "id": answer["placeOrder"]["order"]["id"] });
    let query = "query($id: ID!) { order(id: $id) { lines { item { name price { amount } } } } }";
    let data = client.data(query, id).await;
    let lines = data["order"]["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 675);
    assert_eq!(
        lines[674]["item"],
        json!({ "name": "Item 675", "price": { "amount": "1675" } })
    );
    assert_eq!(world.asked("items") - before, 1);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_line() {
    let world = World::new();
    world.add_item(1, 1, Kind::General);
    let (_, client) = buyer(&world);
    let lines = [
        line(1, 0),
        line(1, -5),
        line(1, 1_000_001),
        json!({ "itemId": "order_00000000000000000000000001", "quantity": 1 }),
    ];
    let answer = client.data(PLACE, order(&lines)).await;
    let errors = answer["placeOrder"]["userErrors"].as_array().unwrap();
    let fields: Vec<&Value> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(
        fields,
        [
            &json!(["lines", "0", "quantity"]),
            &json!(["lines", "1", "quantity"]),
            &json!(["lines", "2", "quantity"]),
            &json!(["lines", "3", "itemId"]),
        ]
    );
    assert!(
        errors
            .iter()
            .all(|error| error["__typename"] == "InvalidInput")
    );
    assert_eq!(world.asked("items"), 0);

    let answer = client.data(PLACE, order(&[line(1, 1), line(9, 1)])).await;
    let errors = &answer["placeOrder"]["userErrors"];
    assert_eq!(errors[0]["code"], "NOT_FOUND");
    assert_eq!(errors[0]["field"], json!(["lines", "1", "itemId"]));
}

#[tokio::test]
async fn too_many_lines_are_one_refusal() {
    let world = World::new();
    let (_, client) = buyer(&world);
    for (count, rule) in [(0, "TOO_SHORT"), (1_001, "TOO_LONG")] {
        let lines = vec![json!({ "itemId": "x", "quantity": 0 }); count];
        let query = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
            order { id } userErrors { field ... on InvalidInput { rule bound } } } }";
        let answer = client.data(query, order(&lines)).await;
        let errors = answer["placeOrder"]["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0]["rule"], rule);
        assert_eq!(errors[0]["field"], json!(["lines"]));
    }
}

#[tokio::test]
async fn a_refusal_has_what_a_screen_needs_in_the_readers_language() {
    let world = World::new();
    world.add_item(1, 3, Kind::General);
    let (_, client) = buyer(&world);
    let query = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id }
        userErrors { code message field ... on OutOfStock { itemId available } } } }";
    let english = client.data(query, order(&[line(1, 4)])).await;
    let korean = client.in_korean().data(query, order(&[line(1, 4)])).await;
    let error = |message: &str| {
        json!([{
            "code": "OUT_OF_STOCK",
            "message": message,
            "field": ["lines", "0", "quantity"],
            "itemId": line(1, 4)["itemId"],
            "available": 3,
        }])
    };
    assert_eq!(english["placeOrder"]["userErrors"], error("Only 3 left."));
    assert_eq!(
        korean["placeOrder"]["userErrors"],
        error("남은 수량은 3개입니다.")
    );
}

#[tokio::test]
async fn an_order_is_paid_and_another_cancelled() {
    let world = World::new();
    world.add_item(1, 10, Kind::General);
    let (_, client) = buyer(&world);
    let placed_order = client.data(PLACE, order(&[line(1, 2)])).await;
    let id = &placed_order["placeOrder"]["order"]["id"];
    let pay = "mutation($input: PayOrderInput!) { payOrder(input: $input) {
        order { state version payment { state attempts { id number amount { amount } } }
            actions { action allowed } }
        replayed userErrors { code ... on TryAgain { retryAfterMs } ... on StateConflict { state allowed } } } }";
    let input =
        json!({ "input": { "orderId": id, "idempotencyKey": KEY, "paymentMethod": "tok" } });
    let early = client.data(pay, input.clone()).await;
    assert_eq!(
        early["payOrder"]["userErrors"],
        json!([{ "code": "TRY_AGAIN", "retryAfterMs": 200 }])
    );

    world.write_order(placed(&placed_order));
    let paying = client.data(pay, input.clone()).await;
    let shown = &paying["payOrder"]["order"];
    assert_eq!(
        (&shown["state"], &shown["version"]),
        (&json!("PAYING"), &json!(2))
    );
    assert_eq!(shown["payment"]["state"], "REQUESTED");
    let attempt = &shown["payment"]["attempts"][0];
    assert!(attempt["id"].as_str().unwrap().starts_with("payment_"));
    assert_eq!(attempt["amount"]["amount"], "2002");

    let cancel = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) {
        order { state } userErrors { code ... on StateConflict { state allowed } } } }";
    let input = json!({ "input": { "orderId": id, "idempotencyKey": KEY } });
    let refused = client.data(cancel, input.clone()).await;
    assert_eq!(
        refused["cancelOrder"],
        json!({
            "order": null,
            "userErrors": [{ "code": "STATE_CONFLICT", "state": "PAYING", "allowed": [] }],
        })
    );
    world.write_order(placed(&placed_order));
    let cancelled = client.data(cancel, input).await;
    assert_eq!(cancelled["cancelOrder"]["order"]["state"], "CANCELLED");
}

#[tokio::test]
async fn an_order_that_the_gate_may_have_forgotten_is_not_denied() {
    let world = World::new();
    world.add_item(1, 10, Kind::General);
    let (_, client) = buyer(&world);
    let placed_order = client.data(PLACE, order(&[line(1, 2)])).await;
    let id = &placed_order["placeOrder"]["order"]["id"];
    world.forget_receipts();

    let cancel = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) {
        userErrors { code ... on TryAgain { retryAfterMs } } } }";
    let input = json!({ "input": { "orderId": id, "idempotencyKey": KEY } });
    let answer = client.data(cancel, input).await;
    assert_eq!(
        answer["cancelOrder"]["userErrors"],
        json!([{ "code": "TRY_AGAIN", "retryAfterMs": 1_000 }])
    );
    let find = "query($id: ID!) { order(id: $id) { id } }";
    let answer = client.ask(find, json!({ "id": id })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}
