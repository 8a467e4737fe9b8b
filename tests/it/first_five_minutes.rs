//! What a newcomer does: reads the deals, signs up, buys, pays, waits for the parcel, and lets
//! another order expire.

use serde_json::{Value, json};

use crate::support::{Caller, Server, Shop, Socket, code, instant, line};

#[tokio::test]
async fn a_newcomer_gets_from_the_deals_to_the_parcel() {
    let shop = Shop::with(&[("ORDERS__HOLD", "4s"), ("DELIVERY__DAY", "2s")]);
    let server = shop.start().await;
    let deal = reads_the_deals(&server.anybody()).await;
    let newcomer = signs_up(&server).await;

    let mut stock = Socket::stock_changed(&server.anybody(), &[&deal]).await;
    let snapshot = stock.next().await;
    assert_eq!(snapshot["itemId"], deal);
    assert_eq!(snapshot["phase"], "OPEN");
    assert_eq!(snapshot["stock"]["available"], 100);

    let paid = buys_and_pays(&newcomer, &deal).await;
    let moved = stock.until(has_left(99)).await;
    assert!(moved["stock"]["version"].as_u64() > snapshot["stock"]["version"].as_u64());
    gets_the_parcel(&newcomer, &paid).await;
    lets_one_expire(&newcomer, &deal, &mut stock).await;

    server.assert_clean().await;
}

fn has_left(available: i64) -> impl Fn(&Value) -> bool {
    move |event| event["stock"]["available"] == available
}

/// The id of the deal that is open.
async fn reads_the_deals(anybody: &Caller) -> String {
    let document = "{ serverTime items(
        first: 10, filter: { kind: TIME_DEAL }, orderBy: OPENS_FIRST
    ) { edges { node { id name stock { total available } deal { phase opensAt limitPerBuyer } } } } }";
    let data = anybody.ask(document, json!({})).await;
    let deals: Vec<&Value> = data["items"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| &edge["node"])
        .collect();
    let phases: Vec<&Value> = deals.iter().map(|deal| &deal["deal"]["phase"]).collect();
    assert_eq!(phases, ["OPEN", "UPCOMING", "UPCOMING"]);
    let now = instant(&data["serverTime"]);
    let minutes = deals.iter().map(|deal| {
        let left = instant(&deal["deal"]["opensAt"]) - now;
        // Rounded up: the server has been running for a moment.
        (left.num_milliseconds() + 59_999).div_euclid(60_000)
    });
    assert_eq!(minutes.collect::<Vec<_>>(), [0, 1, 5]);
    assert_eq!(deals[0]["stock"], json!({ "total": 100, "available": 100 }));
    deals[0]["id"].as_str().unwrap().to_owned()
}

async fn signs_up(server: &Server) -> Caller {
    const EMAIL: &str = "kim@example.com";
    const PASSWORD: &str = "a long enough password";
    let anybody = server.anybody();
    anybody.request_verification(EMAIL).await;
    let mailed = server.mailed_code(EMAIL).await;

    let wrong = if mailed == "00000000" {
        "00000001"
    } else {
        "00000000"
    };
    let input = |code: &str| json!({ "email": EMAIL, "code": code, "password": PASSWORD, "name": "김민수" });
    let payload = anybody.sign_up(input(wrong)).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");
    let payload = anybody.sign_up(input(&mailed)).await;
    let account = &payload["account"];
    assert_eq!(
        json!([account["email"], account["name"], account["role"]]),
        json!([EMAIL, "김민수", "CUSTOMER"])
    );
    // A code is good for one account.
    let payload = anybody.sign_up(input(&mailed)).await;
    assert_eq!(code(&payload), Some("VERIFICATION_INVALID"), "{payload}");

    let newcomer = anybody.sign_in(EMAIL, PASSWORD).await;
    let me = newcomer
        .ask("{ viewer { profile { id email } } }", json!({}))
        .await;
    assert_eq!(
        me["viewer"]["profile"],
        json!({ "id": account["id"], "email": EMAIL })
    );
    newcomer
}

/// The id of an order that is paid.
async fn buys_and_pays(newcomer: &Caller, deal: &str) -> String {
    let payload = newcomer.place(&[line(deal, 1)]).await;
    assert_eq!(payload["order"]["state"], "ACCEPTED", "{payload}");
    assert_eq!(payload["replayed"], false);
    assert_eq!(
        payload["order"]["total"],
        json!({ "amount": "39000", "currencyCode": "KRW" })
    );
    let id = payload["order"]["id"].as_str().unwrap().to_owned();

    // It can be read at once.
    let read = newcomer.order(&id).await;
    assert_eq!(read["number"], payload["order"]["number"], "{read}");
    let state = read["state"].as_str().unwrap();
    assert!(["ACCEPTED", "PENDING_PAYMENT"].contains(&state), "{state}");

    let mut updates = Socket::order_updated(newcomer, &id).await;
    let pending = updates
        .until(|event| event["order"]["state"] == "PENDING_PAYMENT")
        .await;
    let payload = newcomer.pay(&id, "tok_approve").await;
    assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
    let paid = updates
        .until(|event| event["order"]["state"] == "PAID")
        .await;
    assert!(paid["order"]["version"].as_u64() > pending["order"]["version"].as_u64());
    assert_eq!(paid["order"]["payment"]["state"], "CAPTURED");
    assert_eq!(paid["order"]["shipment"]["state"], "PREPARING");
    id
}

async fn gets_the_parcel(newcomer: &Caller, order: &str) {
    let mut updates = Socket::order_updated(newcomer, order).await;
    let mut stages = Vec::new();
    let mut version = None;
    while stages.last().is_none_or(|stage| stage != "DELIVERED") {
        let event = updates.next().await;
        let seen = event["order"]["version"].as_u64();
        assert!(seen > version, "{event} after {version:?}");
        version = seen;
        stages.push(event["order"]["shipment"]["state"].clone());
    }
    // It may have left before the subscription began.
    let expected = ["PREPARING", "IN_TRANSIT", "DELIVERED"];
    assert_eq!(stages, expected[expected.len() - stages.len()..]);

    let shipment = &newcomer.order(order).await["shipment"];
    assert!(instant(&shipment["dispatchedAt"]) < instant(&shipment["deliveredAt"]));
    assert_ne!(shipment["trackingNumber"], Value::Null);
}

async fn lets_one_expire(newcomer: &Caller, deal: &str, stock: &mut Socket) {
    let order = newcomer.hold(deal, 1).await;
    stock.until(has_left(98)).await;
    stock.until(has_left(99)).await;
    let expired = newcomer.until_state(&order, "EXPIRED").await;
    assert_eq!(expired["paymentDueAt"], Value::Null);
    assert_eq!(expired["payment"], Value::Null);
    let can: Vec<&Value> = expired["actions"].as_array().unwrap().iter().collect();
    assert!(
        can.iter().all(|action| action["allowed"] == false),
        "{can:?}"
    );
}
