//! The ledger in a SQLite file keeps the stores' law.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod stores {
    pub mod accounts;
    pub mod after_sale;
    pub mod batches;
    pub mod bench;
    pub mod books;
    pub mod changes;
    pub mod chaos;
    pub mod dead_letters;
    pub mod forgetting;
    pub mod guards;
    pub mod items;
    pub mod letters;
    pub mod lists;
    pub mod payments;
    pub mod sealing;
    pub mod sessions;
    pub mod sqlite;
    pub mod steps;
    pub mod suite;
    pub mod tellings;
    pub mod traces;
    pub mod verifications;
    pub mod wishlists;
}
#[path = "support/traced.rs"]
mod traced;

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::embedded::log::SqliteLog;
use domain::message::{Message, Topic};
use domain::ports::Log;
use domain::ports::log::{Group, Polled};
use stores::bench::{LONG, pay, placed};
use stores::sqlite::open;
use traced::traced;

stores::suite::suite!(open);

#[tokio::test]
async fn whoever_reads_of_a_commit_knows_its_trace() {
    let (bench, folder) = open().await;
    // As a shop in one process has it.
    let path = folder.path().join("log.db");
    let log = SqliteLog::open(&path, 1, Arc::new(SystemClock)).await;
    let log = log.map_err(|fault| fault.detail()).unwrap();
    let (_, order) = placed(&bench, 1, LONG).await;
    let paying = pay(&order, 1);
    let paying = std::slice::from_ref(&paying);
    traced(5, bench.orders.commit(paying)).await.unwrap();
    // What the relay does.
    let taken = bench.take_all().await;
    let messages: Vec<_> = taken.events.into_iter().map(Message::Event).collect();
    log.publish(&messages).await.unwrap();
    taken.claim.remove().await.unwrap();

    let mut payment = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    let deliveries = loop {
        if let Polled::Records(deliveries) = payment.poll(9).await.unwrap() {
            break deliveries;
        }
    };
    let traces = deliveries.iter().map(|delivery| delivery.trace.as_ref());
    let traces: Vec<_> = traces.map(|trace| trace.map(|trace| trace.trace)).collect();
    assert_eq!(traces, [None, Some(5)], "placed, and to be paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_sealed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let clock = stores::sqlite::clock();
    let open = async |vault| stores::sqlite::ledger(folder.path(), vault, clock.clone()).await;
    let bench = |ledger| stores::sqlite::bench(ledger, clock.clone());
    stores::sealing::everything_is_sealed_anew(open, bench).await;
}
