//! Money: what each of the provider's answers comes to, and who wins when several things happen to
//! an order at once.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Caller, Demo, Sale, Server, Shop, code, instant};

/// A seller's item with so many units, and a buyer.
async fn market(server: &Server, units: i64) -> (String, Caller) {
    let item = server
        .sign_in(Demo::Seller)
        .await
        .sell(Sale::of(units))
        .await;
    (item, server.sign_in(Demo::Customer).await)
}

/// State and reason of each attempt.
fn attempts(order: &Value) -> Value {
    let attempts = order["payment"]["attempts"].as_array().unwrap().iter();
    attempts
        .map(|attempt| {
            json!([
                attempt["number"],
                attempt["state"],
                attempt["declineReason"]
            ])
        })
        .collect()
}

#[tokio::test]
async fn every_answer_of_the_provider_comes_to_its_end() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "300ms")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;
    for (method, state, attempt) in [
        ("tok_approve", "PAID", json!([1, "CAPTURED", null])),
        (
            "tok_timeout_then_approve",
            "PAID",
            json!([1, "CAPTURED", null]),
        ),
        ("tok_answer_twice", "PAID", json!([1, "CAPTURED", null])),
        (
            "tok_decline",
            "PENDING_PAYMENT",
            json!([1, "DECLINED", "REFUSED"]),
        ),
        (
            "tok_of_nobody",
            "PENDING_PAYMENT",
            json!([1, "DECLINED", "UNKNOWN_METHOD"]),
        ),
    ] {
        let order = buyer.hold(&item, 1).await;
        let payload = buyer.pay(&order, method).await;
        assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
        let settled = buyer
            .until_order(&order, "settled", |order| order["state"] != "PAYING")
            .await;
        assert_eq!(settled["state"], state, "{method}: {settled}");
        assert_eq!(attempts(&settled), json!([attempt]), "{method}");
        assert_eq!(settled["refunds"], json!([]), "{method}");
    }
    // The declined ones still have their units.
    assert_eq!(buyer.available(&item).await, 5);
    server.assert_clean().await;
}

#[tokio::test]
async fn who_is_declined_may_try_again_while_time_is_left() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;
    let order = buyer.hold(&item, 1).await;
    let due = buyer.order(&order).await["paymentDueAt"].clone();
    for number in 1..=2 {
        buyer.pay(&order, "tok_decline").await;
        let back = buyer
            .until_order(&order, "declined", |order| {
                order["state"] == "PENDING_PAYMENT"
            })
            .await;
        assert_eq!(attempts(&back).as_array().unwrap().len(), number);
        // A try does not buy time.
        assert_eq!(back["paymentDueAt"], due);
    }
    buyer.pay(&order, "tok_approve").await;
    let paid = buyer.until_state(&order, "PAID").await;
    assert_eq!(
        attempts(&paid),
        json!([
            [1, "DECLINED", "REFUSED"],
            [2, "DECLINED", "REFUSED"],
            [3, "CAPTURED", null]
        ])
    );
    assert_eq!(paid["payment"]["state"], "CAPTURED");
    server.assert_clean().await;
}

#[tokio::test]
async fn some_shoppers_abandon() {
    let shop = Shop::with(&[("PAYMENT__SIMULATED__LATENCY", "1ms")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 40).await;
    let orders = join_all((0..40).map(|_| async {
        let order = buyer.hold(&item, 1).await;
        buyer.pay(&order, "tok_shopper").await;
        buyer
            .until_order(&order, "settled", |order| order["state"] != "PAYING")
            .await
    }))
    .await;
    let paid = orders.iter().filter(|order| order["state"] == "PAID");
    let abandoned = orders
        .iter()
        .filter(|order| attempts(order) == json!([[1, "DECLINED", "ABANDONED"]]));
    let (paid, abandoned) = (paid.count(), abandoned.count());
    assert_eq!(paid + abandoned, 40);
    // 36 % of them abandon; all or none of forty would be one in ten million.
    assert!(
        paid > 0 && abandoned > 0,
        "{paid} paid, {abandoned} did not"
    );
    server.assert_clean().await;
}

#[tokio::test]
async fn only_one_payment_of_an_order_is_in_flight() {
    let shop = Shop::with(&[("PAYMENT__SIMULATED__LATENCY", "1s")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;
    let order = buyer.hold(&item, 1).await;
    let both = join_all((0..2).map(|_| buyer.pay(&order, "tok_approve"))).await;
    let (paying, refused): (Vec<_>, Vec<_>) =
        both.iter().partition(|payload| code(payload).is_none());
    assert_eq!((paying.len(), refused.len()), (1, 1), "{both:?}");
    assert_eq!(paying[0]["order"]["state"], "PAYING");
    assert_eq!(refused[0]["userErrors"][0]["code"], "STATE_CONFLICT");
    assert_eq!(refused[0]["userErrors"][0]["state"], "PAYING");

    let payload = buyer.cancel(&order).await;
    assert_eq!(code(&payload), Some("STATE_CONFLICT"), "{payload}");
    let paid = buyer.until_state(&order, "PAID").await;
    assert_eq!(attempts(&paid), json!([[1, "CAPTURED", null]]));
    server.assert_clean().await;
}

#[tokio::test]
async fn a_payment_in_flight_outlives_the_time_to_pay() {
    let shop = Shop::with(&[
        ("ORDERS__HOLD", "3s"),
        ("PAYMENT__SIMULATED__LATENCY", "5s"),
    ]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;
    let [captured, declined, unpaid] = [
        buyer.hold(&item, 1).await,
        buyer.hold(&item, 2).await,
        buyer.hold(&item, 4).await,
    ];
    let payloads = join(
        buyer.pay(&captured, "tok_approve"),
        buyer.pay(&declined, "tok_decline"),
    )
    .await;
    assert_eq!(payloads.0["order"]["state"], "PAYING", "{payloads:?}");
    assert_eq!(payloads.1["order"]["state"], "PAYING", "{payloads:?}");

    // The one that was placed last and is not being paid expires; these two stay.
    let expired = buyer.until_state(&unpaid, "EXPIRED").await;
    assert_eq!(expired["payment"], Value::Null);
    assert_eq!(buyer.order(&captured).await["state"], "PAYING");
    assert_eq!(buyer.order(&declined).await["state"], "PAYING");
    let payload = buyer.pay(&unpaid, "tok_approve").await;
    assert_eq!(code(&payload), Some("STATE_CONFLICT"), "{payload}");
    assert_eq!(payload["userErrors"][0]["state"], "EXPIRED");

    buyer.until_state(&captured, "PAID").await;
    let failed = buyer.until_state(&declined, "PAYMENT_FAILED").await;
    assert_eq!(attempts(&failed), json!([[1, "DECLINED", "REFUSED"]]));
    assert_eq!(buyer.available(&item).await, 9);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_payment_after_the_time_is_refused() {
    let shop = Shop::with(&[("ORDERS__HOLD", "2s")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 30).await;
    // Between the end of the time and the expiry worker's next look there is up to half a second.
    let refusals = join_all((0..30).map(|number| {
        let (item, buyer) = (&item, &buyer);
        async move {
            let order = buyer.hold(item, 1).await;
            let due = instant(&buyer.order(&order).await["paymentDueAt"]);
            let left = due - buyer.server_time().await;
            let late = Duration::from_millis(5 + 10 * number);
            sleep(left.to_std().unwrap_or_default() + late).await;
            let payload = buyer.pay(&order, "tok_approve").await;
            code(&payload).map(str::to_owned)
        }
    }))
    .await;
    for refusal in &refusals {
        let refusal = refusal.as_deref();
        assert!(
            matches!(refusal, Some("PAYMENT_WINDOW_CLOSED" | "STATE_CONFLICT")),
            "{refusals:?}"
        );
    }
    assert!(
        refusals.contains(&Some("PAYMENT_WINDOW_CLOSED".to_owned())),
        "{refusals:?}"
    );
    buyer.until_available(&item, 30).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn a_cancelled_order_gives_back_units_and_money() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;

    let pending = buyer.hold(&item, 2).await;
    let payload = buyer.cancel(&pending).await;
    assert_eq!(payload["order"]["state"], "CANCELLED", "{payload}");
    assert_eq!(payload["order"]["refunds"], json!([]));
    // Back at once.
    assert_eq!(buyer.available(&item).await, 10);

    let paid = buyer.own(&item, 3).await;
    assert_eq!(buyer.available(&item).await, 7);
    let payload = buyer.cancel(&paid).await;
    assert_eq!(payload["order"]["state"], "CANCELLED", "{payload}");
    assert_eq!(buyer.available(&item).await, 10);
    let refunded = buyer
        .until_order(&paid, "refunded", |order| {
            order["refunds"][0]["completedAt"] != Value::Null
        })
        .await;
    assert_eq!(refunded["refunds"].as_array().unwrap().len(), 1);
    let refund = &refunded["refunds"][0];
    assert_eq!(refund["reason"], "CANCELLED");
    assert_eq!(refund["amount"], refunded["total"]);
    assert_eq!(
        refund["paymentId"],
        refunded["payment"]["attempts"][0]["id"]
    );
    assert_eq!(refunded["shipment"]["state"], "CANCELLED");

    for order in [pending, paid] {
        for payload in [
            buyer.cancel(&order).await,
            buyer.pay(&order, "tok_approve").await,
        ] {
            assert_eq!(code(&payload), Some("STATE_CONFLICT"), "{payload}");
            assert_eq!(payload["userErrors"][0]["state"], "CANCELLED");
        }
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn a_dispatched_order_cannot_be_cancelled() {
    let shop = Shop::with(&[("DELIVERY__DAY", "1s")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 10).await;
    let order = buyer.own(&item, 1).await;
    let gone = |order: &Value| order["shipment"]["state"] != "PREPARING";
    buyer.until_order(&order, "dispatched", gone).await;
    let payload = buyer.cancel(&order).await;
    assert_eq!(code(&payload), Some("STATE_CONFLICT"), "{payload}");
    assert_eq!(payload["userErrors"][0]["state"], "PAID");
    let allowed = payload["userErrors"][0]["allowed"].as_array().unwrap();
    assert!(!allowed.contains(&json!("CANCEL")), "{payload}");
    let actions = &buyer.order(&order).await["actions"];
    for action in actions.as_array().unwrap() {
        let is_over = action["allowed"] == false || action["action"] == "REQUEST_RETURN";
        assert!(is_over, "{actions}");
    }
    assert_eq!(buyer.available(&item).await, 9);
    server.assert_clean().await;
}

/// What was asked of an order around the end of its time, and what came of it.
struct Race {
    order: String,
    paid: bool,
    cancelled: bool,
}

/// Pays and cancels an order, each so many milliseconds after its time is over.
async fn run_race(buyer: &Caller, item: &str, pay_at: i64, cancel_at: i64) -> Race {
    let order = buyer.hold(item, 1).await;
    let due = instant(&buyer.order(&order).await["paymentDueAt"]);
    let left = (due - buyer.server_time().await).num_milliseconds();
    let wait = |at: i64| sleep(Duration::from_millis((left + at).try_into().unwrap_or(0)));
    let pay = async {
        wait(pay_at).await;
        buyer.pay(&order, "tok_approve").await
    };
    let cancel = async {
        wait(cancel_at).await;
        buyer.cancel(&order).await
    };
    let (pay, cancel) = join(pay, cancel).await;
    Race {
        paid: code(&pay).is_none(),
        cancelled: code(&cancel).is_none(),
        order,
    }
}

#[tokio::test]
async fn one_of_paying_cancelling_and_expiring_wins() {
    // A payment takes so long that nobody can cancel what it has paid.
    let shop = Shop::with(&[
        ("ORDERS__HOLD", "5s"),
        ("PAYMENT__SIMULATED__LATENCY", "2s"),
    ]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 120).await;
    let races = (0..120).map(|number| {
        let step = i64::from(number / 3 % 10);
        let (pay_at, cancel_at) = match number % 3 {
            // Each other, in time.
            0 => (-300 + step, -305 + 2 * step),
            // The clock, the buyer having second thoughts.
            1 => (-25 + 5 * step, 100 + 50 * step),
            // The expiry worker.
            _ => (60 * step, 10 + 60 * step),
        };
        run_race(&buyer, &item, pay_at, cancel_at)
    });
    let races = join_all(races).await;
    let mut sold = 0;
    for race in &races {
        assert!(!(race.paid && race.cancelled), "{}", race.order);
        let state = match (race.paid, race.cancelled) {
            (true, _) => "PAID",
            (_, true) => "CANCELLED",
            _ => "EXPIRED",
        };
        let order = buyer
            .until_order(&race.order, state, |order| {
                !["PENDING_PAYMENT", "PAYING"].contains(&order["state"].as_str().unwrap())
            })
            .await;
        assert_eq!(order["state"], state, "{order}");
        assert_eq!(order["refunds"], json!([]));
        sold += i64::from(race.paid);
    }
    assert_eq!(buyer.available(&item).await, 120 - sold);
    server.assert_clean().await;
}
