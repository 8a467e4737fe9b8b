//! Several processes at one ledger.

use std::time::Duration;

use domain::ItemId;
use domain::message::{OrderRecord, Partition};
use domain::order::OrderStatus;
use domain::ports::Orders;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};

use super::bench::{
    Bench, LONG, OVER, PARTITION, at, batch, declined, new_ids, order_id, pay, payment_id, placed,
    record,
};
use super::server::{Raw, Shop};

/// Waits until so many sessions wait for a lock.
pub async fn somebody_waits(raw: &Raw) {
    let waiting = if raw.is_mysql() {
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
         AND id <> CONNECTION_ID() AND command <> 'Sleep' AND time > 0"
    } else {
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND wait_event_type = 'Lock'"
    };
    for _ in 0..1_000 {
        if raw.numbers(waiting).await[0] > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for a lock");
}

/// A batch of some other partition.
fn of_partition(number: i32, from: i64, records: &[OrderRecord]) -> WriteBatch {
    WriteBatch {
        partition: Partition {
            number,
            ..PARTITION
        },
        ..batch(from, records)
    }
}

/// What is held is what the orders say, of items and buyers.
pub async fn check_books(bench: &Bench) {
    for figures in bench.audit.stock(None, 1_000).await.unwrap() {
        assert_eq!(figures.stock.held, figures.held_by_lines, "{figures:?}");
    }
    assert_eq!(bench.audit.buyers_off(9).await.unwrap(), []);
}

pub async fn writers_of_different_partitions_meet_at_the_same_items(shop: &Shop) {
    const BATCHES: i64 = 12;
    const ORDERS: i64 = 20;
    let bench = shop.bench().await;
    let mut items: Vec<ItemId> = Vec::new();
    for number in 1..=6 {
        items.push(bench.deal(number, 10_000, None).await);
    }
    let mut writers = Vec::new();
    for writer in 0..3_i32 {
        let ledger = shop.ledger().await;
        let mut items = items.clone();
        // Each names them in another order.
        items.rotate_left(usize::try_from(writer).unwrap() * 2);
        writers.push(tokio::spawn(async move {
            for number in 0..BATCHES {
                let records: Vec<_> = (0..ORDERS)
                    .map(|order| {
                        let id = i64::from(writer) * 1_000_000 + number * 1_000 + order;
                        let lines: Vec<_> = items.iter().map(|item| (*item, 1)).collect();
                        // Few buyers, so that their rows meet too.
                        record(
                            u128::try_from(id).unwrap(),
                            1 + u128::from(order.unsigned_abs()) % 7,
                            &lines,
                        )
                    })
                    .collect();
                let batch = of_partition(writer, number * ORDERS, &records);
                let written = ledger.write_batch(&batch).await;
                let written = written.map_err(|fault| fault.detail()).unwrap();
                assert!(matches!(written, BatchWritten::Done(_)));
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for item in items {
        let stock = bench.stock(item).await;
        assert_eq!(
            (stock.held, stock.admitted),
            (3 * BATCHES * ORDERS, 3 * BATCHES * ORDERS)
        );
    }
    check_books(&bench).await;
}

pub async fn of_all_who_want_an_order_at_once_one_gets_it(shop: &Shop) {
    let bench = shop.bench().await;
    let item = bench.deal(100, 1_000, None).await;
    let others = [
        shop.ledger().await,
        shop.ledger().await,
        shop.ledger().await,
    ];
    for round in 0..12_u128 {
        // Its time ends while they ask.
        let number = 1 + round;
        bench
            .write_holding(&[record(number, 1, &[(item, 2)])], 15)
            .await;
        let order = bench.order(order_id(number)).await;
        let mut asked = Vec::new();
        for (place, ledger) in others.iter().cycle().take(9).enumerate() {
            let attempt = number << 8 | place as u128;
            let step = match place % 3 {
                0 => pay(&order, attempt),
                1 => order.cancel(&[], new_ids(attempt).refund, at(10)).unwrap(),
                _ => order.expire(at(10)).unwrap(),
            };
            let ledger = ledger.clone();
            asked.push(tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(place as u64 * 3)).await;
                ledger.commit(&[step]).await.unwrap().pop().unwrap()
            }));
        }
        let mut done = 0;
        for outcome in asked {
            done += i32::from(matches!(outcome.await.unwrap(), Committed::Done(_)));
        }
        assert_eq!(done, 1, "one of them got it");
        assert_eq!(bench.order(order.id).await.version, 2);
    }
    check_books(&bench).await;
    assert_eq!(bench.events().await, 1 + 2 * 12, "one step, one event");
}

pub async fn any_number_of_workers_may_sweep(shop: &Shop) {
    const ORDERS: u128 = 80;
    let bench = shop.bench().await;
    let items = [bench.deal(1, 500, None).await, bench.general(2, 500).await];
    let records: Vec<_> = (1..=ORDERS)
        .map(|number| record(number, number % 5, &[(items[0], 1), (items[1], 1)]))
        .collect();
    bench.write_holding(&records, OVER).await;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let ledger = shop.ledger().await;
        workers.push(tokio::spawn(async move {
            let mut done = 0;
            loop {
                let overdue = ledger.overdue(20).await.unwrap();
                if overdue.is_empty() {
                    return done;
                }
                let orders = ledger.orders(&overdue).await.unwrap();
                let steps: Vec<_> = orders
                    .iter()
                    .filter_map(|order| order.expire(at(1)))
                    .collect();
                let outcomes = ledger.commit(&steps).await.map_err(|fault| fault.detail());
                let outcomes = outcomes.unwrap();
                done += outcomes
                    .iter()
                    .filter(|outcome| matches!(outcome, Committed::Done(_)))
                    .count();
            }
        }));
    }
    let mut done = 0;
    for worker in workers {
        done += worker.await.unwrap();
    }
    assert_eq!(done as u128, ORDERS, "each of them once");
    for item in items {
        let stock = bench.stock(item).await;
        assert_eq!((stock.held, stock.released), (0, 80));
    }
    check_books(&bench).await;
}

pub async fn a_zombie_that_wakes_up_writes_nothing(shop: &Shop) {
    let (zombie, heir) = (shop.ledger().await, shop.bench().await);
    let (slow, quick) = (heir.general(1, 10).await, heir.general(2, 10).await);
    let raw = shop.raw().await;
    raw.say("BEGIN").await;
    let hex = slow.0.simple();
    let locked = if raw.is_mysql() {
        format!("UPDATE stock SET changed_at = 1 WHERE item_id = x'{hex}'")
    } else {
        format!("UPDATE stock SET changed_at = 1 WHERE item_id = '{hex}'")
    };
    raw.say(&locked).await;
    let stale = batch(0, &[record(1, 1, &[(slow, 1)])]);
    let waking = tokio::spawn(async move { zombie.write_batch(&stale).await.unwrap() });
    somebody_waits(&raw).await;
    // Meanwhile its partition is somebody else's, who reads the same records and one more.
    let written = heir.write(&[record(2, 2, &[(quick, 1)])]).await;
    assert_eq!(written.len(), 1);
    raw.say("COMMIT").await;
    assert!(matches!(waking.await.unwrap(), BatchWritten::NotMine));
    assert!(heir.orders.orders(&[order_id(1)]).await.unwrap().is_empty());
    assert_eq!(heir.stock(slow).await.held, 0);
    assert_eq!(heir.orders.writer_position(PARTITION).await.unwrap().0, 1);
}

pub async fn a_reader_sees_one_moment(shop: &Shop) {
    let bench = shop.bench().await;
    let (_, mut order) = placed(&bench, 1, LONG).await;
    let id = order.id;
    let reader = shop.ledger().await;
    let reading = tokio::spawn(async move {
        let mut reads = 0;
        loop {
            let order = reader.orders(&[id]).await.unwrap().pop().unwrap();
            if order.status() == OrderStatus::Cancelled {
                return reads;
            }
            // Every second step begins a payment.
            let payments = usize::try_from(order.version / 2).unwrap();
            assert_eq!(order.payments.len(), payments, "version {}", order.version);
            reads += 1;
        }
    });
    for attempt in 1..=40 {
        let paying = bench
            .done(
                &order
                    .pay(payment_id(attempt), super::bench::method(), None, at(10))
                    .unwrap(),
            )
            .await;
        let [again, _] = declined(&paying, attempt);
        order = bench.done(&again).await;
    }
    let cancel = order.cancel(&[], new_ids(1).refund, at(10)).unwrap();
    bench.done(&cancel).await;
    assert!(reading.await.unwrap() > 10);
}
