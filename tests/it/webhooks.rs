//! A payment provider behind a network, which tells of payments by webhooks: late, twice, forged.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Caller, Demo, Sale, Server, Shop, WEBHOOK_SECRET, code, until};

const PATH: &str = "/webhooks/payments";
/// Nobody asks after a payment by time: what is settled is settled by an answer or a webhook.
const NOT_BY_TIME: (&str, &str) = ("PAYMENT__ASK_AGAIN_AFTER", "1h");

async fn market(server: &Server) -> (String, Caller) {
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    (item, server.sign_in(Demo::Customer).await)
}

/// The header that proves a body to come from the provider at that time.
fn signed(secret: &str, body: &str, at: DateTime<Utc>) -> String {
    let at = at.timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let mut header = format!("t={at},v1=");
    for byte in mac.finalize().into_bytes() {
        write!(header, "{byte:02x}").unwrap();
    }
    header
}

async fn send(caller: &Caller, body: &str, signature: Option<&str>) -> u16 {
    let mut request = caller.request(Method::POST, PATH).body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("Stripe-Signature", signature);
    }
    request.send().await.unwrap().status().as_u16()
}

/// An event that says that a payment was captured.
fn succeeded(payment: &str) -> String {
    let intent = json!({
        "id": "pi_of_nobody", "object": "payment_intent", "status": "succeeded",
        "amount": 9_999_999, "amount_received": 9_999_999, "currency": "krw",
        "metadata": { "payment": payment }
    });
    json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded",
        "data": { "object": intent }
    })
    .to_string()
}

/// The id of an order's newest payment, as the provider knows it.
fn payment_id(order: &Value) -> String {
    let attempts = order["payment"]["attempts"].as_array().unwrap();
    let id = attempts.last().unwrap()["id"].as_str().unwrap();
    let digits = id.strip_prefix("payment_").unwrap().bytes();
    let value = |digit: u8| DIGITS.iter().position(|known| *known == digit).unwrap() as u128;
    let bits = digits.fold(0, |bits, digit| bits << 5 | value(digit));
    uuid::Uuid::from_u128(bits).to_string()
}

/// Of the ids that clients see.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[tokio::test]
async fn every_method_comes_to_its_end_over_the_network_too() {
    let shop = Shop::with_provider(&[("PAYMENT__ASK_AGAIN_AFTER", "300ms")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    for (method, state, attempt) in [
        ("tok_approve", "PAID", json!(["CAPTURED", null])),
        (
            "tok_timeout_then_approve",
            "PAID",
            json!(["CAPTURED", null]),
        ),
        ("tok_answer_twice", "PAID", json!(["CAPTURED", null])),
        (
            "tok_decline",
            "PENDING_PAYMENT",
            json!(["DECLINED", "REFUSED"]),
        ),
        (
            "tok_requires_action",
            "PENDING_PAYMENT",
            json!(["DECLINED", "REFUSED"]),
        ),
        (
            "tok_of_nobody",
            "PENDING_PAYMENT",
            json!(["DECLINED", "UNKNOWN_METHOD"]),
        ),
    ] {
        let order = buyer.hold(&item, 1).await;
        buyer.pay(&order, method).await;
        let settled = |order: &Value| order["state"] != "PAYING";
        let order = buyer.until_order(&order, "settled", settled).await;
        let last = &order["payment"]["attempts"][0];
        assert_eq!(order["state"], state, "{method}");
        assert_eq!(
            json!([last["state"], last["declineReason"]]),
            attempt,
            "{method}"
        );
    }
    let paid = buyer.own(&item, 1).await;
    buyer.cancel(&paid).await;
    let refunded = |order: &Value| order["refunds"][0]["state"] == "COMPLETED";
    buyer.until_order(&paid, "refunded", refunded).await;
    server.assert_clean().await;
    shop.provider().assert_calm();
}

#[tokio::test]
async fn a_success_after_the_order_is_gone_is_given_back_and_says_so() {
    let shop = Shop::with_provider(&[
        ("ORDERS__HOLD", "4s"),
        ("PAYMENT__SIMULATED__LATE", "8s"),
        // Told twice, at the same moment.
        ("PAYMENT__SIMULATED__DUPLICATE_WEBHOOKS", "1.0"),
        NOT_BY_TIME,
    ]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    let order = buyer.hold(&item, 2).await;
    buyer.pay(&order, "tok_decline_then_approve").await;
    let declined = |order: &Value| order["payment"]["state"] == "DECLINED";
    buyer.until_order(&order, "declined", declined).await;
    buyer.until_state(&order, "EXPIRED").await;
    let refunded = |order: &Value| order["refunds"][0]["state"] == "COMPLETED";
    let gone = buyer.until_order(&order, "refunded", refunded).await;
    assert_eq!(gone["state"], "EXPIRED");
    assert_eq!(gone["payment"]["attempts"][0]["state"], "CAPTURED");
    assert_eq!(gone["refunds"].as_array().unwrap().len(), 1, "{gone}");
    let refund = &gone["refunds"][0];
    assert_eq!(refund["reason"], "STRAY_CAPTURE");
    assert_eq!(refund["amount"], gone["total"]);
    assert_eq!(buyer.available(&item).await, 10);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_success_after_another_payment_is_given_back_too() {
    let shop = Shop::with_provider(&[("PAYMENT__SIMULATED__LATE", "3s"), NOT_BY_TIME]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    let order = buyer.hold(&item, 1).await;
    buyer.pay(&order, "tok_decline_then_approve").await;
    buyer.until_state(&order, "PENDING_PAYMENT").await;
    buyer.pay(&order, "tok_approve").await;
    let refunded = |order: &Value| order["refunds"][0]["state"] == "COMPLETED";
    let order = buyer.until_order(&order, "refunded", refunded).await;
    assert_eq!(order["state"], "PAID");
    let first = &order["payment"]["attempts"][0];
    assert_eq!(order["refunds"][0]["paymentId"], first["id"]);
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1);
    server.assert_clean().await;
}

#[tokio::test]
async fn what_takes_long_is_settled_by_its_webhook() {
    let shop = Shop::with_provider(&[
        ("PAYMENT__SIMULATED__LATE", "1s"),
        ("PAYMENT__SIMULATED__WEBHOOK_DELAY", "500ms"),
        NOT_BY_TIME,
    ]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    let order = buyer.hold(&item, 1).await;
    let payload = buyer.pay(&order, "tok_late").await;
    assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
    let paid = buyer.until_state(&order, "PAID").await;
    assert_eq!(paid["payment"]["attempts"][0]["state"], "CAPTURED");
    assert_eq!(paid["refunds"], json!([]));
    server.assert_clean().await;
}

#[tokio::test]
async fn a_webhook_that_is_not_proven_is_not_heard() {
    let shop = Shop::with_provider(&[]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    let order = buyer.hold(&item, 1).await;
    buyer.pay(&order, "tok_decline").await;
    let declined = buyer.until_state(&order, "PENDING_PAYMENT").await;
    let now = buyer.server_time().await;
    let body = succeeded(&payment_id(&declined));
    let anybody = server.anybody();
    assert_eq!(send(&anybody, &body, None).await, 400);
    assert_eq!(send(&anybody, &body, Some("t=1,v1=2")).await, 400);
    let forged = signed("whsec_of_somebody", &body, now);
    assert_eq!(send(&anybody, &body, Some(&forged)).await, 400);
    let old = signed(WEBHOOK_SECRET, &body, now - chrono::TimeDelta::minutes(6));
    assert_eq!(send(&anybody, &body, Some(&old)).await, 400);
    let other = signed(WEBHOOK_SECRET, "{}", now);
    assert_eq!(send(&anybody, &body, Some(&other)).await, 400);
    let nonsense = signed(WEBHOOK_SECRET, "{}", now);
    assert_eq!(send(&anybody, "{}", Some(&nonsense)).await, 400);
    let large = "x".repeat(300 * 1024);
    assert_eq!(send(&anybody, &large, Some(&other)).await, 413);
    // Proven, and a lie all the same: the provider is asked, and knows of nothing.
    let right = signed(WEBHOOK_SECRET, &body, now);
    assert_eq!(send(&anybody, &body, Some(&right)).await, 503);
    assert_eq!(buyer.order(&order).await, declined);
    let get = anybody.request(Method::GET, PATH).send().await.unwrap();
    assert_eq!(get.status(), 405);
    server.assert_audit(0).await;
}

#[tokio::test]
async fn the_same_webhook_again_and_one_of_somebody_else_change_nothing() {
    let shop = Shop::with_provider(&[]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    let order = buyer.own(&item, 1).await;
    let paid = buyer.order(&order).await;
    let now = buyer.server_time().await;
    let anybody = server.anybody();
    let known = succeeded(&payment_id(&paid));
    let strange = succeeded("00000000-0000-4000-8000-000000000000");
    let other = json!({ "type": "customer.created", "data": { "object": {} } }).to_string();
    for body in [known, strange, other] {
        let signature = signed(WEBHOOK_SECRET, &body, now);
        let sent = (0..3).map(|_| send(&anybody, &body, Some(&signature)));
        assert_eq!(join_all(sent).await, [200; 3], "{body}");
    }
    assert_eq!(buyer.order(&order).await, paid);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_hundred_payments_are_taken_once_however_often_and_early_they_are_told() {
    // The provider thinks for a moment, and tells everything twice itself.
    let shop = Shop::with_provider(&[
        ("PAYMENT__SIMULATED__LATENCY", "300ms"),
        ("PAYMENT__SIMULATED__DUPLICATE_WEBHOOKS", "1.0"),
    ]);
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(100)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let anybody = server.anybody();
    let payments = (0..100).map(async |_| {
        let order = buyer.hold(&item, 1).await;
        let payload = buyer.pay(&order, "tok_approve").await;
        let body = succeeded(&payment_id(&payload["order"]));
        let now = buyer.server_time().await;
        let signature = signed(WEBHOOK_SECRET, &body, now);
        let thrice = || join_all((0..3).map(|_| send(&anybody, &body, Some(&signature))));
        // Before the answer: settled by it, or to be sent again.
        for status in thrice().await {
            assert!([200, 503].contains(&status), "{status}");
        }
        let paid = buyer.until_state(&order, "PAID").await;
        assert_eq!(thrice().await, [200; 3]);
        let after = buyer.order(&order).await;
        assert_eq!(after["version"], paid["version"], "nothing moved twice");
        assert_eq!(after["payment"]["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(after["refunds"], json!([]));
    });
    join_all(payments).await;
    assert_eq!(buyer.available(&item).await, 0);
    server.assert_clean().await;
}

#[tokio::test]
async fn payments_in_flight_outlive_a_provider_that_is_away() {
    let shop = Shop::with_provider(&[("PAYMENT__ASK_AGAIN_AFTER", "500ms")]);
    let server = shop.start().await;
    let (item, buyer) = market(&server).await;
    shop.provider().signal("-STOP");
    let order = buyer.hold(&item, 1).await;
    let payload = buyer.pay(&order, "tok_approve").await;
    assert_eq!(code(&payload), None, "{payload}");
    shop.provider().signal("-CONT");
    buyer.until_state(&order, "PAID").await;
    until("a clean audit", || async {
        server.assert_audit(0).await;
        Some(())
    })
    .await;
}
