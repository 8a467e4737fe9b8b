//! What sellers can do with their items, and others can't.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Shop, Socket, code, codes, fresh_key, line};

#[tokio::test]
async fn an_item_is_put_on_sale_once_a_key() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let sale = Sale::of(7).named("로봇").category("FASHION").sku("A-1");
    let key = fresh_key();
    let payloads = join_all((0..10).map(|_| seller.create_item(&sale, &key))).await;
    let item = &payloads[0]["item"];
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
        assert_eq!(payload["item"]["id"], item["id"]);
    }
    let fresh = payloads.iter().filter(|one| one["replayed"] == false);
    assert_eq!(fresh.count(), 1);
    assert_eq!(
        json!([
            item["name"],
            item["category"],
            item["sku"],
            item["kind"],
            item["version"]
        ]),
        json!(["로봇", "FASHION", "A-1", "GENERAL", 1])
    );
    assert_eq!(item["stock"]["total"], 7);
    assert_eq!(item["deal"], Value::Null);

    let payload = seller.create_item(&Sale::of(8), &key).await;
    assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"), "{payload}");
    // A code is a seller's own.
    let payload = seller
        .create_item(&Sale::of(1).sku("A-1"), &fresh_key())
        .await;
    assert_eq!(payload["userErrors"][0]["rule"], "REPEATED", "{payload}");
    let admin = server.sign_in(Demo::Admin).await;
    let payload = admin
        .create_item(&Sale::of(1).sku("A-1"), &fresh_key())
        .await;
    assert_eq!(code(&payload), None, "{payload}");

    // It sells at once.
    buyer.hold(item["id"].as_str().unwrap(), 7).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_item_is_said_at_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let sale = Sale::of(-1).named("").at("-1", "KRW");
    let payload = seller.create_item(&sale, &fresh_key()).await;
    let mut fields: Vec<String> = payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refusal| refusal["field"].to_string())
        .collect();
    fields.sort();
    assert_eq!(codes(&payload), ["INVALID_INPUT"; 3], "{payload}");
    assert_eq!(fields.len(), 3);
    assert!(fields[0].contains("name"), "{fields:?}");
    assert!(fields[1].contains("price"), "{fields:?}");
    assert!(fields[2].contains("total"), "{fields:?}");
    for (amount, currency, rule) in [
        ("12.5", "KRW", "DECIMAL_PLACES"),
        ("1.005", "GBP", "DECIMAL_PLACES"),
        ("ten", "GBP", "DECIMAL"),
        ("1e3", "GBP", "DECIMAL"),
        ("99999999999999999999", "KRW", "TOO_LARGE"),
        ("10", "XXX", "CURRENCY"),
        ("10", "krw", "CURRENCY"),
    ] {
        let sale = Sale::of(1).at(amount, currency);
        let payload = seller.create_item(&sale, &fresh_key()).await;
        let refusal = &payload["userErrors"][0];
        assert_eq!(refusal["rule"], rule, "{amount} {currency}: {payload}");
    }
}

#[tokio::test]
async fn an_edit_names_the_version_it_was_made_for() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(5)).await;
    let edit = |version: i64, name: &str| {
        seller.update_item(json!({ "itemId": item, "expectedVersion": version, "name": name }))
    };
    let payload = edit(1, "Second").await;
    assert_eq!(code(&payload), None, "{payload}");
    assert_eq!(
        json!([payload["item"]["name"], payload["item"]["version"]]),
        json!(["Second", 2])
    );
    let payload = edit(1, "Third").await;
    assert_eq!(code(&payload), Some("VERSION_CONFLICT"), "{payload}");
    assert_eq!(payload["userErrors"][0]["current"], 2);
    assert_eq!(seller.item(&item).await["name"], "Second");

    // Of many at once one gets through.
    let names = ["A", "B", "C", "D", "E"];
    let payloads = join_all(names.map(|name| edit(2, name))).await;
    let done: Vec<&Value> = payloads.iter().filter(|one| code(one).is_none()).collect();
    assert_eq!(done.len(), 1, "{payloads:?}");
    assert_eq!(seller.item(&item).await["name"], done[0]["item"]["name"]);

    let pounds = json!({ "amount": "1.00", "currencyCode": "GBP" });
    let payload = seller
        .update_item(json!({ "itemId": item, "expectedVersion": 3, "price": pounds }))
        .await;
    assert_eq!(code(&payload), Some("CURRENCY_MISMATCH"), "{payload}");
}

#[tokio::test]
async fn stock_is_added_and_taken_but_never_what_orders_hold() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let item = seller.sell(Sale::of(5)).await;
    buyer.hold(&item, 4).await;
    let mut stock = Socket::stock_changed(&server.anybody(), &[&item]).await;
    assert_eq!(stock.next().await["stock"]["available"], 1);

    let payload = seller.restock(&item, -2).await;
    assert_eq!(code(&payload), Some("STOCK_BELOW_HELD"), "{payload}");
    assert_eq!(payload["userErrors"][0]["held"], 4);
    let payload = seller.restock(&item, 0).await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    assert_eq!(buyer.available(&item).await, 1);

    let key = fresh_key();
    let payloads = join_all((0..10).map(|_| seller.restock_under(&key, &item, 10))).await;
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
    }
    let fresh = payloads.iter().filter(|one| one["replayed"] == false);
    assert_eq!(fresh.count(), 1);
    stock.until(|event| event["stock"]["available"] == 11).await;
    let payload = seller.restock_under(&key, &item, 11).await;
    assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"), "{payload}");

    // All that is unsold goes, and nothing more.
    let payload = seller.restock(&item, -11).await;
    assert_eq!(payload["item"]["stock"]["total"], 4, "{payload}");
    stock.until(|event| event["stock"]["available"] == 0).await;
    let payload = buyer.place(&[line(&item, 1)]).await;
    assert_eq!(code(&payload), Some("OUT_OF_STOCK"), "{payload}");
    server.assert_clean().await;
}

/// Every mutation that sellers have, on one item.
async fn sell_as(caller: &Caller, item: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "updateItem",
            caller
                .update_item(json!({ "itemId": item, "expectedVersion": 1, "name": "Mine" }))
                .await,
        ),
        ("restockItem", caller.restock(item, 5).await),
        (
            "scheduleDeal",
            caller
                .schedule_deal(json!({
                    "itemId": item, "expectedVersion": 1, "opensAt": "2027-01-01T00:00:00Z"
                }))
                .await,
        ),
    ]
}

#[tokio::test]
async fn only_its_seller_and_admins_touch_an_item() {
    let shop = Shop::new();
    let server = shop.start().await;
    let admin = server.sign_in(Demo::Admin).await;
    let seller = server.sign_in(Demo::Seller).await;
    let later = json!(admin.server_time_in(3_600_000).await);
    let deal = admin
        .sell(Sale::of(5).deal(json!({ "opensAt": later })))
        .await;

    for (who, expected) in [
        (server.anybody(), "UNAUTHENTICATED"),
        (server.sign_in(Demo::Customer).await, "FORBIDDEN"),
        (seller.clone(), "NOT_FOUND"),
    ] {
        for (mutation, payload) in sell_as(&who, &deal).await {
            assert_eq!(code(&payload), Some(expected), "{mutation}: {payload}");
        }
        if expected != "NOT_FOUND" {
            let payload = who.create_item(&Sale::of(1), &fresh_key()).await;
            assert_eq!(code(&payload), Some(expected), "createItem: {payload}");
        }
    }
    let item = admin.item(&deal).await;
    assert_eq!(
        json!([item["name"], item["version"], item["stock"]["total"]]),
        json!(["Thing", 1, 5])
    );

    // An admin may, whoever sells it.
    let theirs = seller.sell(Sale::of(5)).await;
    let payload = admin.restock(&theirs, 5).await;
    assert_eq!(payload["item"]["stock"]["total"], 10, "{payload}");

    // A seller sees the own items in one list, a customer has none.
    let document = "{ viewer { sellerItems(first: 10) { edges { node { name } } } } }";
    let mine = seller.ask(document, json!({})).await;
    let mine = mine["viewer"]["sellerItems"]["edges"].as_array().unwrap();
    assert_eq!(mine.len(), 7);
    let customer = server.sign_in(Demo::Customer).await;
    let answer = customer.post(document, json!({})).await;
    assert_eq!(answer["data"]["viewer"]["sellerItems"], Value::Null);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
