//! Races by the hundred over what comes after the sale: each has one outcome, and units and money
//! are right to the last one.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Caller, Demo, Sale, Server, Shop, code, instant};

const ORDERS: usize = 100;

/// A seller's item, a buyer, and a hundred paid orders of two units each.
async fn hundred(server: &Server) -> (String, Caller, Vec<String>) {
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(2 * 100)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let orders = join_all((0..ORDERS).map(|_| buyer.own(&item, 2))).await;
    (item, buyer, orders)
}

/// How many payloads say that it was done.
fn done(payloads: &[Value]) -> usize {
    let done = payloads.iter().filter(|payload| code(payload).is_none());
    done.count()
}

#[tokio::test]
async fn of_two_who_cancel_one_does() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer, orders) = hundred(&server).await;
    let races = orders.iter().map(|order| async {
        let both = join_all((0..2).map(|_| buyer.cancel(order))).await;
        assert_eq!(done(&both), 1, "{both:?}");
    });
    join_all(races).await;
    for order in &orders {
        let order = buyer
            .until_after(order, "refunded", |order| {
                !order["refunds"][0]["completedAt"].is_null()
            })
            .await;
        assert_eq!(order["state"], "CANCELLED");
        assert_eq!(order["refunds"].as_array().unwrap().len(), 1);
        assert_eq!(order["refunds"][0]["amount"]["amount"], "2000");
    }
    buyer.until_available(&item, 200).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn of_cancelling_and_dispatching_one_happens() {
    let shop = Shop::with(&[
        ("DELIVERY__DAY", "20s"),
        ("DELIVERY__DAYS_TO_DELIVER", "600"),
    ]);
    let server = shop.start().await;
    let (item, buyer, orders) = hundred(&server).await;
    let races = orders.iter().enumerate().map(|(number, order)| {
        let buyer = &buyer;
        async move {
            let document = "query($id: ID!) { order(id: $id) { shipment { dispatchDueAt } } }";
            let data = buyer.ask(document, json!({ "id": order })).await;
            let due = &data["order"]["shipment"]["dispatchDueAt"];
            let left = match due {
                // It has left already.
                Value::Null => Duration::ZERO,
                due => (instant(due) - buyer.server_time().await)
                    .to_std()
                    .unwrap_or_default(),
            };
            // From half a second before it is due to long after.
            let early = left.saturating_sub(Duration::from_millis(500));
            sleep(early + Duration::from_millis(40 * number as u64)).await;
            code(&buyer.cancel(order).await).is_none()
        }
    });
    let cancelled = join_all(races).await;
    let mut units = 0;
    for (order, cancelled) in orders.iter().zip(&cancelled) {
        let after = buyer
            .until_after(order, "cancelled or gone", |order| {
                order["shipment"]["state"] != "PREPARING"
            })
            .await;
        let (state, shipment) = if *cancelled {
            ("CANCELLED", "CANCELLED")
        } else {
            ("PAID", "IN_TRANSIT")
        };
        assert_eq!(
            (&after["state"], &after["shipment"]["state"]),
            (&json!(state), &json!(shipment))
        );
        let refunds = after["refunds"].as_array().unwrap().len();
        assert_eq!(refunds, usize::from(*cancelled));
        units += if *cancelled { 0 } else { 2 };
    }
    assert!(
        cancelled.contains(&true) && cancelled.contains(&false),
        "both happen: {cancelled:?}"
    );
    buyer.until_available(&item, 200 - units).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn what_two_give_back_comes_back_once() {
    let settings = [
        ("DELIVERY__DAY", "1s"),
        ("RETURNS__DAYS_TO_REQUEST", "600"),
        ("RETURNS__DAYS_TO_COMPLETE", "600"),
    ];
    let shop = Shop::with(&settings);
    let server = shop.start().await;
    let (item, buyer, orders) = hundred(&server).await;
    let admin = server.sign_in(Demo::Admin).await;
    let races = orders.iter().map(async |order| {
        buyer.until_delivered(order).await;
        let ask = || {
            let input = json!({ "orderId": order, "reason": "two hands, one parcel" });
            buyer.change("requestReturn", input)
        };
        let both = join_all((0..2).map(|_| ask())).await;
        assert_eq!(done(&both), 1, "{both:?}");
        let asked = both.iter().find(|payload| code(payload).is_none()).unwrap();
        let id = asked["order"]["returns"][0]["id"].clone();
        // Two operators, of two minds.
        let approve = admin.change("approveReturn", json!({ "returnId": id }));
        let reject = admin.change("rejectReturn", json!({ "returnId": id, "note": "Worn." }));
        let (approve, reject) = tokio::join!(approve, reject);
        let both = [approve, reject];
        assert_eq!(done(&both), 1, "{both:?}");
        code(&both[0]).is_none()
    });
    let approved = join_all(races).await;
    let mut units = 0;
    for (order, approved) in orders.iter().zip(&approved) {
        let after = buyer.after(order).await;
        let state = if *approved { "COMPLETED" } else { "REJECTED" };
        assert_eq!(after["returns"].as_array().unwrap().len(), 1);
        assert_eq!(after["returns"][0]["state"], state);
        let refunds = after["refunds"].as_array().unwrap().len();
        assert_eq!(refunds, usize::from(*approved));
        units += if *approved { 0 } else { 2 };
    }
    buyer.until_available(&item, 200 - units).await;
    server.assert_clean().await;
}
