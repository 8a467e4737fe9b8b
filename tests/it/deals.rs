//! Windows: a deal sells from its first instant to its last, by one clock.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Caller, Demo, Sale, Shop, Socket, code, instant, line};

/// How late a phase may be told, on a machine that has much else to do: the feed looks ten times a
/// second.
const LATE: TimeDelta = TimeDelta::seconds(1);

/// Waits until the engine's clock has come to this instant.
async fn until_time(caller: &Caller, at: &Value) {
    let left = instant(at) - caller.server_time().await;
    sleep(left.to_std().unwrap_or(Duration::ZERO)).await;
}

#[tokio::test]
async fn a_deal_opens_and_closes_by_itself() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let opens_at = json!(buyer.server_time_in(3_000).await);
    let closes_at = json!(buyer.server_time_in(6_000).await);
    let window = json!({ "opensAt": opens_at, "closesAt": closes_at });
    let deal = seller.sell(Sale::of(10).deal(window)).await;
    let mut stock = Socket::stock_changed(&server.anybody(), &[&deal]).await;

    let snapshot = stock.next().await;
    assert_eq!(snapshot["phase"], "UPCOMING", "{snapshot}");
    assert_eq!(snapshot["stock"]["available"], 10);
    assert_eq!(buyer.item(&deal).await["deal"]["phase"], "UPCOMING");
    let payload = buyer.place(&[line(&deal, 1)]).await;
    let refusal = &payload["userErrors"][0];
    assert_eq!(refusal["__typename"], "DealNotOpen", "{payload}");
    assert_eq!(refusal["opensAt"], opens_at);
    assert_eq!(refusal["itemId"], deal);

    // Nobody touches it: the next event is the opening.
    let opened = stock.next().await;
    assert_eq!(opened["phase"], "OPEN", "{opened}");
    assert_eq!(opened["stock"]["available"], 10);
    let told = instant(&opened["serverTime"]) - instant(&opens_at);
    assert!(TimeDelta::zero() <= told && told < LATE, "{told}");
    let order = buyer.buy(&deal, 2).await;
    stock.until(|event| event["stock"]["available"] == 8).await;

    let closed = stock.until(|event| event["phase"] != "OPEN").await;
    assert_eq!(closed["phase"], "CLOSED", "{closed}");
    let told = instant(&closed["serverTime"]) - instant(&closes_at);
    assert!(TimeDelta::zero() <= told && told < LATE, "{told}");
    let payload = buyer.place(&[line(&deal, 1)]).await;
    let refusal = &payload["userErrors"][0];
    assert_eq!(refusal["__typename"], "DealClosed", "{payload}");
    assert_eq!(refusal["closedAt"], closes_at);
    assert_eq!(buyer.available(&deal).await, 8);

    // What was bought in time can be paid afterwards.
    buyer.until_state(&order, "PENDING_PAYMENT").await;
    assert_eq!(code(&buyer.pay(&order, "tok_approve").await), None);
    buyer.until_state(&order, "PAID").await;
    server.assert_clean().await;
}

#[tokio::test]
async fn nothing_is_sold_before_the_first_instant() {
    let shop = Shop::new();
    let server = shop.start().await;
    let buyer = server.sign_in(Demo::Customer).await;
    let opens_at = json!(buyer.server_time_in(1_500).await);
    let sale = Sale::of(1_000).deal(json!({ "opensAt": opens_at }));
    let deal = server.sign_in(Demo::Seller).await.sell(sale).await;
    // As fast as one buyer can, across the opening.
    let mut last_refused = None;
    let first_sold = loop {
        let payload = buyer.place(&[line(&deal, 1)]).await;
        match code(&payload) {
            Some(refusal) => {
                assert_eq!(refusal, "DEAL_NOT_OPEN", "{payload}");
                last_refused = Some(instant(&payload["serverTime"]));
            }
            None => break payload,
        }
    };
    let placed_at = instant(&first_sold["order"]["placedAt"]);
    assert!(instant(&first_sold["serverTime"]) >= instant(&opens_at));
    // A refusal is decided a moment before it is answered.
    let opened = instant(&opens_at);
    assert!(last_refused.unwrap() < opened + LATE);
    assert!(placed_at > opened - LATE && placed_at < opened + LATE);
    server.assert_clean().await;
}

#[tokio::test]
async fn an_upcoming_deal_can_move_and_one_that_has_begun_cannot() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let later = json!(seller.server_time_in(3_600_000).await);
    let sale = Sale::of(10).deal(json!({ "opensAt": later, "limitPerBuyer": 1 }));
    let deal = seller.sell(sale).await;
    let mut stock = Socket::stock_changed(&server.anybody(), &[&deal]).await;
    assert_eq!(stock.next().await["phase"], "UPCOMING");

    let soon = json!(seller.server_time_in(2_000).await);
    let window = |version: i64, opens_at: &Value, limit: Value| {
        json!({
            "itemId": deal, "expectedVersion": version, "opensAt": opens_at,
            "limitPerBuyer": limit,
        })
    };
    let payload = seller.schedule_deal(window(1, &soon, json!(2))).await;
    assert_eq!(code(&payload), None, "{payload}");
    assert_eq!(payload["item"]["version"], 2);
    assert_eq!(payload["item"]["deal"]["opensAt"], soon);
    let payload = seller.schedule_deal(window(1, &later, json!(2))).await;
    assert_eq!(code(&payload), Some("VERSION_CONFLICT"), "{payload}");
    assert_eq!(payload["userErrors"][0]["current"], 2);

    // It opens at its new time, with its new limit.
    until_time(&seller, &soon).await;
    stock.until(|event| event["phase"] == "OPEN").await;
    let buyer = server.sign_in(Demo::Customer).await;
    let payload = buyer.place(&[line(&deal, 3)]).await;
    assert_eq!(payload["userErrors"][0]["limit"], 2, "{payload}");
    buyer.hold(&deal, 2).await;

    // Now it has begun.
    let payload = seller.schedule_deal(window(2, &later, json!(2))).await;
    assert_eq!(code(&payload), Some("DEAL_HAS_BEGUN"), "{payload}");
    assert_eq!(payload["userErrors"][0]["openedAt"], soon);
    // Its limit and its end are still its seller's to change.
    let payload = seller.schedule_deal(window(2, &soon, Value::Null)).await;
    assert_eq!(code(&payload), None, "{payload}");
    buyer.hold(&deal, 5).await;
    let mut ended = window(3, &soon, Value::Null);
    ended["closesAt"] = json!(seller.server_time_in(1_000).await);
    let payload = seller.schedule_deal(ended).await;
    assert_eq!(code(&payload), None, "{payload}");
    stock.until(|event| event["phase"] == "CLOSED").await;
    let payload = buyer.place(&[line(&deal, 1)]).await;
    assert_eq!(code(&payload), Some("DEAL_CLOSED"), "{payload}");
    server.assert_clean().await;
}

#[tokio::test]
async fn a_window_has_to_make_sense() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let (one, two) = (
        seller.server_time_in(60_000).await,
        seller.server_time_in(120_000).await,
    );
    let past = "2026-01-01T00:00:00Z";
    for (deal, field, rule) in [
        (
            json!({ "opensAt": two, "closesAt": one }),
            "closesAt",
            "ENDS_BEFORE_IT_BEGINS",
        ),
        (
            json!({ "opensAt": past, "closesAt": past }),
            "closesAt",
            "IN_THE_PAST",
        ),
        (
            json!({ "opensAt": one, "limitPerBuyer": 0 }),
            "limitPerBuyer",
            "TOO_SMALL",
        ),
        (
            json!({ "opensAt": one, "limitPerBuyer": -1 }),
            "limitPerBuyer",
            "TOO_SMALL",
        ),
    ] {
        let sale = Sale::of(1).deal(deal.clone());
        let payload = seller
            .create_item(&sale, &crate::support::fresh_key())
            .await;
        let refusal = &payload["userErrors"][0];
        assert_eq!(refusal["rule"], rule, "{deal}: {payload}");
        assert_eq!(refusal["field"], json!(["deal", field]), "{deal}");
    }
    let general = seller.sell(Sale::of(1)).await;
    let payload = seller
        .schedule_deal(json!({ "itemId": general, "expectedVersion": 1, "opensAt": one }))
        .await;
    assert_eq!(code(&payload), Some("NOT_A_TIME_DEAL"), "{payload}");
}

/// Controls a deal as it is now; what it is after that.
async fn control(seller: &Caller, mutation: &str, deal: &str) -> Value {
    let version = &seller.item(deal).await["version"];
    let payload = seller.control_deal(mutation, deal, version).await;
    assert_eq!(code(&payload), None, "{payload}");
    payload["item"]["deal"].clone()
}

#[tokio::test]
async fn a_deal_is_paused_goes_on_and_is_ended() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let deal = seller.sell(Sale::of(10).limited_to(10)).await;
    let mut stock = Socket::stock_changed(&server.anybody(), &[&deal]).await;
    stock.until(|event| event["phase"] == "OPEN").await;
    let kept = buyer.hold(&deal, 2).await;

    let paused = control(&seller, "pauseDeal", &deal).await;
    assert_eq!(paused["phase"], "PAUSED", "{paused}");
    stock.until(|event| event["phase"] == "PAUSED").await;
    let payload = buyer.place(&[line(&deal, 1)]).await;
    assert_eq!(code(&payload), Some("DEAL_PAUSED"), "{payload}");
    // What is held stays so, and can be paid.
    assert_eq!(code(&buyer.pay(&kept, "tok_approve").await), None);
    buyer.until_state(&kept, "PAID").await;

    let open = control(&seller, "resumeDeal", &deal).await;
    assert_eq!(open["phase"], "OPEN", "{open}");
    stock.until(|event| event["phase"] == "OPEN").await;
    buyer.hold(&deal, 1).await;

    let ended = control(&seller, "endDeal", &deal).await;
    assert_eq!(ended["phase"], "CLOSED", "{ended}");
    stock.until(|event| event["phase"] == "CLOSED").await;
    let payload = buyer.place(&[line(&deal, 1)]).await;
    assert_eq!(code(&payload), Some("DEAL_CLOSED"), "{payload}");
    assert_eq!(buyer.available(&deal).await, 7);
    // For good.
    let version = &seller.item(&deal).await["version"];
    for mutation in ["pauseDeal", "resumeDeal", "endDeal"] {
        let payload = seller.control_deal(mutation, &deal, version).await;
        assert_eq!(code(&payload), Some("DEAL_CLOSED"), "{payload}");
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn a_deal_that_is_ended_before_it_begins_never_sells() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let opens_at = json!(buyer.server_time_in(2_000).await);
    let deal = seller
        .sell(Sale::of(10).deal(json!({ "opensAt": opens_at })))
        .await;
    let ended = control(&seller, "endDeal", &deal).await;
    assert_eq!(ended["phase"], "CLOSED", "{ended}");
    until_time(&buyer, &opens_at).await;
    let payload = buyer.place(&[line(&deal, 1)]).await;
    assert_eq!(code(&payload), Some("DEAL_CLOSED"), "{payload}");
    server.assert_clean().await;
}

#[tokio::test]
async fn a_deal_is_controlled_by_its_seller_as_it_was_seen() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let deal = seller.sell(Sale::of(10).limited_to(10)).await;
    let general = seller.sell(Sale::of(10)).await;
    let seen = &seller.item(&deal).await["version"];
    control(&seller, "pauseDeal", &deal).await;
    for mutation in ["pauseDeal", "resumeDeal", "endDeal"] {
        let payload = seller.control_deal(mutation, &deal, seen).await;
        assert_eq!(code(&payload), Some("VERSION_CONFLICT"), "{payload}");
        let payload = seller.control_deal(mutation, &general, seen).await;
        assert_eq!(code(&payload), Some("NOT_A_TIME_DEAL"), "{payload}");
        let payload = seller.control_deal(mutation, "item_1", seen).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
        let buyer = server.sign_in(Demo::Customer).await;
        let payload = buyer.control_deal(mutation, &deal, seen).await;
        assert_eq!(code(&payload), Some("FORBIDDEN"), "{payload}");
        let payload = server.anybody().control_deal(mutation, &deal, seen).await;
        assert_eq!(code(&payload), Some("UNAUTHENTICATED"), "{payload}");
    }
    assert_eq!(seller.item(&deal).await["deal"]["phase"], "PAUSED");
    // An admin may; another seller's is not there.
    let admin = server.sign_in(Demo::Admin).await;
    control(&admin, "resumeDeal", &deal).await;
    let own = admin.sell(Sale::of(1).limited_to(1)).await;
    let seen = &seller.item(&own).await["version"];
    let payload = seller.control_deal("endDeal", &own, seen).await;
    assert_eq!(code(&payload), Some("NOT_FOUND"), "{payload}");
    server.assert_clean().await;
}
