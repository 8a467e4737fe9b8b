//! A request whose answer was lost is sent again: the same key does it once.

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{Demo, Sale, Shop, code, fresh_key, line};

fn replayed(payloads: &[Value]) -> usize {
    let replayed = payloads
        .iter()
        .filter(|payload| payload["replayed"] == true);
    replayed.count()
}

#[tokio::test]
async fn the_same_key_fifty_times_at_once_buys_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(100)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let key = fresh_key();
    let lines = [line(&item, 3)];
    let payloads = join_all((0..50).map(|_| buyer.place_under(&key, &lines))).await;

    let id = &payloads[0]["order"]["id"];
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
        assert_eq!(&payload["order"]["id"], id);
    }
    assert_eq!(replayed(&payloads), 49);
    assert_eq!(buyer.available(&item).await, 97);

    // Later too, and whatever has become of the order.
    let id = id.as_str().unwrap();
    buyer.until_state(id, "PENDING_PAYMENT").await;
    buyer.cancel(id).await;
    let again = buyer.place_under(&key, &lines).await;
    assert_eq!(again["order"]["state"], "CANCELLED", "{again}");
    assert_eq!(again["replayed"], true);
    assert_eq!(buyer.available(&item).await, 100);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_key_stands_for_one_input_of_one_buyer() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(100)).await;
    let other = seller.sell(Sale::of(100)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let key = fresh_key();
    let first = buyer.place_under(&key, &[line(&item, 1)]).await;

    for lines in [
        vec![line(&item, 2)],
        vec![line(&other, 1)],
        vec![line(&item, 1), line(&other, 1)],
        vec![line(&item, 1), line(&item, 1)],
    ] {
        let payload = buyer.place_under(&key, &lines).await;
        assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"), "{payload}");
    }
    assert_eq!(buyer.available(&item).await, 99);
    assert_eq!(buyer.available(&other).await, 100);

    // Somebody else's key is another key, even if it looks the same.
    let theirs = seller.place_under(&key, &[line(&item, 1)]).await;
    assert_eq!(code(&theirs), None, "{theirs}");
    assert_eq!(theirs["replayed"], false);
    assert_ne!(theirs["order"]["id"], first["order"]["id"]);
    assert_eq!(buyer.available(&item).await, 98);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_payment_and_a_cancellation_are_done_once_a_key() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let order = buyer.hold(&item, 1).await;

    let key = fresh_key();
    let payloads = join_all((0..20).map(|_| buyer.pay_under(&key, &order, "tok_approve"))).await;
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
    }
    assert_eq!(replayed(&payloads), 19);
    let paid = buyer.until_state(&order, "PAID").await;
    assert_eq!(paid["payment"]["attempts"].as_array().unwrap().len(), 1);
    let other = buyer.pay_under(&key, &order, "tok_decline").await;
    assert_eq!(code(&other), Some("IDEMPOTENCY_KEY_REUSED"), "{other}");

    let key = fresh_key();
    let payloads = join_all((0..20).map(|_| buyer.cancel_under(&key, &order))).await;
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
        assert_eq!(payload["order"]["state"], "CANCELLED");
    }
    assert_eq!(replayed(&payloads), 19);
    let order = buyer.order(&order).await;
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1, "{order}");
    assert_eq!(buyer.available(&item).await, 10);

    // One key of a mutation is nothing to another mutation.
    let order = buyer.hold(&item, 1).await;
    assert_eq!(
        code(&buyer.pay_under(&key, &order, "tok_approve").await),
        None
    );
    buyer.until_state(&order, "PAID").await;
    server.assert_clean().await;
}

#[tokio::test]
async fn a_key_buys_once_even_when_its_receipt_is_gone() {
    let shop = Shop::with(&[("ORDERS__HOLD", "1s"), ("GATE__RECEIPTS", "1s")]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let key = fresh_key();
        let payload = buyer.place_under(&key, &[line(&item, 2)]).await;
        let id = payload["order"]["id"].as_str().unwrap().to_owned();
        orders.push((key, buyer.until_state(&id, "EXPIRED").await));
    }
    // A new gate is told of receipts only that may still be asked for.
    assert_eq!(server.stop().await, Some(0));
    let server = shop.start().await;
    let buyer = buyer.at(server.url());

    // Whatever it answers, with the same lines or with others: the ledger knows the order.
    for ((key, _), quantity) in orders.iter().zip([2, 3]) {
        buyer.place_under(key, &[line(&item, quantity)]).await;
    }
    server.assert_clean().await;
    for (_, order) in &orders {
        let now = buyer.order(order["id"].as_str().unwrap()).await;
        assert_eq!(&now, order);
    }
    buyer.until_available(&item, 10).await;
}
