//! Live stock: the snapshot first, versions that only rise, not too often, and the same for all.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Sale, Shop, Socket, Stream, instant, line};

fn version(event: &Value) -> u64 {
    event["stock"]["version"].as_u64().unwrap()
}

fn available(event: &Value) -> i64 {
    event["stock"]["available"].as_i64().unwrap()
}

/// Orders one unit after the other, as fast as the server answers.
async fn sell_out(buyer: &Caller, item: &str, units: usize) {
    let orders = (0..units).map(|_| async {
        let payload = buyer.place(&[line(item, 1)]).await;
        assert_eq!(payload["userErrors"], json!([]));
    });
    // A few at once, so that the sale takes a while.
    let () = stream::iter(orders).buffer_unordered(4).collect().await;
}

#[tokio::test]
async fn a_hundred_watchers_see_the_same_and_not_too_often() {
    const UNITS: usize = 300;
    let shop = Shop::new();
    let server = shop.start().await;
    let sale = Sale::of(i64::try_from(UNITS).unwrap());
    let item = server.sign_in(Demo::Seller).await.sell(sale).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let anybody = server.anybody();
    let watchers = join_all((0..100).map(|_| async {
        let mut socket = Socket::stock_changed(&anybody, &[&item]).await;
        let snapshot = socket.next().await;
        assert_eq!(available(&snapshot), 300);
        (socket, snapshot)
    }))
    .await;

    let watching = watchers
        .into_iter()
        .map(|(mut socket, snapshot)| async move {
            let mut events = vec![snapshot];
            while available(&events[events.len() - 1]) > 0 {
                events.push(socket.next().await);
            }
            events
        });
    let (seen, ()) = tokio::join!(join_all(watching), sell_out(&buyer, &item, UNITS));
    let last = &seen[0][seen[0].len() - 1]["stock"];
    for events in &seen {
        assert_eq!(&events[events.len() - 1]["stock"], last);
        // Coalesced: nobody was told of every single sale.
        assert!(events.len() < UNITS, "{}", events.len());
        assert!(events.is_sorted_by(|a, b| version(a) < version(b)));
        assert!(events.is_sorted_by(|a, b| available(a) > available(b)));
        assert_at_most_ten_a_second(events);
    }
    server.assert_clean().await;
}

/// No eleven events within a second, but for the jitter of the server's own timer.
fn assert_at_most_ten_a_second(events: &[Value]) {
    let times: Vec<DateTime<Utc>> = events[1..]
        .iter()
        .map(|event| instant(&event["serverTime"]))
        .collect();
    for eleven in times.windows(11) {
        let took = eleven[10] - eleven[0];
        assert!(took > TimeDelta::milliseconds(900), "{took}: {eleven:?}");
    }
}

#[tokio::test]
async fn versions_rise_over_reconnections_and_restarts() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let mut first = Socket::stock_changed(&server.anybody(), &[&item]).await;
    let snapshot = first.next().await;
    buyer.hold(&item, 1).await;
    let moved = first.until(|event| available(event) == 9).await;
    assert!(version(&moved) > version(&snapshot));
    drop(first);

    // Nobody watches while it moves; who comes back has the newest at once.
    buyer.hold(&item, 2).await;
    let mut second = Socket::stock_changed(&server.anybody(), &[&item]).await;
    let newest = second.next().await;
    assert_eq!(available(&newest), 7, "{newest}");
    assert!(version(&newest) > version(&moved));

    // A power cut, and a proper stop.
    let mut last = version(&newest);
    server.kill().await;
    assert!(second.closed().await.0.is_none());
    for units in [7, 6] {
        let server = shop.start().await;
        let mut socket = Socket::stock_changed(&server.anybody(), &[&item]).await;
        let snapshot = socket.next().await;
        assert_eq!(available(&snapshot), units);
        // The same where the gate outlived the restart.
        assert!(version(&snapshot) >= last, "{snapshot} after {last}");
        buyer.at(server.url()).hold(&item, 1).await;
        let moved = socket.until(|event| available(event) == units - 1).await;
        assert!(version(&moved) > version(&snapshot));
        last = version(&moved);
        server.assert_clean().await;
        assert_eq!(server.stop().await, Some(0));
        // Who watches is told that it goes away.
        assert_eq!(socket.closed().await.0, Some(1001));
    }
}

#[tokio::test]
async fn who_watches_by_server_sent_events_sees_the_same() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let anybody = server.anybody();
    let mut socket = Socket::stock_changed(&anybody, &[&item]).await;
    let mut stream = Stream::stock_changed(&anybody, &[&item]).await;
    assert_eq!(available(&stream.next().await), 10);
    let order = buyer.buy(&item, 3).await;
    stream.until(|event| available(event) == 7).await;
    socket.until(|event| available(event) == 7).await;

    // An order is watched by its buyer alone.
    let document = "subscription($id: ID!) { orderUpdated(orderId: $id) { order { id state } } }";
    let watch = json!({ "query": document, "variables": { "id": order } });
    let mut mine = Stream::of(&buyer, &watch).await;
    let pending = |event: &Value| event["order"]["state"] == "PENDING_PAYMENT";
    assert_eq!(mine.until(pending).await["order"]["id"], order);
    let payload = buyer.pay(&order, "tok_approve").await;
    assert_eq!(payload["userErrors"], json!([]));
    let paid = |event: &Value| event["order"]["state"] == "PAID";
    mine.until(paid).await;
    let mut not_mine = Stream::of(&anybody, &watch).await;
    let result = not_mine.result().await.unwrap();
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(not_mine.result().await, None);

    server.assert_clean().await;
    assert_eq!(server.stop().await, Some(0));
    // It ends with the node that serves it, long before anybody's patience does.
    assert_eq!(stream.result().await, None);
}

#[tokio::test]
async fn many_items_are_watched_by_one_subscription() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let one = seller.sell(Sale::of(5)).await;
    let two = seller.sell(Sale::of(6)).await;
    let mut socket = Socket::stock_changed(&server.anybody(), &[&one, &two, &one]).await;
    let mut snapshots = [socket.next().await, socket.next().await];
    snapshots.sort_by_key(available);
    assert_eq!(snapshots[0]["itemId"], one);
    assert_eq!(snapshots[1]["itemId"], two);
    // No third snapshot for what was named twice: the next event is a change.
    seller.hold(&two, 4).await;
    let event = socket.next().await;
    assert_eq!((&event["itemId"], available(&event)), (&json!(two), 2));

    let unknown = "item_00000000000000000000000001";
    let many = vec![one.as_str(); 101];
    for (items, code) in [
        (&[][..], "BAD_USER_INPUT"),
        (&many[..], "BAD_USER_INPUT"),
        (&[one.as_str(), unknown][..], "NOT_FOUND"),
        (&["garbage"][..], "NOT_FOUND"),
    ] {
        let mut socket = Socket::stock_changed(&server.anybody(), items).await;
        let refusal = socket.refusal().await;
        assert_eq!(refusal[0]["extensions"]["code"], code, "{refusal}");
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn an_order_is_watched_from_its_acceptance_to_its_refund() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(5)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let order = buyer.buy(&item, 1).await;
    let mut socket = Socket::order_updated(&buyer, &order).await;
    let mut events = vec![socket.next().await];
    let first = events[0]["order"]["state"].as_str().unwrap().to_owned();
    assert!(["ACCEPTED", "PENDING_PAYMENT"].contains(&first.as_str()));
    if first == "ACCEPTED" {
        let pending = |event: &Value| event["order"]["state"] == "PENDING_PAYMENT";
        events.push(socket.until(pending).await);
    }
    for (method, state) in [("tok_decline", "PENDING_PAYMENT"), ("tok_approve", "PAID")] {
        buyer.pay(&order, method).await;
        let before = events[events.len() - 1]["order"]["version"].as_u64();
        // Who reads slowly may not see PAYING, but sees what it came to.
        let settled = socket
            .until(|event| {
                event["order"]["state"] == state && event["order"]["version"].as_u64() > before
            })
            .await;
        events.push(settled);
    }
    buyer.cancel(&order).await;
    let cancelled = socket
        .until(|event| event["order"]["state"] == "CANCELLED")
        .await;
    let paid = events[events.len() - 1]["order"]["version"].as_u64();
    assert!(cancelled["order"]["version"].as_u64() > paid);
    // The refund's completion is an event too, even if nothing else changes.
    if cancelled["order"]["refunds"][0]["completedAt"] == Value::Null {
        let refunded = socket.next().await;
        assert_ne!(refunded["order"]["refunds"][0]["completedAt"], Value::Null);
    }
    server.assert_clean().await;
}
