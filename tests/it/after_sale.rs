//! What comes after the sale: parts that are cancelled, parcels that go where they should and come
//! back.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Server, Shop, code, fresh_key, line, portion, until};

/// Two items of a seller's, one at a thousand won and one at five hundred, and a buyer.
pub async fn market(server: &Server) -> ([String; 2], Caller) {
    let seller = server.sign_in(Demo::Seller).await;
    let one = seller.sell(Sale::of(10)).await;
    let other = seller.sell(Sale::of(10).at("500", "KRW")).await;
    ([one, other], server.sign_in(Demo::Customer).await)
}

/// An order of three units of the one and two of the other that is paid.
pub async fn paid(buyer: &Caller, items: &[String; 2]) -> String {
    let payload = buyer.place(&[line(&items[0], 3), line(&items[1], 2)]).await;
    let order = payload["order"]["id"].as_str().unwrap().to_owned();
    buyer.until_state(&order, "PENDING_PAYMENT").await;
    assert_eq!(code(&buyer.pay(&order, "tok_approve").await), None);
    buyer.until_state(&order, "PAID").await;
    order
}

/// Amounts and reasons of the refunds that the provider has paid, once there are so many.
pub async fn refunds(buyer: &Caller, order: &str, count: usize) -> Value {
    let order = buyer
        .until_after(order, "refunded", |order| {
            let refunds = order["refunds"].as_array().unwrap();
            refunds.len() == count && refunds.iter().all(|r| !r["completedAt"].is_null())
        })
        .await;
    let refunds = order["refunds"].as_array().unwrap().iter();
    refunds
        .map(|refund| json!([refund["reason"], refund["amount"]["amount"]]))
        .collect()
}

#[tokio::test]
async fn single_lines_and_quantities_are_cancelled_each_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let order = paid(&buyer, &items).await;

    let key = fresh_key();
    let input = json!({
        "idempotencyKey": key, "orderId": order, "lines": [portion(1, 2), portion(2, 1)],
    });
    let payload = buyer.change("cancelOrder", input.clone()).await;
    assert_eq!(code(&payload), None, "{payload}");
    let after = &payload["order"];
    assert_eq!(after["state"], "PAID");
    assert_eq!(after["total"]["amount"], "4000", "what was ordered");
    assert_eq!(after["currentTotal"]["amount"], "1500", "what is left");
    let units = |order: &Value| -> Vec<Value> {
        let lines = order["lines"].as_array().unwrap().iter();
        lines
            .map(|line| json!([line["number"], line["quantity"], line["cancelledQuantity"]]))
            .collect()
    };
    assert_eq!(units(after), [json!([1, 3, 2]), json!([2, 2, 1])]);
    assert_eq!(buyer.available(&items[0]).await, 9);
    assert_eq!(buyer.available(&items[1]).await, 9);

    check_repetitions(&buyer, input).await;
    check_refusals(&buyer, &order).await;

    // What is left, twice at once: it goes back once.
    let rest = [portion(1, 1), portion(2, 1)];
    let both = join_all((0..2).map(|_| buyer.cancel_parts(&order, &rest))).await;
    let done = both.iter().filter(|payload| code(payload).is_none());
    assert_eq!(done.count(), 1, "{both:?}");
    assert_eq!(buyer.after(&order).await["state"], "CANCELLED");
    assert_eq!(buyer.available(&items[0]).await, 10);
    assert_eq!(
        refunds(&buyer, &order, 2).await,
        json!([["CANCELLED", "2500"], ["CANCELLED", "1500"]])
    );
    server.assert_clean().await;
}

/// The same request again is the same answer; a key means one thing.
async fn check_repetitions(buyer: &Caller, input: Value) {
    let again = buyer.change("cancelOrder", input.clone()).await;
    assert_eq!((code(&again), &again["replayed"]), (None, &json!(true)));
    let mut other = input;
    other["lines"] = json!([portion(1, 1)]);
    let payload = buyer.change("cancelOrder", other).await;
    assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"));
}

/// What is not there, or not there any more, can't be cancelled.
async fn check_refusals(buyer: &Caller, order: &str) {
    for (lines, refusal, field) in [
        (
            vec![portion(1, 2)],
            "INVALID_INPUT",
            json!(["lines", "0", "quantity"]),
        ),
        (
            vec![portion(3, 1)],
            "NOT_FOUND",
            json!(["lines", "0", "line"]),
        ),
        (
            vec![portion(0, 1)],
            "NOT_FOUND",
            json!(["lines", "0", "line"]),
        ),
        (
            vec![portion(1, 0)],
            "INVALID_INPUT",
            json!(["lines", "0", "quantity"]),
        ),
        (
            vec![portion(1, 1), portion(1, 1)],
            "INVALID_INPUT",
            json!(["lines", "1", "line"]),
        ),
        (vec![], "INVALID_INPUT", json!(["lines"])),
    ] {
        let payload = buyer.cancel_parts(order, &lines).await;
        let error = &payload["userErrors"][0];
        assert_eq!(
            (code(&payload), &error["field"]),
            (Some(refusal), &field),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn what_is_cancelled_before_the_payment_is_not_paid() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let payload = buyer.place(&[line(&items[0], 3), line(&items[1], 2)]).await;
    let order = payload["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    let payload = buyer.cancel_parts(order, &[portion(1, 2)]).await;
    assert_eq!(code(&payload), None, "{payload}");
    assert_eq!(payload["order"]["state"], "PENDING_PAYMENT");
    buyer.pay(order, "tok_approve").await;
    buyer.until_state(order, "PAID").await;
    let after = buyer.after(order).await;
    assert_eq!(after["payment"]["attempts"][0]["amount"]["amount"], "2000");
    assert_eq!(after["refunds"], json!([]));
    server.assert_clean().await;
}

#[tokio::test]
async fn delivered_lines_come_back_once_and_are_refunded() {
    let settings = [("DELIVERY__DAY", "1s"), ("RETURNS__DAYS_TO_REQUEST", "600")];
    let shop = Shop::with(&settings);
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let order = paid(&buyer, &items).await;
    buyer.until_delivered(&order).await;
    let payload = buyer.cancel(&order).await;
    assert_eq!(code(&payload), Some("STATE_CONFLICT"), "it is delivered");

    let payload = buyer.give_back(&order, &[portion(1, 2)]).await;
    assert_eq!(code(&payload), None, "{payload}");
    let asked = &payload["order"]["returns"][0];
    assert_eq!(asked["state"], "REQUESTED");
    assert_eq!(asked["lines"], json!([portion(1, 2)]));
    assert_eq!(asked["reason"], "it does not fit me");
    // What is asked for can't be asked for again, in whole or in part.
    let payload = buyer.give_back(&order, &[portion(1, 2)]).await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    assert_eq!(payload["userErrors"][0]["bound"], "1");

    let after = buyer
        .until_after(&order, "returned", |order| {
            order["returns"][0]["state"] == "COMPLETED"
        })
        .await;
    assert_eq!(after["state"], "PAID");
    assert_eq!(after["lines"][0]["returnedQuantity"], 2);
    assert_eq!(after["currentTotal"]["amount"], "2000");
    buyer.until_available(&items[0], 9).await;
    assert_eq!(
        refunds(&buyer, &order, 1).await,
        json!([["RETURNED", "2000"]])
    );
    // The rest, twice at once: it comes back once.
    let both = join_all((0..2).map(|_| async {
        let input = json!({ "orderId": order, "reason": "none of it is any good" });
        buyer.change("requestReturn", input).await
    }))
    .await;
    let done = both.iter().filter(|payload| code(payload).is_none());
    assert_eq!(done.count(), 1, "{both:?}");
    assert_eq!(
        refunds(&buyer, &order, 2).await,
        json!([["RETURNED", "2000"], ["RETURNED", "2000"]])
    );
    buyer.until_available(&items[0], 10).await;
    buyer.until_available(&items[1], 10).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn a_return_has_its_time_and_its_reason() {
    let shop = Shop::with(&[("DELIVERY__DAY", "1s"), ("RETURNS__DAYS_TO_REQUEST", "0")]);
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let order = paid(&buyer, &items).await;
    let early = buyer.give_back(&order, &[portion(1, 1)]).await;
    assert_eq!(code(&early), Some("STATE_CONFLICT"), "{early}");
    assert_eq!(early["userErrors"][0]["state"], "PAID");
    buyer.until_delivered(&order).await;
    // The day of the delivery ends.
    let closed = until("the window to close", || async {
        let payload = buyer.give_back(&order, &[portion(1, 1)]).await;
        (code(&payload) == Some("RETURN_WINDOW_CLOSED")).then_some(payload)
    })
    .await;
    assert!(closed["userErrors"][0]["since"].is_string(), "{closed}");
    for (reason, rule) in [("too short", "TOO_SHORT"), (&*"x".repeat(51), "TOO_LONG")] {
        // The window comes first, the words are looked at where it is open.
        let input = json!({ "orderId": order, "reason": reason });
        let payload = buyer.change("requestReturn", input).await;
        assert!(code(&payload).is_some(), "{payload} for {rule}");
    }
    let stranger = server.sign_up("stranger").await;
    let payload = stranger.give_back(&order, &[portion(1, 1)]).await;
    assert_eq!(code(&payload), Some("NOT_FOUND"), "somebody else's");
    server.assert_clean().await;
}

#[tokio::test]
async fn a_parcel_goes_where_its_buyer_says() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let order = buyer.hold(&items[0], 1).await;
    let pay = |address: Value| {
        let method = "tok_approve";
        json!({ "orderId": order, "paymentMethod": method, "deliveryAddress": address })
    };
    let payload = buyer.change("payOrder", pay(json!("x".repeat(201)))).await;
    assert_eq!(
        payload["userErrors"][0]["field"],
        json!(["deliveryAddress"])
    );
    let payload = buyer
        .change("payOrder", pay(json!("12 Sejong-daero, Seoul")))
        .await;
    assert_eq!(code(&payload), None, "{payload}");
    buyer.until_state(&order, "PAID").await;
    let shipment = buyer.after(&order).await["shipment"].take();
    assert_eq!(shipment["address"], "12 Sejong-daero, Seoul");
    // The one of the profile, where none is given.
    let newcomer = server.sign_up("mover").await;
    let order = newcomer.hold(&items[0], 1).await;
    newcomer.pay(&order, "tok_approve").await;
    newcomer.until_state(&order, "PAID").await;
    let profile = newcomer
        .ask("{ viewer { profile { address } } }", json!({}))
        .await;
    let own = &profile["viewer"]["profile"]["address"];
    assert_eq!(&newcomer.after(&order).await["shipment"]["address"], own);
    server.assert_clean().await;
}

#[tokio::test]
async fn my_page_is_one_query() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (items, _) = market(&server).await;
    let seller = server.sign_in(Demo::Seller).await;
    let order = paid(&seller, &items).await;
    let document = "{ viewer {
        profile { name email role }
        wishlist(first: 5) { nodes { id } }
        orders(first: 5) { nodes { id state total { amount } lines { unitPrice { amount } }
            payment { state } shipment { state } returns { id } } }
        sellerItems(first: 5) { nodes { id } }
        sessions { id signedInAt expiresAt } } }";
    let data = seller.ask(document, json!({})).await;
    let viewer = &data["viewer"];
    assert_eq!(viewer["orders"]["nodes"][0]["id"], json!(order));
    assert_eq!(viewer["orders"]["nodes"][0]["payment"]["state"], "CAPTURED");
    assert_eq!(viewer["sellerItems"]["nodes"].as_array().unwrap().len(), 5);
    let sessions = viewer["sessions"].as_array().unwrap();
    assert!(sessions.len() >= 2, "signed in twice: {sessions:?}");
    // A price that changes later does not change the order.
    let version = seller.item(&items[0]).await["version"].clone();
    let dearer = json!({
        "itemId": items[0], "expectedVersion": version,
        "price": { "amount": "9999", "currencyCode": "KRW" },
    });
    assert_eq!(code(&seller.update_item(dearer).await), None);
    let data = seller.ask(document, json!({})).await;
    let first = &data["viewer"]["orders"]["nodes"][0];
    assert_eq!(first["lines"][0]["unitPrice"]["amount"], "1000");
    assert_eq!(first["total"]["amount"], "4000");
    server.assert_clean().await;
}
