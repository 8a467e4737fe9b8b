//! Items: created, edited, restocked, scheduled.

use std::sync::Arc;

use domain::account::Role;
use domain::item::Kind;
use serde_json::{Value, json};

use super::client::Client;
use super::world::{World, account_id, deal};
use crate::graphql::ids::GlobalId;

const KEY: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

/// The seller of every item of the world.
fn seller(world: &Arc<World>) -> Client {
    Client::new(world).signed_in(account_id(900), Role::Seller)
}

fn create(more: Value) -> Value {
    let mut input = json!({
        "idempotencyKey": KEY,
        "name": "Socks",
        "category": "FASHION",
        "price": { "amount": "12.50", "currencyCode": "GBP" },
        "total": 7,
    });
    let fields = input.as_object_mut().unwrap();
    let Value::Object(more) = more else {
        unreachable!("it is one")
    };
    fields.extend(more);
    json!({ "input": input })
}

const CREATE: &str = "mutation($input: CreateItemInput!) { createItem(input: $input) {
    item { name description kind category price { amount } stock { total available }
        deal { opensAt closesAt limitPerBuyer } version }
    replayed userErrors { code field ... on InvalidInput { rule bound } } } }";

#[tokio::test]
async fn an_item_is_put_on_sale() {
    let client = seller(&World::new());
    let deal = json!({
        "opensAt": "1970-01-01T09:00:00+09:00",
        "closesAt": "1970-01-01T00:10:00Z",
        "limitPerBuyer": 2,
    });
    let data = client.data(CREATE, create(json!({ "deal": deal }))).await;
    assert_eq!(
        data["createItem"],
        json!({
            "item": {
                "name": "Socks",
                "description": "",
                "kind": "TIME_DEAL",
                "category": "FASHION",
                "price": { "amount": "12.50" },
                "stock": { "total": 7, "available": 7 },
                "deal": {
                    "opensAt": "1970-01-01T00:00:00.000Z",
                    "closesAt": "1970-01-01T00:10:00.000Z",
                    "limitPerBuyer": 2,
                },
                "version": 1,
            },
            "replayed": false,
            "userErrors": [],
        })
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_item_is_said_by_field() {
    let client = seller(&World::new());
    let opens = "2026-03-01T06:00:00Z";
    for (wrong, field, rule) in [
        (json!({ "name": " " }), json!(["name"]), "TOO_SHORT"),
        (json!({ "total": -1 }), json!(["total"]), "TOO_SMALL"),
        (json!({ "sku": "" }), json!(["sku"]), "TOO_SHORT"),
        (
            json!({ "price": { "amount": "1.234", "currencyCode": "GBP" } }),
            json!(["price", "amount"]),
            "DECIMAL_PLACES",
        ),
        (
            json!({ "price": { "amount": "-1", "currencyCode": "GBP" } }),
            json!(["price"]),
            "TOO_SMALL",
        ),
        (
            json!({ "price": { "amount": "1", "currencyCode": "NO" } }),
            json!(["price", "currencyCode"]),
            "CURRENCY",
        ),
        (
            json!({ "deal": { "opensAt": opens, "closesAt": opens } }),
            json!(["deal", "closesAt"]),
            "ENDS_BEFORE_IT_BEGINS",
        ),
        (
            json!({ "deal": { "opensAt": opens, "limitPerBuyer": -1 } }),
            json!(["deal", "limitPerBuyer"]),
            "TOO_SMALL",
        ),
    ] {
        let data = client.data(CREATE, create(wrong)).await;
        let errors = data["createItem"]["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(
            (&errors[0]["field"], &errors[0]["rule"]),
            (&field, &json!(rule))
        );
        assert_eq!(data["createItem"]["item"], Value::Null);
    }
}

#[tokio::test]
async fn an_edit_needs_the_version_that_was_seen() {
    let world = World::new();
    let id = world.add_item(1, 5, Kind::General).to_global().to_string();
    let client = seller(&world);
    let update = "mutation($input: UpdateItemInput!) { updateItem(input: $input) {
        item { name description price { amount } version }
        userErrors { code ... on VersionConflict { current } } } }";
    let input = |version: i32| json!({ "input": { "itemId": id, "expectedVersion": version, "name": "New", "description": null } });
    let data = client.data(update, input(1)).await;
    let item =
        json!({ "name": "New", "description": "", "price": { "amount": "1001" }, "version": 2 });
    assert_eq!(
        data["updateItem"],
        json!({ "item": item, "userErrors": [] })
    );
    let data = client.data(update, input(1)).await;
    let error = json!({ "code": "VERSION_CONFLICT", "current": 2 });
    assert_eq!(
        data["updateItem"],
        json!({ "item": null, "userErrors": [error] })
    );

    let other = client.signed_in(account_id(901), Role::Seller);
    let data = other.data(update, input(2)).await;
    assert_eq!(data["updateItem"]["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn units_are_added_and_windows_moved() {
    let world = World::new();
    let id = world
        .add_item(1, 5, deal(600, None))
        .to_global()
        .to_string();
    let client = seller(&world);
    let restock = "mutation($input: RestockItemInput!) { restockItem(input: $input) {
        item { stock { total } } replayed userErrors { code } } }";
    let input = json!({ "input": { "itemId": id, "idempotencyKey": KEY, "change": 4 } });
    let data = client.data(restock, input).await;
    assert_eq!(
        data["restockItem"]["item"],
        json!({ "stock": { "total": 9 } })
    );

    let schedule = "mutation($input: ScheduleDealInput!) { scheduleDeal(input: $input) {
        item { deal { opensAt limitPerBuyer } } userErrors { code field } } }";
    let input = |opens: &str| json!({ "input": { "itemId": id, "expectedVersion": 1, "opensAt": opens, "limitPerBuyer": 3 } });
    let data = client.data(schedule, input("1970-01-01T01:00:00Z")).await;
    let window = json!({ "opensAt": "1970-01-01T01:00:00.000Z", "limitPerBuyer": 3 });
    assert_eq!(
        data["scheduleDeal"],
        json!({ "item": { "deal": window }, "userErrors": [] })
    );
    let data = client.data(schedule, input("1969-01-01T01:00:00Z")).await;
    let error = json!({ "code": "INVALID_INPUT", "field": ["opensAt"] });
    assert_eq!(
        data["scheduleDeal"],
        json!({ "item": null, "userErrors": [error] })
    );
}
