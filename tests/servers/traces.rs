//! A caller's trace goes as far as what the caller began, as anybody reads it in Kafka.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engines::Servers;
use crate::fleet::blocking;
use crate::poison::consume;
use crate::support::{Demo, Sale, Shop, code};

const TRACE: &str = "traceparent:00-0af7651916cd43dd8448eb211c80319c-";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// Placed, payment asked for, paid, cancelled, refunded: by five different hands.
const EVENTS: usize = 5;

#[tokio::test]
async fn a_trace_goes_from_a_click_to_the_last_event() {
    let servers = Servers::shared();
    let brokers = servers.kafka.clone();
    let engines = servers.engines();
    let namespace = engines.namespace();
    let shop = Shop::over(&engines, &[]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let plain = server.sign_in(Demo::Customer).await;
    let traced = plain.in_trace(TRACEPARENT);
    for buyer in [&traced, &plain] {
        let order = buyer.own(&item, 1).await;
        assert_eq!(code(&buyer.cancel(&order).await), None);
        let is_refunded = |order: &Value| order["refunds"][0]["completedAt"].is_string();
        buyer.until_order(&order, "refunded", is_refunded).await;
    }
    traced.request_verification("kim@example.com").await;
    server.mailed_code("kim@example.com").await;
    server.assert_clean().await;

    let read = blocking(move || {
        let of = |topic: &str, records| {
            let lines = consume(&brokers, &format!("{namespace}.{topic}"), records);
            let mut traces: Vec<_> = traces(&lines).into_values().collect();
            traces.sort();
            traces
        };
        (of("orders", 2 * EVENTS), of("accounts", 1))
    });
    let (orders, accounts) = read.await;
    assert_eq!(orders, [vec![false; EVENTS], vec![true; EVENTS]]);
    assert_eq!(accounts, [[true]], "what the mail worker reads");
}

/// Whether records are part of the trace, by what they are about.
fn traces(lines: &[String]) -> BTreeMap<String, Vec<bool>> {
    let mut traces = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        let (headers, record) = line.split_at(line.find('{').unwrap());
        let record: Value = serde_json::from_str(record).unwrap();
        let subject = record["subject"].as_str().unwrap().to_owned();
        let is_part = headers.contains(TRACE);
        assert!(is_part || !headers.contains("traceparent"), "{line}");
        traces.entry(subject).or_default().push(is_part);
    }
    traces
}
