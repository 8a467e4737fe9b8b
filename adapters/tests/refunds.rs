//! Refunds over a real ledger and the simulated provider's books.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "each test binary uses its part of the bench")]
mod stores {
    pub mod bench;
    pub mod sqlite;
}
#[path = "support/ports.rs"]
mod support;

use std::sync::Arc;

use adapters::clock::ManualClock;
use async_trait::async_trait;
use domain::order::Portion;
use domain::payment::CaptureAnswer;
use domain::policy::ReturnPolicy;
use domain::ports::Mailer;
use domain::ports::mail::Letter;
use domain::use_cases::complete_refunds::complete_refunds;
use domain::{Fault, OrderId, Quantity, RefundId};
use stores::bench::{Bench, LONG, at, calendar, captured, id, order_id, pay, record};
use stores::sqlite;

/// Nobody gets letters here.
struct NoPost;

#[async_trait]
impl Mailer for NoPost {
    async fn send(&self, _: &Letter) -> Result<(), Fault> {
        Ok(())
    }
}

const UNITS: u32 = 12;

/// An order that was paid, each unit of which was cancelled by itself.
async fn cancelled_bit_by_bit(bench: &Bench, number: u128) -> Vec<(OrderId, RefundId)> {
    let item = bench.general(number, 100).await;
    let lines = [(item, i64::from(UNITS))];
    bench
        .write_holding(&[record(number, number, &lines)], LONG)
        .await;
    let order = bench.order(order_id(number)).await;
    let order = bench.done(&pay(&order, number)).await;
    let mut order = bench.done(&captured(&order, number)).await;
    let unit = Portion {
        line: 0,
        quantity: Quantity::new(1).unwrap(),
    };
    for unit_number in 0..u128::from(UNITS) {
        let refund = RefundId(id(6, number * 1_000 + unit_number));
        let step = order.cancel(&[unit], refund, at(30)).unwrap();
        order = bench.done(&step).await;
    }
    let refunds = order.refunds.iter();
    refunds.map(|refund| (order.id, refund.id)).collect()
}

#[tokio::test]
async fn all_refunds_of_an_order_are_noted_at_once() {
    let (bench, folder) = sqlite::open().await;
    let clock = Arc::new(ManualClock::new(at(1_000)));
    let returns = ReturnPolicy {
        days_to_request: 1,
        days_to_complete: 1,
    };
    let rules = support::policies(calendar(), returns);
    let ports = support::ports((&bench, &folder), clock, Arc::new(NoPost), rules).await;
    let mut asked = Vec::new();
    for number in 1..=2 {
        asked.extend(cancelled_bit_by_bit(&bench, number).await);
    }
    for number in 1..=2 {
        let order = bench.order(order_id(number)).await;
        let captured = ports.provider.capture(order.id, &order.payments[0]).await;
        assert_eq!(captured, CaptureAnswer::Captured);
    }
    // Told twice in one batch, as the log may.
    let twice = [asked.clone(), asked].concat();
    complete_refunds(&ports, &twice).await.unwrap();
    for number in 1..=2 {
        let order = bench.order(order_id(number)).await;
        assert_eq!(order.refunds.len(), UNITS as usize);
        assert!(
            order
                .refunds
                .iter()
                .all(|refund| refund.completed_at.is_some())
        );
    }
}
