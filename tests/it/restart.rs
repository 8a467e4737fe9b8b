//! Power cuts, Ctrl-C, and starts that go on where the last one ended.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Answered, Caller, Crowd, Demo, Sale, Server, Shop, Traffic, until, verify};

/// Each buyer twice, so that a buyer's requests overlap too.
fn crowd(buyers: &[Caller], items: &[String]) -> Traffic {
    Traffic::start(&Crowd {
        buyers: buyers.to_vec(),
        items: items.to_vec(),
        each: 2,
        pause: Duration::ZERO,
        only_orders: false,
    })
}

/// Ends the traffic, which must have met nothing but restarts; what was answered.
async fn answers(traffic: Traffic) -> Vec<Answered> {
    let (answered, tally) = traffic.end().await;
    assert_eq!((tally.faults, tally.unknown), (0, 0), "{tally:?}");
    answered
}

/// A server with two items of so many units each, and three buyers.
async fn open(shop: &Shop, total: i64) -> (Server, Vec<String>, Vec<Caller>) {
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let items = vec![
        seller.sell(Sale::of(total)).await,
        seller.sell(Sale::of(total)).await,
    ];
    let buyers = vec![
        server.sign_in(Demo::Customer).await,
        server.sign_in(Demo::Admin).await,
        seller,
    ];
    (server, items, buyers)
}

/// Where no Redis is there is nothing to replicate: what the gate in memory forgets with its process
/// is rebuilt from what was written down, and no sale is lost.
#[tokio::test]
async fn in_place_of_redis_replication_power_cuts_in_the_middle_of_a_sale_lose_nothing() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "500ms")]);
    let (mut server, items, buyers) = open(&shop, 100_000).await;
    let traffic = crowd(&buyers, &items);
    for _ in 0..4 {
        traffic.goes_on(40).await;
        server.kill().await;
        server = shop.start().await;
        traffic.moves_to(&[server.url()]);
    }
    traffic.goes_on(40).await;
    let answered = answers(traffic).await;
    verify(&server, &items, 100_000, &answered).await;
    server.assert_clean().await;

    // What was true stays true.
    server.kill().await;
    let server = shop.start().await;
    verify(&server, &items, 100_000, &answered).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn an_interrupt_drains_and_the_next_start_goes_on() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "500ms")]);
    let (mut server, items, buyers) = open(&shop, 100_000).await;
    let traffic = crowd(&buyers, &items);
    for _ in 0..2 {
        traffic.goes_on(40).await;
        assert_eq!(server.stop().await, Some(0));
        server = shop.start().await;
        traffic.moves_to(&[server.url()]);
    }
    traffic.goes_on(40).await;
    let answered = answers(traffic).await;
    verify(&server, &items, 100_000, &answered).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn a_payment_in_flight_is_brought_to_its_end_by_the_next_start() {
    let shop = Shop::with(&[
        ("PAYMENT__SIMULATED__LATENCY", "1s"),
        ("PAYMENT__ASK_AGAIN_AFTER", "500ms"),
    ]);
    let (mut server, items, buyers) = open(&shop, 10).await;
    for (units, signal) in [(9, "-KILL"), (8, "-INT"), (7, "-TERM")] {
        let buyer = buyers[0].at(server.url());
        let order = buyer.hold(&items[0], 1).await;
        let payload = buyer.pay(&order, "tok_approve").await;
        assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
        let exit = server.stop_by(signal).await;
        assert_eq!(exit, (signal != "-KILL").then_some(0), "{signal}");
        server = shop.start().await;
        let buyer = buyers[0].at(server.url());
        let paid = buyer.until_state(&order, "PAID").await;
        assert_eq!(paid["payment"]["attempts"].as_array().unwrap().len(), 1);
        buyer.until_available(&items[0], units).await;
        server.assert_clean().await;
    }
}

#[tokio::test]
async fn parcels_catch_up_on_the_days_that_were_missed() {
    let shop = Shop::with(&[("DELIVERY__DAY", "1s")]);
    let (server, items, buyers) = open(&shop, 10).await;
    let order = buyers[0].own(&items[0], 1).await;
    server.kill().await;
    sleep(Duration::from_secs(3)).await;
    let server = shop.start().await;
    let buyer = buyers[0].at(server.url());
    let delivered = |order: &Value| order["shipment"]["state"] == "DELIVERED";
    buyer.until_order(&order, "delivered", delivered).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn unpaid_orders_expire_while_nobody_is_there() {
    let mut shop = Shop::with(&[("ORDERS__HOLD", "2s")]);
    let (server, items, buyers) = open(&shop, 10).await;
    let order = buyers[0].hold(&items[0], 3).await;
    server.kill().await;
    // The time is the order's own: a new setting is for new orders.
    shop.set("ORDERS__HOLD", "1h");
    let server = shop.start().await;
    let buyer = buyers[0].at(server.url());
    buyer.until_state(&order, "EXPIRED").await;
    buyer.until_available(&items[0], 10).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn what_is_in_a_folder_stays_as_it_is() {
    let shop = Shop::new();
    let server = shop.start().await;
    let who = [Demo::Customer, Demo::Seller, Demo::Admin];
    let credentials = who.map(|who| shop.credentials(who));
    let buyer = server.sign_in(Demo::Customer).await;
    let earbuds = buyer.item_named("Wireless earbuds").await;
    let id = earbuds["id"].as_str().unwrap();
    buyer.own(id, 2).await;
    let catalogue = "{ items(first: 100, orderBy: OLDEST_FIRST) { totalCount edges { node {
        id name version stock { total available } deal { opensAt } } } } }";
    let before = buyer.ask(catalogue, json!({})).await;
    assert_eq!(before["items"]["totalCount"], 6);
    assert_eq!(server.stop().await, Some(0));

    let server = shop.start().await;
    // Whoever is signed in stays so.
    let buyer = buyer.at(server.url());
    assert_eq!(buyer.ask(catalogue, json!({})).await, before);
    assert_eq!(buyer.available(id).await, 98);
    assert_eq!(who.map(|who| shop.credentials(who)), credentials);
    for (who, (email, password)) in who.into_iter().zip(&credentials) {
        server.sign_in(who).await;
        let printed = server.printed();
        let line = printed.lines().find(|line| line.contains(email)).unwrap();
        assert!(line.trim_end().ends_with(password), "{line}");
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains(server.url()), "{printed}");
    // The first one has not noticed.
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(1)).await;
    server.sign_in(Demo::Customer).await.hold(&item, 1).await;
    server.assert_clean().await;
    // The folder is free again, however it ends.
    server.kill().await;
    shop.start().await.assert_clean().await;
}

#[tokio::test]
async fn a_first_start_that_is_cut_short_leaves_a_whole_shop() {
    // Cut at moments spread over the time in which the demo is put in.
    for step in 0..6 {
        let shop = Shop::new();
        let accounts = shop.data().join("demo-accounts.json");
        let process = shop.spawn();
        until("the demo's accounts", || async {
            accounts.exists().then_some(())
        })
        .await;
        sleep(Duration::from_millis(3 * step)).await;
        process.kill().await;

        let server = shop.start().await;
        let document = "{ items(first: 100) { totalCount } }";
        let data = server.anybody().ask(document, json!({})).await;
        assert_eq!(data["items"]["totalCount"], 6, "cut at step {step}");
        for who in [Demo::Customer, Demo::Seller, Demo::Admin] {
            server.sign_in(who).await;
        }
    }
}
