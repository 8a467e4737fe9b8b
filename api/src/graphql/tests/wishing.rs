//! Orders from wishlist entries.

use std::sync::Arc;

use domain::account::Role;
use domain::item::Kind;
use domain::{AccountId, OrderId, WishlistEntryId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::Client;
use super::world::{World, account_id, item_id};
use crate::graphql::ids::GlobalId;

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id state total { amount } lines { quantity } }
    replayed userErrors { code field ... on InvalidInput { rule bound }
        ... on OutOfStock { itemId available }
        ... on TryAgain { retryAfterMs } } } }";

const KEY: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

/// A shop of three items with ten units each, and a customer who wishes for one, two and three.
fn shop() -> (Arc<World>, AccountId, Client) {
    let world = World::new();
    let me = world.add_account(5, Role::Customer);
    for number in 1..=3 {
        let item = world.add_item(number, 10, Kind::General);
        world.wish(number, me, item, number.try_into().unwrap());
    }
    let client = Client::new(&world).signed_in(me, Role::Customer);
    (world, me, client)
}

fn entry(number: u128) -> String {
    WishlistEntryId(Uuid::from_u128(number))
        .to_global()
        .to_string()
}

async fn place(client: &Client, entries: &[u128]) -> Value {
    let entries: Vec<String> = entries.iter().copied().map(entry).collect();
    let input = json!({ "idempotencyKey": KEY, "wishlistEntryIds": entries });
    place_input(client, input).await
}

async fn place_input(client: &Client, input: Value) -> Value {
    let mut data = client.data(PLACE, json!({ "input": input })).await;
    data["placeOrder"].take()
}

fn quantities(payload: &Value) -> Vec<i64> {
    let lines = payload["order"]["lines"].as_array().unwrap().iter();
    lines
        .map(|line| line["quantity"].as_i64().unwrap())
        .collect()
}

fn id_of(payload: &Value) -> OrderId {
    OrderId::parse(&payload["order"]["id"].as_str().unwrap().into()).unwrap()
}

#[tokio::test]
async fn entries_become_lines_in_the_order_of_the_input() {
    let (world, _, client) = shop();
    let payload = place(&client, &[3, 1]).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(
        (&payload["order"]["state"], &payload["replayed"]),
        (&json!("ACCEPTED"), &json!(false))
    );
    assert_eq!(quantities(&payload), [3, 1]);
    assert_eq!(payload["order"]["total"]["amount"], "4010");
    let asked = ["wishes", "items", "reserve", "publish", "orders", "receipt"];
    assert_eq!(asked.map(|of| world.asked(of)), [1, 1, 1, 1, 0, 0]);
}

#[tokio::test]
async fn the_same_entries_are_the_same_order_whatever_became_of_them() {
    let (world, me, client) = shop();
    let first = place(&client, &[1, 2]).await;
    let again = async |what: &str| {
        let payload = place(&client, &[1, 2]).await;
        assert_eq!(payload["userErrors"], json!([]), "{what}");
        assert_eq!(payload["replayed"], true, "{what}");
        assert_eq!(payload["order"]["id"], first["order"]["id"], "{what}");
        assert_eq!(quantities(&payload), [1, 2], "{what}");
    };
    again("nothing").await;
    world.wish(2, me, item_id(2), 7);
    again("changed").await;
    world.wishes.lock().unwrap().clear();
    again("removed").await;
    world.write_order(id_of(&first));
    again("written").await;
    world.forget_receipts();
    again("forgotten by the gate").await;
    let units = [1, 2, 3].map(|number| world.available(item_id(number)));
    assert_eq!(units, [9, 8, 10]);
}

#[tokio::test]
async fn other_entries_or_lines_under_the_key_are_another_request() {
    let (world, _, client) = shop();
    let first = place(&client, &[1, 2]).await;
    let others = async |what: &str| {
        let item = item_id(1).to_global().to_string();
        let lines = json!([{ "itemId": item, "quantity": 1 }]);
        let lines = json!({ "idempotencyKey": KEY, "lines": lines });
        for payload in [
            place(&client, &[2, 1]).await,
            place(&client, &[1]).await,
            place(&client, &[1, 2, 3]).await,
            place(&client, &[1, 3]).await,
            place_input(&client, lines).await,
        ] {
            let refused =
                json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "field": ["idempotencyKey"] }]);
            assert_eq!(payload["userErrors"], refused, "{what}");
        }
    };
    others("accepted").await;
    world.write_order(id_of(&first));
    others("written").await;
    world
        .wishes
        .lock()
        .unwrap()
        .retain(|id, _| id.0.as_u128() == 3);
    others("cleared").await;
    let units = [1, 2, 3].map(|number| world.available(item_id(number)));
    assert_eq!(units, [9, 8, 10]);
}

#[tokio::test]
async fn what_is_not_on_the_list_refuses_all_of_it() {
    let (world, _, client) = shop();
    world.wish(4, account_id(6), item_id(1), 1);
    let payload = place(&client, &[1, 4, 2, 9]).await;
    let refused =
        ["1", "3"].map(|at| json!({ "code": "NOT_FOUND", "field": ["wishlistEntryIds", at] }));
    assert_eq!(payload["userErrors"], json!(refused));
    let payload = place(&client, &[1, 2, 1, 2]).await;
    let refused = ["2", "3"].map(|at| {
        json!({
            "code": "INVALID_INPUT", "field": ["wishlistEntryIds", at], "rule": "REPEATED",
            "bound": null,
        })
    });
    assert_eq!(payload["userErrors"], json!(refused));
    assert_eq!(world.asked("reserve"), 0);
}

#[tokio::test]
async fn a_refusal_names_the_entry_and_its_item() {
    let (world, me, client) = shop();
    world.wish(2, me, item_id(2), 11);
    let payload = place(&client, &[1, 2]).await;
    let item = item_id(2).to_global();
    assert_eq!(
        payload["userErrors"],
        json!([{
            "code": "OUT_OF_STOCK", "field": ["wishlistEntryIds", "1"], "itemId": item,
            "available": 10,
        }])
    );
    assert_eq!(world.available(item_id(1)), 10);
}

#[tokio::test]
async fn exactly_one_of_lines_and_entries_is_given() {
    let (world, _, client) = shop();
    let item = item_id(1).to_global().to_string();
    let lines = json!([{ "itemId": item, "quantity": 1 }]);
    let entries = json!([entry(1)]);
    for (lines, entries) in [(&Value::Null, &Value::Null), (&lines, &entries)] {
        let input = json!({ "idempotencyKey": KEY, "lines": lines, "wishlistEntryIds": entries });
        let payload = place_input(&client, input).await;
        let refused = json!([{
            "code": "INVALID_INPUT", "field": null, "rule": "EXACTLY_ONE", "bound": null,
        }]);
        assert_eq!(payload["userErrors"], refused);
    }
    let missing = place_input(&client, json!({ "idempotencyKey": KEY })).await;
    assert_eq!(missing["userErrors"][0]["rule"], "EXACTLY_ONE");
    let null_beside = json!({ "idempotencyKey": KEY, "lines": lines, "wishlistEntryIds": null });
    assert_eq!(
        place_input(&client, null_beside).await["userErrors"],
        json!([])
    );

    let of = |entries: &[String]| json!({ "idempotencyKey": KEY, "wishlistEntryIds": entries });
    for (entries, rule, bound) in [(0, "TOO_SHORT", "1"), (1_001, "TOO_LONG", "1000")] {
        let payload = place_input(&client, of(&vec!["no id".to_owned(); entries])).await;
        let refused = json!([{
            "code": "INVALID_INPUT", "field": ["wishlistEntryIds"], "rule": rule, "bound": bound,
        }]);
        assert_eq!(payload["userErrors"], refused);
    }
    let payload = place_input(&client, of(&[entry(1), item])).await;
    let error = &payload["userErrors"][0];
    assert_eq!(error["field"], json!(["wishlistEntryIds", "1"]));
    assert_eq!(error["rule"], "ID");
    assert_eq!(world.asked("reserve"), 1);
}

#[tokio::test]
async fn a_gate_that_may_have_forgotten_is_not_sure_of_cleared_entries() {
    let (world, _, client) = shop();
    let first = place(&client, &[1]).await;
    assert_eq!(first["userErrors"], json!([]));
    world.wishes.lock().unwrap().clear();
    world.forget_receipts();
    let payload = place(&client, &[1]).await;
    let refused = json!([{ "code": "TRY_AGAIN", "field": null, "retryAfterMs": 500 }]);
    assert_eq!(payload["userErrors"], refused);
}
