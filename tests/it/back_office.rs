//! What operators see and do.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::after_sale::{market, paid, refunds};
use crate::support::{Caller, Demo, Sale, Shop, code, fresh_key, portion, until};

#[tokio::test]
async fn operators_settle_returns_and_refund_by_hand_and_it_is_written_down() {
    let settings = [
        ("DELIVERY__DAY", "1s"),
        ("RETURNS__DAYS_TO_REQUEST", "600"),
        ("RETURNS__DAYS_TO_COMPLETE", "600"),
    ];
    let shop = Shop::with(&settings);
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let admin = server.sign_in(Demo::Admin).await;
    let order = paid(&buyer, &items).await;
    buyer.until_delivered(&order).await;
    for reason in ["too short", &*"x".repeat(51)] {
        let input = json!({ "orderId": order, "reason": reason });
        let payload = buyer.change("requestReturn", input).await;
        assert_eq!(code(&payload), Some("INVALID_INPUT"), "{reason}: {payload}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["reason"]));
    }
    let returns = ask_twice(&buyer, &order).await;
    let approve = json!({ "returnId": returns[0] });
    let payload = buyer.change("approveReturn", approve.clone()).await;
    assert_eq!(code(&payload), Some("FORBIDDEN"), "a buyer is no operator");
    let both = join_all((0..2).map(|_| admin.change("approveReturn", approve.clone()))).await;
    let done = both.iter().filter(|payload| code(payload).is_none());
    assert_eq!(done.count(), 1, "{both:?}");
    let reject = json!({ "returnId": returns[1], "note": "It was worn." });
    let payload = admin.change("rejectReturn", reject.clone()).await;
    assert_eq!(
        payload["order"]["returns"][1]["state"], "REJECTED",
        "{payload}"
    );
    assert_eq!(payload["order"]["returns"][1]["note"], "It was worn.");
    let payload = admin.change("rejectReturn", reject).await;
    assert_eq!(code(&payload), Some("RETURN_SETTLED"), "{payload}");
    assert_eq!(
        refunds(&buyer, &order, 1).await,
        json!([["RETURNED", "1000"]])
    );
    buyer.until_available(&items[0], 8).await;
    assert_eq!(buyer.available(&items[1]).await, 8, "not taken back");

    give_back_by_hand(&admin, &buyer, &order).await;
    check_acts(&admin).await;
    server.assert_clean().await;
}

/// The ids of two returns of one order: of a unit of the first line, and of the second line.
async fn ask_twice(buyer: &Caller, order: &str) -> Vec<String> {
    let mut returns = Vec::new();
    for portion in [portion(1, 1), portion(2, 2)] {
        let payload = buyer.give_back(order, &[portion]).await;
        let asked = payload["order"]["returns"].as_array().unwrap();
        returns.push(asked.last().unwrap()["id"].as_str().unwrap().to_owned());
    }
    returns
}

/// Money that no cancellation or return asks for: never more than was taken.
async fn give_back_by_hand(admin: &Caller, buyer: &Caller, order: &str) {
    let won = |amount: &str| json!({ "amount": amount, "currencyCode": "KRW" });
    let refund = |amount: &str| json!({ "orderId": order, "amount": won(amount), "reason": "It came late." });
    let payload = admin.change("refundOrder", refund("3001")).await;
    assert_eq!(code(&payload), Some("MORE_THAN_CAPTURED"), "{payload}");
    assert_eq!(payload["userErrors"][0]["refundable"]["amount"], "3000");
    let payload = admin.change("refundOrder", refund("0")).await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    let payload = buyer.change("refundOrder", refund("1")).await;
    assert_eq!(code(&payload), Some("FORBIDDEN"), "{payload}");
    let mut by_hand = refund("700");
    by_hand["idempotencyKey"] = json!(fresh_key());
    for replayed in [false, true] {
        let payload = admin.change("refundOrder", by_hand.clone()).await;
        assert_eq!(
            (code(&payload), &payload["replayed"]),
            (None, &json!(replayed))
        );
    }
    assert_eq!(
        refunds(buyer, order, 2).await,
        json!([["RETURNED", "1000"], ["BY_HAND", "700"]])
    );
}

/// Every act of the operator is there, with what it changed.
async fn check_acts(admin: &Caller) {
    let acts = admin.acts_on(None).await;
    let told: Vec<Value> = acts
        .iter()
        .map(|act| json!([act["deed"], act["note"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["APPROVE_RETURN", null]),
            json!(["REJECT_RETURN", "It was worn."]),
            json!(["REFUND_ORDER", "It came late."])
        ]
    );
    assert_eq!(
        acts[0]["changes"],
        json!([
            { "what": "refunded", "before": "0 KRW", "after": "1000 KRW" },
            { "what": "units", "before": "5", "after": "4" },
            { "what": "return", "before": "REQUESTED", "after": "COMPLETED" }
        ])
    );
    let of_it = admin.acts_on(acts[2]["subject"].as_str()).await;
    assert_eq!(of_it, [acts[2].clone()]);
}

#[tokio::test]
async fn the_back_office_finds_and_explains() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (items, buyer) = market(&server).await;
    let admin = server.sign_in(Demo::Admin).await;
    let order = paid(&buyer, &items).await;
    buyer.cancel_parts(&order, &[portion(1, 1)]).await;
    admin.restock(&items[0], 5).await;
    admin.restock(&items[0], -2).await;
    let stock = until("the gate to agree", || async {
        Some(admin.item_stock(&items[0]).await).filter(|stock| stock["agrees"] == true)
    })
    .await;
    assert_eq!(
        stock["ledger"],
        json!({ "total": 13, "held": 2, "admitted": 3, "released": 1, "available": 11 })
    );
    let movements = stock["movements"]["nodes"].as_array().unwrap();
    let told: Vec<Value> = movements
        .iter()
        .map(|of| json!([of["cause"], of["total"], of["held"], of["released"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["OPENED", 10, 0, 0]),
            json!(["RESERVED", 0, 3, 0]),
            json!(["CANCELLED", 0, -1, 1]),
            json!(["RESTOCKED", 5, 0, 0]),
            json!(["ADJUSTED", -2, 0, 0])
        ]
    );
    assert_eq!(movements[1]["orderId"], json!(order));
    let deeds = admin.acts_on(None).await;
    assert_eq!(
        deeds.len(),
        2,
        "a seller's stock, changed by an operator: {deeds:?}"
    );
    assert_eq!(
        deeds[0]["changes"],
        json!([{ "what": "total", "before": "10", "after": "15" }])
    );

    let find = "query($filter: OrderFilter, $users: UserFilter, $id: ID!) { backOffice {
        orders(first: 10, filter: $filter) { nodes { buyerId buyer { email } order { id state } } }
        users(first: 10, filter: $users) { nodes { id email role } }
        order(id: $id) { order { id } buyer { id } } } }";
    let email = shop.credentials(Demo::Customer).0;
    let variables = json!({
        "filter": { "states": ["PAID"] }, "users": { "email": email.to_uppercase() }, "id": order,
    });
    let data = admin.ask(find, variables.clone()).await;
    let found = &data["backOffice"];
    assert_eq!(found["orders"]["nodes"][0]["order"]["id"], json!(order));
    assert_eq!(found["orders"]["nodes"][0]["buyer"]["email"], json!(email));
    assert_eq!(found["users"]["nodes"][0]["email"], json!(email));
    assert_eq!(found["users"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(
        found["order"]["buyer"]["id"],
        found["users"]["nodes"][0]["id"]
    );
    let none = json!({ "filter": { "states": ["EXPIRED"] }, "id": items[0] });
    let data = admin.ask(find, none).await;
    assert_eq!(data["backOffice"]["orders"]["nodes"], json!([]));
    assert_eq!(data["backOffice"]["order"], Value::Null);
    let answer = buyer.post(find, variables).await;
    assert_eq!(answer["data"]["backOffice"], Value::Null);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    server.assert_clean().await;
}

#[tokio::test]
async fn what_operators_restock_at_once_is_a_chain_in_the_audit_log() {
    const PAIRS: i64 = 40;
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(100)).await;
    let mut operators = Vec::new();
    for url in server.urls().into_iter().cycle().take(2) {
        operators.push(server.sign_in(Demo::Admin).await.at(url));
    }
    let mut expected = Vec::new();
    for round in 1..=PAIRS {
        // One adds, the other takes some away, in either order: no total comes twice.
        let changes = [1_000, -round];
        let both = operators.iter().zip(changes);
        let both = both.map(async |(operator, change)| operator.restock(&item, change).await);
        for payload in join_all(both).await {
            assert_eq!(code(&payload), None, "{payload}");
        }
        expected.extend(changes);
    }
    let total = 100 + expected.iter().sum::<i64>();
    let admin = &operators[0];
    assert_eq!(admin.item(&item).await["stock"]["total"], total);

    let acts = admin.acts_on(None).await;
    let mut steps: Vec<(i64, i64)> = acts
        .iter()
        .map(|act| {
            assert_eq!(act["deed"], "RESTOCK_ITEM");
            let [change] = &act["changes"].as_array().unwrap()[..] else {
                panic!("{act}");
            };
            let number = |side: &str| change[side].as_str().unwrap().parse::<i64>().unwrap();
            (number("before"), number("after"))
        })
        .collect();
    let mut told: Vec<i64> = steps.iter().map(|(before, after)| after - before).collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected, "each of them once, by what it changed");
    // From the first stock to the last, each goes on where another ended.
    let mut at = 100;
    while !steps.is_empty() {
        let next = steps.iter().position(|(before, _)| *before == at);
        let next = next.unwrap_or_else(|| panic!("nothing goes on from {at}: {acts:?}"));
        at = steps.swap_remove(next).1;
    }
    assert_eq!(at, total);
    server.assert_clean().await;
}
