//! The gate in several shards: an order over two of them takes from both or from none.

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::race;
use crate::support::{Caller, Demo, Sale, Server, Shop, code, fresh_key, line};

fn sharded() -> Shop {
    Shop::with(&[("GATE__SHARDS", "3")])
}

/// Items of so many units each, enough of them that every shard has some.
async fn shelf(server: &Server, units: i64) -> Vec<String> {
    let seller = server.sign_in(Demo::Seller).await;
    let mut items = Vec::new();
    for _ in 0..6 {
        items.push(seller.sell(Sale::of(units)).await);
    }
    items
}

async fn buyers(server: &Server) -> [Caller; 3] {
    [
        server.sign_in(Demo::Customer).await,
        server.sign_in(Demo::Seller).await,
        server.sign_in(Demo::Admin).await,
    ]
}

#[tokio::test]
async fn a_thousand_requests_for_a_hundred_units_sell_exactly_a_hundred() {
    race::sell_exactly_a_hundred(&sharded()).await;
}

#[tokio::test]
async fn orders_over_shards_take_all_or_nothing_whatever_they_meet() {
    const UNITS: i64 = 20;
    let shop = sharded();
    let server = shop.start().await;
    let items = shelf(&server, UNITS).await;
    let buyers = buyers(&server).await;
    // Each wants two or three of the items, in every order, far more than there are.
    let orders = (0..240_usize).map(|number| {
        let wanted = [number % 6, number / 6 % 6, number / 36 % 6];
        let buyer = &buyers[number % 3];
        let mut lines: Vec<Value> = Vec::new();
        for item in wanted {
            lines.push(line(&items[item], 1));
        }
        async move { (buyer, wanted, buyer.place(&lines).await) }
    });
    let answers: Vec<_> = stream::iter(orders).buffer_unordered(32).collect().await;

    let mut sold = [0; 6];
    for (buyer, wanted, payload) in &answers {
        if code(payload).is_none() {
            let id = payload["order"]["id"].as_str().unwrap();
            let order = buyer
                .until_order(id, "written", |order| order["state"] != "ACCEPTED")
                .await;
            // One that waited for too long until its shards were sure of themselves is withdrawn.
            if order["state"] == "REJECTED" {
                continue;
            }
            assert_eq!(order["state"], "PENDING_PAYMENT");
            for item in wanted {
                sold[*item] += 1;
            }
        } else {
            assert_eq!(code(payload), Some("OUT_OF_STOCK"), "{payload}");
        }
    }
    for (item, sold) in items.iter().zip(sold) {
        assert!((1..=UNITS).contains(&sold));
        // What was taken for an order that was not to be is back on sale.
        buyers[0].until_available(item, UNITS - sold).await;
    }
    server.assert_clean().await;

    // And can be bought.
    for (item, sold) in items.iter().zip(sold) {
        if sold < UNITS {
            buyers[0].hold(item, UNITS - sold).await;
        }
    }
    let payload = buyers[0].place(&[line(&items[0], 1)]).await;
    assert_eq!(code(&payload), Some("OUT_OF_STOCK"));
    server.assert_clean().await;
}

#[tokio::test]
async fn a_retried_order_over_shards_is_bought_once() {
    let shop = sharded();
    let server = shop.start().await;
    let items = shelf(&server, 10).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let lines: Vec<Value> = items.iter().map(|item| line(item, 2)).collect();
    let key = fresh_key();
    let payloads = join_all((0..30).map(|_| buyer.place_under(&key, &lines))).await;
    let id = &payloads[0]["order"]["id"];
    for payload in &payloads {
        assert_eq!(code(payload), None, "{payload}");
        assert_eq!(&payload["order"]["id"], id);
    }
    let fresh = payloads.iter().filter(|one| one["replayed"] == false);
    assert_eq!(fresh.count(), 1);
    buyer
        .until_state(id.as_str().unwrap(), "PENDING_PAYMENT")
        .await;
    for item in &items {
        assert_eq!(buyer.available(item).await, 8);
    }
    let payload = buyer.place_under(&key, &lines[1..]).await;
    assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"), "{payload}");
    server.assert_clean().await;
}

#[tokio::test]
async fn a_refused_order_over_shards_can_be_sent_again() {
    let shop = sharded();
    let server = shop.start().await;
    let items = shelf(&server, 1).await;
    let [buyer, other, _] = buyers(&server).await;
    let blocker = other.hold(&items[5], 1).await;
    let lines: Vec<Value> = items.iter().map(|item| line(item, 1)).collect();
    let key = fresh_key();
    for _ in 0..3 {
        let payload = buyer.place_under(&key, &lines).await;
        let is_withdrawn = payload["order"]["state"] == "REJECTED";
        assert!(
            is_withdrawn || code(&payload) == Some("OUT_OF_STOCK"),
            "{payload}"
        );
    }
    for item in &items[..5] {
        buyer.until_available(item, 1).await;
    }
    server.assert_clean().await;

    // Whatever is answered once the obstacle is gone is true.
    other.cancel(&blocker).await;
    let payload = buyer.place_under(&key, &lines).await;
    let units = match code(&payload) {
        None => {
            let id = payload["order"]["id"].as_str().unwrap();
            let order = buyer
                .until_order(id, "written", |order| order["state"] != "ACCEPTED")
                .await;
            i64::from(order["state"] != "PENDING_PAYMENT")
        }
        Some(_) => 1,
    };
    for item in &items {
        buyer.until_available(item, units).await;
    }
    server.assert_clean().await;
}
