//! How much one buyer may have, and orders of many lines.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Demo, Sale, Shop, code, codes, line};

#[tokio::test]
async fn a_limit_counts_over_all_orders_of_a_buyer() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let deal = seller.sell(Sale::of(100).limited_to(3)).await;
    let buyer = server.sign_in(Demo::Customer).await;

    let lines = [line(&deal, 1)];
    let payloads = join_all((0..20).map(|_| buyer.place(&lines))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) =
        payloads.iter().partition(|payload| code(payload).is_none());
    assert_eq!((accepted.len(), refused.len()), (3, 17));
    for payload in refused {
        let refusal = &payload["userErrors"][0];
        assert_eq!(refusal["__typename"], "PurchaseLimitReached", "{refusal}");
        assert_eq!(
            json!([refusal["limit"], refusal["held"], refusal["remaining"]]),
            json!([3, 3, 0])
        );
    }
    assert_eq!(buyer.available(&deal).await, 97);

    // It is each buyer's own, and comes back with the units.
    seller.hold(&deal, 3).await;
    let order = accepted[0]["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    assert_eq!(code(&buyer.cancel(order).await), None);
    let payload = buyer.place(&[line(&deal, 2)]).await;
    let refusal = &payload["userErrors"][0];
    assert_eq!(
        json!([refusal["code"], refusal["held"], refusal["remaining"]]),
        json!(["PURCHASE_LIMIT_REACHED", 2, 1])
    );
    buyer.hold(&deal, 1).await;
    assert_eq!(buyer.available(&deal).await, 94);
    server.assert_clean().await;
}

#[tokio::test]
async fn lines_of_one_item_are_added_up() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let item = seller.sell(Sale::of(5)).await;
    let deal = seller.sell(Sale::of(100).limited_to(2)).await;

    let payload = buyer.place(&[line(&item, 3), line(&item, 3)]).await;
    assert_eq!(code(&payload), Some("OUT_OF_STOCK"), "{payload}");
    assert_eq!(payload["userErrors"][0]["available"], 5);
    let payload = buyer.place(&[line(&deal, 1), line(&deal, 2)]).await;
    assert_eq!(code(&payload), Some("PURCHASE_LIMIT_REACHED"), "{payload}");
    assert_eq!(payload["userErrors"][0]["remaining"], 2);

    let payload = buyer.place(&[line(&item, 3), line(&item, 2)]).await;
    assert_eq!(code(&payload), None, "{payload}");
    let quantities: Vec<_> = payload["order"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["quantity"].clone())
        .collect();
    assert_eq!(quantities, [3, 2]);
    assert_eq!(buyer.available(&item).await, 0);
    assert_eq!(buyer.available(&deal).await, 100);
    let order = payload["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    buyer.cancel(order).await;
    assert_eq!(buyer.available(&item).await, 5);
    server.assert_clean().await;
}

#[tokio::test]
async fn all_lines_are_taken_or_none() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let plenty = seller.sell(Sale::of(50).at("1250", "KRW")).await;
    let scarce = seller.sell(Sale::of(2).at("300", "KRW")).await;
    let later = buyer.server_time_in(3_600_000).await;
    let upcoming = seller
        .sell(Sale::of(10).deal(json!({ "opensAt": later })))
        .await;

    // A gate that has just got to know an item is not sure of what it would refuse.
    let payload = buyer.place(&[line(&scarce, 3)]).await;
    assert_eq!(code(&payload), Some("OUT_OF_STOCK"), "{payload}");
    let payload = buyer
        .place(&[line(&plenty, 5), line(&scarce, 3), line(&upcoming, 1)])
        .await;
    let mut refusals = codes(&payload);
    refusals.sort_unstable();
    assert_eq!(refusals, ["DEAL_NOT_OPEN", "OUT_OF_STOCK"], "{payload}");
    let lines = [line(&plenty, 5), line("item_00000000000000000000000001", 1)];
    let payload = buyer.place(&lines).await;
    assert_eq!(codes(&payload), ["NOT_FOUND"], "{payload}");
    assert_eq!(
        payload["userErrors"][0]["field"],
        json!(["lines", "1", "itemId"])
    );
    for (item, left) in [(&plenty, 50), (&scarce, 2), (&upcoming, 10)] {
        assert_eq!(buyer.available(item).await, left);
    }

    let payload = buyer.place(&[line(&plenty, 5), line(&scarce, 2)]).await;
    assert_eq!(code(&payload), None, "{payload}");
    assert_eq!(
        payload["order"]["total"],
        json!({ "amount": "6850", "currencyCode": "KRW" })
    );
    assert_eq!(buyer.available(&plenty).await, 45);
    assert_eq!(buyer.available(&scarce).await, 0);
    server.assert_clean().await;
}

#[tokio::test]
async fn an_order_may_have_a_thousand_lines() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let mut items = Vec::new();
    for _ in 0..20 {
        items.push(seller.sell(Sale::of(100)).await);
    }
    let lines: Vec<_> = (0..1_000).map(|at| line(&items[at % 20], 1)).collect();
    let payload = buyer.place(&lines).await;
    assert_eq!(code(&payload), None, "{payload}");
    assert_eq!(payload["order"]["total"]["amount"], "1000000");
    let id = payload["order"]["id"].as_str().unwrap();
    let order = buyer.until_state(id, "PENDING_PAYMENT").await;
    assert_eq!(order["lines"].as_array().unwrap().len(), 1_000);
    assert_eq!(buyer.available(&items[19]).await, 50);
    buyer.cancel(id).await;
    assert_eq!(buyer.available(&items[19]).await, 100);
    server.assert_clean().await;
}

#[tokio::test]
async fn an_order_has_one_currency() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let won = seller.sell(Sale::of(10).at("9000", "KRW")).await;
    let pounds = seller.sell(Sale::of(10).at("12.50", "GBP")).await;

    let payload = buyer.place(&[line(&won, 1), line(&pounds, 1)]).await;
    assert_eq!(code(&payload), Some("CURRENCY_MISMATCH"), "{payload}");
    assert_eq!(buyer.available(&won).await, 10);
    assert_eq!(buyer.available(&pounds).await, 10);

    let payload = buyer.place(&[line(&pounds, 3)]).await;
    let total = json!({ "amount": "37.50", "currencyCode": "GBP" });
    assert_eq!(payload["order"]["total"], total, "{payload}");
    server.assert_clean().await;
}

#[tokio::test]
async fn an_order_keeps_the_price_it_was_placed_at() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let item = seller.sell(Sale::of(10).at("1000", "KRW")).await;
    let before = buyer.hold(&item, 2).await;
    let price = json!({ "amount": "1500", "currencyCode": "KRW" });
    let edit = json!({ "itemId": item, "expectedVersion": 1, "price": price });
    assert_eq!(code(&seller.update_item(edit).await), None);

    let after = buyer.place(&[line(&item, 2)]).await;
    assert_eq!(after["order"]["total"]["amount"], "3000", "{after}");
    let order = buyer.order(&before).await;
    assert_eq!(order["total"]["amount"], "2000", "{order}");
    assert_eq!(order["lines"][0]["unitPrice"]["amount"], "1000");
    buyer.pay(&before, "tok_approve").await;
    let paid = buyer.until_state(&before, "PAID").await;
    assert_eq!(paid["payment"]["attempts"][0]["amount"]["amount"], "2000");
    server.assert_clean().await;
}
