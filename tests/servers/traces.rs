//! A caller's trace goes as far as what the caller began, as anybody reads it in Kafka.

use std::collections::BTreeMap;

use crate::kafka_tools::{Logged, split};
use crate::support::{Demo, Sale};

const TRACE: &str = "traceparent:00-0af7651916cd43dd8448eb211c80319c-";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// Placed, payment asked for, paid, cancelled, refunded: by five different hands.
const EVENTS: usize = 5;

#[tokio::test]
async fn a_trace_goes_from_a_click_to_the_last_event() {
    let logged = Logged::with(&[]);
    let server = logged.shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let plain = server.sign_in(Demo::Customer).await;
    let traced = plain.in_trace(TRACEPARENT);
    for buyer in [&traced, &plain] {
        buyer.refunded(&item).await;
    }
    traced.request_verification("kim@example.com").await;
    server.mailed_code("kim@example.com").await;
    server.assert_clean().await;

    let of = async |topic: &str, records| {
        let lines = logged.consume(topic, records).await;
        let mut traces: Vec<_> = traces(&lines).into_values().collect();
        traces.sort();
        traces
    };
    let orders = of("orders", 2 * EVENTS).await;
    assert_eq!(orders, [vec![false; EVENTS], vec![true; EVENTS]]);
    let accounts = of("accounts", 1).await;
    assert_eq!(accounts, [[true]], "what the mail worker reads");
}

/// Whether records are part of the trace, by what they are about.
fn traces(lines: &[String]) -> BTreeMap<String, Vec<bool>> {
    let mut traces = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        let (headers, record) = split(line);
        let subject = record["subject"].as_str().unwrap().to_owned();
        let is_part = headers.contains(TRACE);
        assert!(is_part || !headers.contains("traceparent"), "{line}");
        traces.entry(subject).or_default().push(is_part);
    }
    traces
}
