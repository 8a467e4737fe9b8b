//! A caller's trace: it goes as far as what the caller began.

use std::collections::BTreeMap;

use domain::message::{Message, Topic};
use domain::ports::Log;
use domain::ports::log::{Group, Polled};
use uuid::Uuid;

use crate::engines;
use crate::support::{Demo, PATIENCE, Sale, Shop, code};

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_trace_goes_from_a_click_to_the_last_event() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let plain = server.sign_in(Demo::Customer).await;
    let traced = plain.in_trace(TRACEPARENT);
    for buyer in [&traced, &plain] {
        let order = buyer.own(&item, 1).await;
        assert_eq!(code(&buyer.cancel(&order).await), None);
        let is_refunded =
            |order: &serde_json::Value| order["refunds"][0]["completedAt"].is_string();
        buyer.until_order(&order, "refunded", is_refunded).await;
    }
    traced.request_verification("kim@example.com").await;
    server.mailed_code("kim@example.com").await;
    server.assert_clean().await;
    server.stop().await;

    let events = events(&*engines::log(&shop).await).await;
    let of = |topic: Topic| {
        let events = events.iter().filter(|((of, _), _)| *of == topic);
        let mut traces: Vec<_> = events.map(|(_, traces)| traces.clone()).collect();
        traces.sort();
        traces
    };
    // Placed, payment asked for, paid, cancelled, refunded: by five different hands.
    assert_eq!(of(Topic::Orders), [vec![None; 5], vec![Some(TRACE); 5]]);
    let items = of(Topic::Items);
    assert!(items.contains(&vec![None]) && !items.concat().contains(&Some(TRACE)));
    let asked = of(Topic::Accounts);
    assert_eq!(asked, [[Some(TRACE)]], "what the mail worker reads");
}

/// The traces that readers get with events, in order, by what those are about.
async fn events(log: &dyn Log) -> BTreeMap<(Topic, Uuid), Vec<Option<u128>>> {
    let topics = [Topic::Orders, Topic::Items, Topic::Accounts];
    // A group that has read none of it before.
    let mut reader = log.join(Group::OrderWriter, &topics).await.unwrap();
    let mut events = BTreeMap::<_, Vec<_>>::new();
    let mut left = log.lag(Group::OrderWriter, &topics).await.unwrap();
    let reading = async {
        while left > 0 {
            let Polled::Records(deliveries) = reader.poll(100).await.unwrap() else {
                continue;
            };
            left -= deliveries.len() as u64;
            for delivery in deliveries {
                let Ok(Message::Event(event)) = delivery.content else {
                    panic!("{delivery:?}");
                };
                let about = (event.topic(), event.key());
                let trace = delivery.trace.map(|trace| trace.trace);
                events.entry(about).or_default().push(trace);
            }
        }
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.expect("all events in time");
    events
}
