//! A sale across processes.

use serde_json::json;

use crate::fleet::{node, worker};
use crate::support::{Demo, Sale, Shop, Socket, code, fresh_key, line};

#[tokio::test]
async fn five_thousand_buyers_for_five_hundred_units_over_two_nodes_buy_exactly_those() {
    const UNITS: i64 = 500;
    let shop = Shop::new();
    shop.migrate().await;
    let workers = vec![worker(&shop), worker(&shop)];
    let server = shop.server(vec![node(&shop).await, node(&shop).await], workers);
    let sale = Sale::of(UNITS).limited_to(1);
    let deal = server.sign_in(Demo::Seller).await.sell(sale).await;
    // A deal is known to the gate before its crowd comes: what is refused is final by then.
    let too_much = server
        .sign_in(Demo::Customer)
        .await
        .place(&[line(&deal, 1_000_000)])
        .await;
    assert_eq!(
        code(&too_much),
        Some("PURCHASE_LIMIT_REACHED"),
        "{too_much}"
    );
    let endpoints: Vec<String> = server
        .urls()
        .iter()
        .map(|url| format!("{url}/graphql"))
        .collect();
    // Somebody watches on either node.
    let mut watchers = Vec::new();
    for url in server.urls() {
        let anybody = server.anybody().at(url);
        watchers.push(Socket::stock_changed(&anybody, &[&deal]).await);
    }
    let rush = [
        "rush",
        "--url",
        &endpoints[0],
        "--url",
        &endpoints[1],
        "--deal",
        &deal,
        "--buyers",
        "5000",
        "--subscribers",
        "20",
        "--pay",
        "0.2",
        "--retry",
        "--json",
    ];
    let (outcome, exit) = shop.run_json(&rush).await;

    assert_eq!(exit, Some(0), "{outcome}");
    assert_eq!(outcome["clean"], true, "{outcome}");
    let stampede = &outcome["stampede"];
    assert_eq!(stampede["orders"]["accepted"], UNITS, "{outcome}");
    let refused = json!({ "OUT_OF_STOCK": 5_000 - UNITS });
    assert_eq!(stampede["orders"]["refused"], refused);
    assert_eq!(stampede["verified"]["missing"], 0);
    assert_eq!(stampede["deal"]["availableAfter"], 0);
    assert_eq!(stampede["subscribers"]["stale"], 0, "{outcome}");
    // The same level in the same version on either node, pushed and asked for.
    let mut levels = Vec::new();
    for (watcher, url) in watchers.iter_mut().zip(server.urls()) {
        let pushed = watcher
            .until(|event| event["stock"]["available"] == 0)
            .await;
        levels.push(pushed["stock"]["version"].clone());
        assert_eq!(server.anybody().at(url).available(&deal).await, 0);
    }
    assert_eq!(levels[0], levels[1]);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_key_finds_its_order_at_every_node() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let [here, there] = [0, 1].map(|node: usize| buyer.at(server.urls()[node]));
    let lines = [line(&item, 2)];
    let key = fresh_key();
    let (one, other) = tokio::join!(
        here.place_under(&key, &lines),
        there.place_under(&key, &lines)
    );
    let id = one["order"]["id"].as_str().unwrap();
    assert_eq!(other["order"]["id"], id, "{one} {other}");
    assert_ne!(one["replayed"], other["replayed"]);
    // What is read right after writing is there, at the other node too.
    assert_ne!(there.order(id).await, json!(null));
    here.until_state(id, "PENDING_PAYMENT").await;
    there.pay(id, "tok_approve").await;
    here.until_state(id, "PAID").await;
    let again = here.place_under(&key, &lines).await;
    assert_eq!(again["order"]["state"], "PAID");
    assert_eq!(there.available(&item).await, 8);
    server.assert_clean().await;
}
