//! What the gate in memory does to the millisecond, by a clock that stands still.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::ManualClock;
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings};
use chrono::TimeDelta;
use domain::gate::{
    Fingerprint, Obstacle, Recall, Receipt, Reservation, Reserved, Shard, Telling, Terms,
};
use domain::message::{Draft, DraftLine};
use domain::ports::gate::Loading;
use domain::ports::{Clock, Gate};
use domain::{AccountId, AdmissionId, Currency, ItemId, Money, OrderId, Quantity, Timestamp};
use uuid::Uuid;

const ITEM: ItemId = ItemId(Uuid::from_u128(7));

fn gate(settings: MemoryGateSettings) -> (Arc<ManualClock>, Arc<MemoryGate>) {
    let start = Timestamp::from_timestamp_millis(1_767_225_600_000).unwrap();
    let clock = Arc::new(ManualClock::new(start));
    (clock.clone(), Arc::new(MemoryGate::new(clock, settings)))
}

/// Ends the healing that a gate begins with.
async fn trust(gate: &MemoryGate) {
    let beat = gate.beat(Shard(0)).await.unwrap();
    assert!(gate.heal(Shard(0), beat, true, &[]).await.unwrap());
}

async fn reserve(gate: &MemoryGate, number: u128) -> Reserved {
    let unit_price = Money {
        minor: 1,
        currency: Currency::from_code("KRW").unwrap(),
    };
    let quantity = Quantity::new(1).unwrap();
    let draft = Arc::new(Draft {
        order: OrderId(Uuid::from_u128(number)),
        buyer: AccountId(Uuid::from_u128(number)),
        fingerprint: Fingerprint(0),
        lines: vec![DraftLine {
            item: ITEM,
            quantity,
            unit_price,
        }],
        total: unit_price,
        accepted_at: Timestamp::UNIX_EPOCH,
        wishlist_entries: Vec::new(),
    });
    let units = draft.units();
    let admission = AdmissionId(Uuid::from_u128(number));
    let reservation = Reservation {
        draft,
        shard: Shard(0),
        admission,
        units,
    };
    gate.reserve(&reservation).await.unwrap()
}

#[tokio::test]
async fn a_deal_sells_from_its_first_instant_to_its_last() {
    let (clock, gate) = gate(MemoryGateSettings::default());
    let opens_at = clock.now() + TimeDelta::milliseconds(10);
    let closes_at = clock.now() + TimeDelta::milliseconds(20);
    let terms = Terms {
        ceiling: 100,
        opens_at: Some(opens_at),
        closes_at: Some(closes_at),
        paused: false,
        limit: None,
        counts_buyers: true,
        version: 1,
    };
    gate.load(&[Telling {
        item: ITEM,
        admitted: 0,
        terms,
        buyers: vec![],
    }])
    .await
    .unwrap();
    trust(&gate).await;
    let mut sold = Vec::new();
    for number in 0..30 {
        match reserve(&gate, number).await {
            Reserved::Taken { .. } => sold.push(number),
            Reserved::Refused(obstacles) if number < 10 => {
                assert_eq!(
                    obstacles,
                    [Obstacle::NotOpen {
                        item: ITEM,
                        opens_at
                    }]
                );
            }
            Reserved::Refused(obstacles) => {
                assert_eq!(
                    obstacles,
                    [Obstacle::Closed {
                        item: ITEM,
                        closed_at: closes_at
                    }]
                );
            }
            other => panic!("{other:?}"),
        }
        clock.advance_ms(1);
    }
    assert_eq!(sold, (10..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_loader_that_dies_is_followed_by_another() {
    let (clock, gate) = gate(MemoryGateSettings {
        load_lease_ms: 100,
        ..Default::default()
    });
    let Loading::Won(first) = gate.begin_loading(ITEM).await.unwrap() else {
        panic!()
    };
    let waiting = tokio::spawn({
        let gate = gate.clone();
        async move { gate.begin_loading(ITEM).await.unwrap() }
    });
    tokio::task::yield_now().await;
    clock.advance_ms(99);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    clock.advance_ms(1);
    assert_eq!(waiting.await.unwrap(), Loading::AnotherHas);

    let Loading::Won(second) = gate.begin_loading(ITEM).await.unwrap() else {
        panic!()
    };
    assert_ne!(first, second);
    gate.end_loading(ITEM, first).await.unwrap();
    let third = gate.clone();
    let third = tokio::spawn(async move { third.begin_loading(ITEM).await.unwrap() });
    tokio::task::yield_now().await;
    assert!(!third.is_finished(), "the old token ended nothing");
    gate.end_loading(ITEM, second).await.unwrap();
    assert_eq!(third.await.unwrap(), Loading::AnotherHas);
}

#[tokio::test]
async fn a_gate_that_was_told_everything_is_trusted() {
    let (_, gate) = gate(MemoryGateSettings::default());
    for _ in 0..2 {
        let untold = gate.beat(Shard(0)).await.unwrap();
        assert!(untold.missing_since.is_some(), "until somebody has told it");
    }
    trust(&gate).await;
    assert_eq!(
        gate.beat(Shard(0)).await.unwrap().missing_since,
        None,
        "nothing was lost since"
    );
}

#[tokio::test]
async fn a_receipt_lasts_for_its_life() {
    let (clock, gate) = gate(MemoryGateSettings {
        receipt_life: Duration::from_millis(100),
        ..Default::default()
    });
    let order = OrderId(Uuid::from_u128(1));
    let told = Receipt {
        order,
        fingerprint: Fingerprint(0),
        admission: AdmissionId(Uuid::from_u128(1)),
        draft: None,
    };
    gate.tell_receipts(Shard(0), std::slice::from_ref(&told))
        .await
        .unwrap();
    clock.advance_ms(99);
    let kept = Recall::Receipt(told.clone());
    assert_eq!(gate.receipt(order).await.unwrap(), kept);
    clock.advance_ms(1);
    assert_ne!(gate.receipt(order).await.unwrap(), kept);
    gate.tell_receipts(Shard(0), &[told]).await.unwrap();
    assert_eq!(gate.receipt(order).await.unwrap(), kept, "told again");
}
