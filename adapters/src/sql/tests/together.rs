//! Commits that go together, and what they do not share.

use std::sync::Arc;
use std::time::Duration;

use domain::order::{Order, Transition};
use domain::ports::orders::Committed;
use domain::ports::{Catalogue, Orders};
use domain::{Fault, FaultKind, ItemId, RefundId, Timestamp};
use tokio::task::JoinHandle;

use super::{ID, add_item, open, place};
use crate::sql::Ledger;

fn cancel(order: &Order) -> Transition {
    order
        .cancel(&[], RefundId(ID), Timestamp::UNIX_EPOCH)
        .unwrap()
}

fn spawn(ledger: &Arc<Ledger>, step: Transition) -> JoinHandle<Result<Vec<Committed>, Fault>> {
    let ledger = ledger.clone();
    tokio::spawn(async move { ledger.commit(&[step]).await })
}

/// Lets everybody who can go on do so.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn steps_that_make_no_sense_spoil_nobody_elses() {
    let (ledger, _folder) = open().await;
    let ledger = Arc::new(ledger);
    add_item(&ledger).await;
    let mut steps = Vec::new();
    for number in 1..=6 {
        steps.push(cancel(&place(&ledger, number).await));
    }
    // More than anybody holds.
    steps[3].released[0].count = 100;
    let writing = ledger.engine.begin_write().await.unwrap();
    let callers: Vec<_> = steps.into_iter().map(|step| spawn(&ledger, step)).collect();
    settle().await;
    drop(writing);
    for (number, caller) in callers.into_iter().enumerate() {
        let answer = caller.await.unwrap();
        match number {
            3 => assert_eq!(answer.unwrap_err().kind, FaultKind::Corrupt),
            _ => assert!(matches!(answer.unwrap()[..], [Committed::Done(_)])),
        }
    }
    assert_eq!(ledger.items(&[ItemId(ID)]).await.unwrap()[0].stock.held, 1);
}

#[tokio::test]
async fn who_was_taken_along_by_somebody_cut_off_tries_again() {
    let (ledger, _folder) = open().await;
    let ledger = Arc::new(ledger);
    add_item(&ledger).await;
    let mut steps = Vec::new();
    for number in 1..=4 {
        steps.push(cancel(&place(&ledger, number).await));
    }
    let writing = ledger.engine.begin_write().await.unwrap();
    let first = spawn(&ledger, steps.remove(0));
    settle().await;
    let next_writer = {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.engine.begin_write().await.unwrap() })
    };
    settle().await;
    let second = spawn(&ledger, steps.remove(0));
    settle().await;
    let others: Vec<_> = steps.into_iter().map(|step| spawn(&ledger, step)).collect();
    settle().await;
    drop(writing);
    let writing = next_writer.await.unwrap();
    assert!(first.await.unwrap().is_ok());
    settle().await;
    // It has the turn, took the others along, and waits for the writer.
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    drop(writing);
    for caller in others {
        let answer = tokio::time::timeout(Duration::from_secs(20), caller)
            .await
            .unwrap();
        assert!(matches!(answer.unwrap().unwrap()[..], [Committed::Done(_)]));
    }
    assert_eq!(ledger.items(&[ItemId(ID)]).await.unwrap()[0].stock.held, 1);
}
