//! Many buyers, few units.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Caller, Demo, Sale, Shop, code, fresh_key, line};

/// Requests at once.
const CROWD: usize = 64;

/// Everybody orders one unit, so many requests each; the answers.
async fn stampede(buyers: &[Caller], item: &str, each: usize) -> Vec<(Caller, Value)> {
    let requests = buyers.iter().flat_map(|buyer| vec![buyer; each]);
    let answers = stream::iter(requests.cloned()).map(|buyer| async move {
        let payload = buyer.place(&[line(item, 1)]).await;
        (buyer, payload)
    });
    answers.buffer_unordered(CROWD).collect().await
}

#[tokio::test]
async fn a_thousand_requests_for_a_hundred_units_sell_exactly_a_hundred() {
    sell_exactly_a_hundred(&Shop::new()).await;
}

#[tokio::test]
async fn a_full_queue_asks_to_try_again_and_then_sells() {
    let shop = Shop::with(&[("GATE__EDGE_QUEUE", "1")]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(100)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    // All at once: whoever finds the queue full sends the same key again.
    let tries = join_all((0..100).map(|_| async {
        let key = fresh_key();
        let lines = [line(&item, 1)];
        let mut tries = 1;
        loop {
            let payload = buyer.try_place(&key, &lines).await.unwrap();
            match code(&payload) {
                None => return tries,
                Some("TRY_AGAIN") => tries += 1,
                Some(_) => panic!("{payload}"),
            }
            let wait = payload["userErrors"][0]["retryAfterMs"].as_u64().unwrap();
            assert!((1..=5_000).contains(&wait), "{payload}");
            sleep(Duration::from_millis(wait.min(20))).await;
        }
    }))
    .await;
    assert!(tries.iter().any(|tries| *tries > 1), "it never was full");
    assert_eq!(buyer.available(&item).await, 0);
    server.assert_clean().await;
}

/// Five buyers, a thousand requests, a hundred units.
pub async fn sell_exactly_a_hundred(shop: &Shop) {
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(100)).await;
    let buyers = [
        server.sign_in(Demo::Customer).await,
        server.sign_in(Demo::Admin).await,
        server.sign_up("kim").await,
        server.sign_up("lee").await,
        seller,
    ];
    let answers = stampede(&buyers, &item, 200).await;

    let (accepted, refused): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|(_, payload)| code(payload).is_none());
    assert_eq!((accepted.len(), refused.len()), (100, 900));
    for (_, payload) in refused {
        let refusal = &payload["userErrors"][0];
        assert_eq!(refusal["__typename"], "OutOfStock", "{refusal}");
        assert_eq!(refusal["available"], 0, "{refusal}");
        assert_eq!(refusal["itemId"], item);
        assert_eq!(refusal["field"], json!(["lines", "0", "quantity"]));
    }
    let mut orders = HashSet::new();
    for (buyer, payload) in accepted {
        let id = payload["order"]["id"].as_str().unwrap();
        buyer.until_state(id, "PENDING_PAYMENT").await;
        assert!(orders.insert(id));
    }
    assert_eq!(buyers[0].available(&item).await, 0);
    server.assert_clean().await;
}
