//! An API node dies between taking the units and answering.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::fleet::{all_but, failing_node, node, only};
use crate::support::{Caller, Demo, NoAnswer, Sale, Shop, code, fresh_key, line, until};

/// A moment in which an order that could go on would.
const MOMENT: Duration = Duration::from_millis(700);

/// Places an order at a node that stops at this fail point, and ends the node there.
async fn is_cut_off(shop: &Shop, point: &str, buyer: &Caller, key: &str, item: &str) {
    let before = buyer.available(item).await;
    let node = failing_node(shop, &format!("{point}=1*pause")).await;
    let placing = tokio::spawn({
        let (buyer, key, lines) = (buyer.at(&node.url), key.to_owned(), [line(item, 1)]);
        async move { buyer.try_place(&key, &lines).await }
    });
    buyer.until_available(item, before - 1).await;
    sleep(MOMENT).await;
    assert!(!placing.is_finished(), "{point} was passed");
    node.process.kill().await;
    let answer = placing.await.unwrap();
    assert!(matches!(answer, Err(NoAnswer::Connection(_))), "{answer:?}");
}

/// The buyer's orders, the newest first.
async fn orders(buyer: &Caller) -> Vec<Value> {
    let document = "{ viewer { orders(first: 10) { edges { node { id state } } } } }";
    let data = buyer.ask(document, json!({})).await;
    let edges = data["viewer"]["orders"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

async fn dies_at(point: &str) {
    let shop = Shop::new();
    shop.migrate().await;
    let mut server = shop.server(
        vec![node(&shop).await],
        // Without the edge relay: what is sent again is up to the retry alone.
        vec![all_but(&shop, "edge-relay")],
    );
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;

    // Who sends the key again, at another node, gets the same order.
    let retried = fresh_key();
    is_cut_off(&shop, point, &buyer, &retried, &item).await;
    let payload = buyer.place_under(&retried, &[line(&item, 1)]).await;
    assert_eq!(code(&payload), None, "{payload}");
    let first = payload["order"]["id"].as_str().unwrap();
    buyer.until_state(first, "PENDING_PAYMENT").await;
    assert_eq!(buyer.available(&item).await, 9);

    // Without a retry the edge relay sees to it.
    let left = fresh_key();
    is_cut_off(&shop, point, &buyer, &left, &item).await;
    server.workers.push(only(&shop, "edge-relay"));
    let second = until("the order that nobody asks for", || async {
        let order = orders(&buyer).await.remove(0);
        let is_it = order["id"] != first && order["state"] == "PENDING_PAYMENT";
        is_it.then_some(order)
    })
    .await;
    assert_eq!(buyer.available(&item).await, 8);
    let payload = buyer.place_under(&left, &[line(&item, 1)]).await;
    assert_eq!(payload["order"]["id"], second["id"], "{payload}");
    assert_eq!(orders(&buyer).await.len(), 2);
    server.assert_clean().await;
}

#[tokio::test]
async fn before_kafka_has_the_order() {
    dies_at("kafka-publish").await;
}

#[tokio::test]
async fn after_kafka_has_the_order() {
    dies_at("kafka-published").await;
}
