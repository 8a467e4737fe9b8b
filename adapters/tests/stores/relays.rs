//! Several relays, each in a process of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::event::{Event, What};
use domain::ports::Outbox;

use super::bench::{LONG, captured, declined, order_id, pay, placed};
use super::server::Shop;

/// Moves events like the relay, in small portions, until told to stop. Every few it falls over
/// before it has published, or after.
async fn relay(outbox: Arc<dyn Outbox>, log: Arc<Mutex<Vec<Event>>>, done: Arc<AtomicBool>) {
    for turn in 0_u32.. {
        let stopping = done.load(Ordering::Relaxed);
        let taken = outbox.take(1 + turn as usize % 5).await.unwrap();
        if taken.events.is_empty() {
            if stopping && outbox.length().await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        if turn % 7 == 3 {
            continue;
        }
        // Publishing takes its time.
        tokio::time::sleep(Duration::from_millis(u64::from(turn % 4))).await;
        log.lock().unwrap().extend(taken.events);
        if turn % 7 != 5 {
            taken.claim.remove().await.unwrap();
        }
    }
}

pub async fn several_relays_keep_every_key_in_order(shop: &Shop) {
    const ORDERS: u128 = 12;
    let log = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::new(AtomicBool::new(false));
    let mut relays = Vec::new();
    for _ in 0..3 {
        let outbox = shop.ledger().await;
        relays.push(tokio::spawn(relay(outbox, log.clone(), done.clone())));
    }
    let bench = shop.bench().await;
    let mut orders = Vec::new();
    for number in 1..=ORDERS {
        orders.push(placed(&bench, number, LONG).await.1);
    }
    for round in 0..4 {
        for order in &mut orders {
            let attempt = order.id.0.as_u128() << 8 | round;
            let paying = bench.done(&pay(order, attempt)).await;
            let [again, _] = declined(&paying, attempt);
            *order = bench.done(&again).await;
        }
    }
    for order in &orders {
        let paying = bench.done(&pay(order, order.id.0.as_u128() << 8 | 9)).await;
        bench
            .done(&captured(&paying, order.id.0.as_u128() << 8 | 9))
            .await;
    }
    done.store(true, Ordering::Relaxed);
    for relay in relays {
        relay.await.unwrap();
    }
    let mut seen: HashMap<_, i64> = HashMap::new();
    for event in log.lock().unwrap().iter() {
        if let What::Order { order, version, .. } = event.what {
            let newest = seen.entry(order).or_default();
            assert!(
                version <= *newest + 1,
                "{order:?}: {version} came after {newest}"
            );
            *newest = version.max(*newest);
        }
    }
    for number in 1..=ORDERS {
        assert_eq!(seen[&order_id(number)], 11, "each of them came");
    }
}

pub async fn what_a_relay_had_is_free_when_it_is_gone(shop: &Shop) {
    let (one, two) = (shop.ledger().await, shop.ledger().await);
    let bench = shop.bench().await;
    // So many that a server would rather read all of them than look up each.
    for number in 1..=40 {
        bench.general(number, 1).await;
    }
    let first = one.take(20).await.unwrap();
    let second = two.take(90).await.unwrap();
    assert_eq!((first.events.len(), second.events.len()), (20, 20));
    assert!(
        first
            .events
            .iter()
            .all(|event| !second.events.contains(event))
    );
    second.claim.remove().await.unwrap();
    assert!(
        two.take(90).await.unwrap().events.is_empty(),
        "taken is taken"
    );

    shop.raw().await.end_others().await;
    let mut freed = Vec::new();
    while freed.is_empty() {
        // Its own connections were ended, too.
        match two.take(90).await {
            Ok(taken) => freed = taken.events,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    assert_eq!(freed, first.events);
    assert!(
        first.claim.remove().await.is_err(),
        "it was too long about it"
    );
}
