//! What the two systems offered that this one replaces: a test a capability, by its name.
//!
//! Rows whose tests stand elsewhere, for the embedded product and over the servers where nothing
//! else is said:
//!
//! | row | test |
//! |---|---|
//! | payment | here, and `payments::some_shoppers_abandon`, `payments::every_answer_of_the_provider_comes_to_its_end` |
//! | wishlist | `wishlists::a_wishlist_is_added_to_listed_changed_and_emptied` |
//! | asked for, never built | `behind_the_shop::never_built_there_deal_stock_is_warm_before_the_deal_opens` |
//! | personal data | `sealed::personal_data_is_encrypted_at_rest` |
//! | e-mail | `mail_server::e_mail_that_is_put_off_goes_out_later_and_what_is_refused_is_put_aside` |
//! | caching | `behind_the_shop::caching_shows_an_edit_at_every_node_and_sells_at_no_old_price` |
//! | Redis replication | servers: `gate_lost::redis_replication_with_sentinel_failover_loses_no_sale_and_sells_nothing_twice`; embedded: `restart::in_place_of_redis_replication_power_cuts_in_the_middle_of_a_sale_lose_nothing` |
//! | events | `mail_server::events_have_a_topic_an_aggregate_a_group_a_concern_and_dead_letters`; servers also `poison::events_that_nobody_can_read_are_dead_letters_of_every_group_of_their_topic` |
//! | publish only after commit | `behind_the_shop::publish_only_after_commit_tells_all_that_happened_and_nothing_else` |
//! | resilience | `behind_the_shop::resilience_my_page_answers_and_payments_wait_while_provider_and_mail_are_away`; servers also `gate_lost::resilience_my_page_still_answers_when_the_gate_does_not` |
//! | gateway, discovery, configuration | `behind_the_shop::gateway_discovery_and_configuration_are_one_endpoint_and_one_typed_configuration` |
//! | headline speed | `behind_the_shop::headline_speed_two_hundred_at_once_lose_none_of_a_thousand_orders` |
//!
//! What must never happen is in `refusals`, `order_refusals`, `race`, `races_after_sale`, `payments`,
//! `retry`, `restart` and, over the servers, in a test for each fault.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{
    Caller, Demo, Sale, Server, Shop, Socket, code, fresh_key, instant, line, portion,
};

/// A day lasts two seconds; a return can wait.
const FAST: [(&str, &str); 2] = [("DELIVERY__DAY", "2s"), ("RETURNS__DAYS_TO_REQUEST", "600")];

async fn market(server: &Server, units: i64) -> (String, Caller) {
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(units)).await;
    (item, server.sign_up("kim").await)
}

#[tokio::test]
async fn catalogue_is_paged_and_sellers_run_their_own_goods() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    for number in 0..12 {
        let name = format!("Lamp {number}");
        seller
            .sell(Sale::of(3).named(&name).category("FASHION"))
            .await;
    }
    let document = "query($after: String) { items(first: 10, after: $after,
        filter: { nameContains: \"lamp\", category: FASHION }) {
        nodes { id name stock { total } } pageInfo { hasNextPage endCursor } } }";
    let anybody = server.anybody();
    let first = anybody.ask(document, json!({})).await["items"].take();
    assert_eq!(first["nodes"].as_array().unwrap().len(), 10);
    assert_eq!(first["nodes"][0]["name"], "Lamp 11", "the newest first");
    let after = json!({ "after": first["pageInfo"]["endCursor"] });
    let rest = anybody.ask(document, after).await["items"].take();
    assert_eq!(rest["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let item = first["nodes"][0]["id"].as_str().unwrap();
    assert_eq!(seller.restock(item, 7).await["item"]["stock"]["total"], 10);
    assert_eq!(seller.item(item).await["description"], "");
    let negative = Sale::of(-1);
    let refused = seller.create_item(&negative, &fresh_key()).await;
    assert_eq!(code(&refused), Some("INVALID_INPUT"), "{refused}");
    server.assert_clean().await;
}

#[tokio::test]
async fn item_kinds_general_and_time_deal() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let general = seller.sell(Sale::of(1)).await;
    assert_eq!(seller.item(&general).await["kind"], "GENERAL");
    let opens_at = seller.server_time_in(60_000).await;
    let deal = seller
        .sell(Sale::of(1).deal(json!({ "opensAt": opens_at })))
        .await;
    let item = seller.item(&deal).await;
    assert_eq!(
        (&item["kind"], &item["deal"]["phase"]),
        (&json!("TIME_DEAL"), &json!("UPCOMING"))
    );
    let early = server
        .sign_in(Demo::Customer)
        .await
        .place(&[line(&deal, 1)])
        .await;
    assert_eq!(code(&early), Some("DEAL_NOT_OPEN"), "{early}");
    server.assert_clean().await;
}

#[tokio::test]
async fn stock_read_is_live_before_anybody_paid() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let mut watchers = Vec::new();
    for url in server.urls() {
        let anybody = server.anybody().at(url);
        watchers.push(Socket::stock_changed(&anybody, &[&item]).await);
    }
    buyer.hold(&item, 2).await;
    for (watcher, url) in watchers.iter_mut().zip(server.urls()) {
        let is_less = |event: &Value| event["stock"]["available"] == 3;
        watcher.until(is_less).await;
        let anybody = server.anybody().at(url);
        assert_eq!(anybody.available(&item).await, 3);
        assert_eq!(anybody.item(&item).await["stock"]["available"], 3);
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn order_entry_answers_with_id_and_state_at_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let payload = buyer.place(&[line(&item, 2)]).await;
    assert_eq!(payload["order"]["state"], "ACCEPTED", "{payload}");
    let id = payload["order"]["id"].as_str().unwrap();
    assert_eq!(
        buyer.order(id).await["id"],
        json!(id),
        "it can be read at once"
    );
    let too_many = buyer.place(&[line(&item, 4)]).await;
    assert_eq!(
        code(&too_many),
        Some("OUT_OF_STOCK"),
        "of a general item too"
    );
    server.assert_clean().await;
}

/// The walk of the README: from the wishlist over an order of several goods and its delivery to a
/// return that is completed and refunded.
#[tokio::test]
async fn several_goods_in_one_order_from_the_wishlist_to_a_completed_return() {
    let shop = Shop::with(&FAST);
    let server = shop.start().await;
    let (tea, buyer) = market(&server, 10).await;
    let seller = server.sign_in(Demo::Seller).await;
    let cup = seller.sell(Sale::of(10).at("500", "KRW")).await;
    let mut entries = Vec::new();
    for (item, quantity) in [(&tea, 2), (&cup, 1)] {
        let document = "mutation($input: AddToWishlistInput!) { addToWishlist(input: $input) {
            entry { id } userErrors { code } } }";
        let input = json!({ "itemId": item, "quantity": quantity });
        let payload = buyer.mutate(document, input.clone()).await;
        entries.push(payload["entry"]["id"].clone());
        let again = buyer.mutate(document, input).await;
        assert_eq!(code(&again), Some("ON_WISHLIST_ALREADY"), "once an item");
    }
    let input = json!({ "idempotencyKey": fresh_key(), "wishlistEntryIds": entries });
    let payload = buyer.place_input(input).await;
    assert_eq!(code(&payload), None, "{payload}");
    let order = payload["order"]["id"].as_str().unwrap();
    buyer.until_state(order, "PENDING_PAYMENT").await;
    let left = buyer
        .ask(
            "{ viewer { wishlist(first: 9) { nodes { id } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        left["viewer"]["wishlist"]["nodes"],
        json!([]),
        "the rows are cleared"
    );
    buyer.pay(order, "tok_approve").await;
    let delivered = buyer.until_delivered(order).await;
    assert_eq!(delivered["total"]["amount"], "2500");
    let payload = buyer
        .give_back(order, &[portion(1, 1), portion(2, 1)])
        .await;
    assert_eq!(code(&payload), None, "{payload}");
    let returned = buyer
        .until_after(order, "returned and refunded", |order| {
            order["returns"][0]["state"] == "COMPLETED"
                && !order["refunds"][0]["completedAt"].is_null()
        })
        .await;
    assert_eq!(returned["refunds"][0]["amount"]["amount"], "1500");
    assert_eq!(returned["currentTotal"]["amount"], "1000");
    buyer.until_available(&tea, 9).await;
    buyer.until_available(&cup, 10).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn payment_that_is_declined_can_be_tried_with_another_method() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.hold(&item, 1).await;
    let due = buyer.order(&order).await["paymentDueAt"].clone();
    buyer.pay(&order, "tok_decline").await;
    let declined = buyer
        .until_order(&order, "declined", |order| {
            order["payment"]["state"] == "DECLINED" && order["state"] == "PENDING_PAYMENT"
        })
        .await;
    assert_eq!(declined["paymentDueAt"], due, "the hold is the same");
    buyer.pay(&order, "tok_approve").await;
    buyer.until_state(&order, "PAID").await;
    server.assert_clean().await;
}

#[tokio::test]
async fn unpaid_orders_of_every_kind_expire() {
    let shop = Shop::with(&[("ORDERS__HOLD", "1s")]);
    let server = shop.start().await;
    let (general, buyer) = market(&server, 5).await;
    let seller = server.sign_in(Demo::Seller).await;
    let deal = seller.sell(Sale::of(5).limited_to(2)).await;
    for item in [general, deal] {
        let order = buyer.buy(&item, 2).await;
        buyer.until_state(&order, "EXPIRED").await;
        buyer.until_available(&item, 5).await;
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn cancel_gives_stock_and_money_back_each_once() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.own(&item, 2).await;
    let key = fresh_key();
    for replayed in [false, true] {
        let payload = buyer.cancel_under(&key, &order).await;
        assert_eq!(
            (code(&payload), &payload["replayed"]),
            (None, &json!(replayed))
        );
    }
    let after = buyer
        .until_after(&order, "refunded", |order| {
            !order["refunds"][0]["completedAt"].is_null()
        })
        .await;
    assert_eq!(after["refunds"].as_array().unwrap().len(), 1);
    assert_eq!(buyer.available(&item).await, 5);
    server.assert_clean().await;
}

#[tokio::test]
async fn delivery_moves_a_parcel_a_day() {
    let shop = Shop::with(&FAST);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.own(&item, 1).await;
    let shipment = buyer.until_delivered(&order).await["shipment"].take();
    let at = |field: &str| instant(&shipment[field]);
    assert!(at("dispatchedAt") < at("deliveredAt"), "{shipment}");
    assert_eq!(shipment["trackingNumber"].as_str().unwrap().len(), 12);
    server.assert_clean().await;
}

#[tokio::test]
async fn delivery_is_due_at_the_hour_of_the_zone_that_are_configured() {
    let shop = Shop::with(&[
        ("DELIVERY__ZONE", "Asia/Tokyo"),
        ("DELIVERY__HOUR", "9"),
        ("DELIVERY__DAYS_TO_DISPATCH", "2"),
    ]);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.own(&item, 1).await;
    let document = "query($id: ID!) { order(id: $id) { payment { attempts { settledAt } }
        shipment { dispatchDueAt } } }";
    let data = buyer.ask(document, json!({ "id": order })).await;
    // There are no other hours in Tokyo in summer.
    let in_tokyo = |value: &Value| instant(value) + TimeDelta::hours(9);
    let paid = in_tokyo(&data["order"]["payment"]["attempts"][0]["settledAt"]);
    let due = in_tokyo(&data["order"]["shipment"]["dispatchDueAt"]);
    let day = paid.date_naive() + TimeDelta::days(2);
    assert_eq!(due.naive_utc(), day.and_hms_opt(9, 0, 0).unwrap());
    server.assert_clean().await;
}

#[tokio::test]
async fn return_is_for_its_owner_with_a_reason_of_ten_to_fifty_characters() {
    let shop = Shop::with(&FAST);
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.own(&item, 1).await;
    let ask = |caller: Caller, reason: String| {
        let input = json!({ "orderId": order, "reason": reason });
        async move { caller.change("requestReturn", input).await }
    };
    let early = ask(buyer.clone(), "long enough for it".to_owned()).await;
    assert_eq!(
        code(&early),
        Some("STATE_CONFLICT"),
        "only what is delivered"
    );
    buyer.until_delivered(&order).await;
    let stranger = server.sign_in(Demo::Customer).await;
    let theirs = ask(stranger, "long enough for it".to_owned()).await;
    assert_eq!(code(&theirs), Some("NOT_FOUND"));
    for length in [9, 51] {
        let payload = ask(buyer.clone(), "x".repeat(length)).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{length}: {payload}");
    }
    let payload = ask(buyer.clone(), "x".repeat(50)).await;
    assert_eq!(code(&payload), None, "{payload}");
    server.assert_clean().await;
}

#[tokio::test]
async fn my_orders_show_the_price_that_was_captured() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (item, buyer) = market(&server, 5).await;
    let order = buyer.own(&item, 1).await;
    let seller = server.sign_in(Demo::Seller).await;
    let version = seller.item(&item).await["version"].clone();
    let price = json!({ "amount": "7777", "currencyCode": "KRW" });
    let input = json!({ "itemId": item, "expectedVersion": version, "price": price });
    assert_eq!(code(&seller.update_item(input).await), None);
    let document = "{ viewer { orders(first: 1) { nodes { id total { amount }
        payment { state } shipment { state } returns { state } } } } }";
    let data = buyer.ask(document, json!({})).await;
    let newest = &data["viewer"]["orders"]["nodes"][0];
    assert_eq!(
        (&newest["id"], &newest["total"]["amount"]),
        (&json!(order), &json!("1000"))
    );
    server.assert_clean().await;
}

#[tokio::test]
async fn sign_up_sign_in_and_my_page() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    anybody.request_verification("min@example.com").await;
    let mailed = server.mailed_code("min@example.com").await;
    let mut input = json!({
        "email": "min@example.com", "code": mailed, "password": "too short",
        "name": "김민수", "phone": "010-0000-0000", "address": "서울특별시 세종대로 1",
    });
    let long = "x".repeat(129);
    for password in ["too short", &long, "1234567890"] {
        input["password"] = json!(password);
        let payload = anybody.sign_up(input.clone()).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{password}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["password"]));
    }
    input["password"] = json!("correct horse battery");
    assert_eq!(code(&anybody.sign_up(input).await), None);
    let caller = anybody
        .sign_in("min@example.com", "correct horse battery")
        .await;
    let document = "{ viewer { profile { email name phone address role }
        wishlist(first: 1) { nodes { id } } orders(first: 1) { nodes { id } } sessions { id } } }";
    let data = caller.ask(document, json!({})).await;
    let profile = json!({
        "email": "min@example.com", "name": "김민수", "phone": "010-0000-0000",
        "address": "서울특별시 세종대로 1", "role": "CUSTOMER",
    });
    assert_eq!(data["viewer"]["profile"], profile);
    assert_eq!(data["viewer"]["sessions"].as_array().unwrap().len(), 1);
    let wrong = anybody
        .try_sign_in("min@example.com", "wrong horse battery")
        .await;
    assert_eq!(code(&wrong), Some("INVALID_CREDENTIALS"));
    let nobody = anybody
        .ask("{ viewer { profile { email } } }", json!({}))
        .await;
    assert_eq!(nobody["viewer"], Value::Null);
    server.assert_clean().await;
}
