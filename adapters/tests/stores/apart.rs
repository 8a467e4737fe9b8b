//! Several processes at one ledger, and servers that fail them.

use std::sync::Arc;
use std::time::Duration;

use adapters::sql::{Ledger, LedgerSettings};
use domain::message::{OrderRecord, Partition};
use domain::order::OrderStatus;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::ports::{Catalogue, Orders};
use domain::{FaultKind, ItemId};
use futures_util::future::join_all;

use super::bench::{
    Bench, LONG, OVER, PARTITION, at, batch, declined, new_ids, order_id, pay, payment_id, placed,
    record, restock_key,
};
use super::server::{Raw, Shop, settings};

/// Waits until so many sessions wait for a lock.
async fn somebody_waits(raw: &Raw) {
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

async fn check_books(bench: &Bench) {
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

pub async fn a_connection_that_breaks_in_the_middle_leaves_nothing(shop: &Shop) {
    let bench = shop.bench().await;
    let item = bench.deal(1, 10, None).await;
    let raw = shop.raw().await;
    // Everything is written but the events.
    let (hold, free) = if raw.is_mysql() {
        ("LOCK TABLES outbox WRITE", "UNLOCK TABLES")
    } else {
        ("BEGIN; LOCK TABLE outbox IN EXCLUSIVE MODE", "COMMIT")
    };
    raw.say(hold).await;
    let records = [record(1, 1, &[(item, 2)])];
    let (writer, batch) = (bench.orders.clone(), batch(0, &records));
    let first = batch.clone();
    let cut_off = tokio::spawn(async move { writer.write_batch(&first).await });
    somebody_waits(&raw).await;
    assert!(raw.end_others().await > 0);
    let fault = cut_off.await.unwrap().expect_err("its connection is gone");
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", fault.detail());
    raw.say(free).await;

    let bench = shop.bench().await;
    assert!(
        bench
            .orders
            .orders(&[order_id(1)])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(bench.orders.writer_position(PARTITION).await.unwrap().0, 0);
    let stock = bench.stock(item).await;
    assert_eq!((stock.held, stock.admitted), (0, 0));
    assert_eq!(bench.events().await, 1, "the item's");
    let again = bench.orders.write_batch(&batch).await.unwrap();
    assert!(matches!(again, BatchWritten::Done(_)));
    check_books(&bench).await;
}

pub async fn whoever_loses_a_deadlock_begins_again(shop: &Shop) {
    let bench = shop.bench().await;
    let item = bench.deal(1, 10, None).await;
    bench.write(&[record(1, 1, &[(item, 1)])]).await;
    let raw = shop.raw().await;
    if !raw.is_mysql() {
        // PostgreSQL ends whoever looks first: that must not be this.
        raw.say("SET deadlock_timeout = '1min'").await;
    }
    raw.say("BEGIN").await;
    // MariaDB ends whoever has done less: this has done more.
    raw.say("UPDATE items SET paused = paused").await;
    for number in 0..40 {
        let table = if raw.is_mysql() { "x''" } else { "''" };
        let insert = format!(
            "INSERT INTO verifications (id, email, email_index, requested_at, expires_at, attempts) \
             VALUES ({}, {table}, {table}, 0, 0, 0)",
            if raw.is_mysql() {
                format!("x'{number:032x}'")
            } else {
                format!("'{number:032x}'")
            }
        );
        raw.say(&insert).await;
    }
    raw.say("UPDATE writer_positions SET next_offset = next_offset")
        .await;
    let (writer, batch) = (
        bench.orders.clone(),
        batch(1, &[record(2, 2, &[(item, 1)])]),
    );
    let writing = tokio::spawn(async move { writer.write_batch(&batch).await });
    // It has the stock row and waits for its position.
    somebody_waits(&raw).await;
    raw.say("UPDATE stock SET changed_at = 1").await;
    raw.say("COMMIT").await;
    let written = writing.await.unwrap().map_err(|fault| fault.detail());
    assert!(matches!(written.unwrap(), BatchWritten::Done(_)));
    assert_eq!(bench.stock(item).await.held, 2);
    check_books(&bench).await;
}

pub async fn a_row_that_stays_locked_is_not_waited_for_forever(shop: &Shop) {
    let impatient = LedgerSettings {
        lock_timeout: Duration::from_secs(1),
        ..settings()
    };
    let ledger: Arc<Ledger> = shop.ledger_with(&impatient).await;
    let bench = shop.bench().await;
    let item = bench.general(1, 10).await;
    let raw = shop.raw().await;
    raw.say("BEGIN").await;
    raw.say("UPDATE stock SET changed_at = 1").await;
    let key = restock_key(1);
    let restocked = ledger.restock(item, 1, at(7), &key, None);
    let restocked = tokio::time::timeout(Duration::from_secs(20), restocked).await;
    let fault = restocked.expect("it gives up").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", fault.detail());
    // Whoever only reads does not wait.
    let read = tokio::time::timeout(Duration::from_secs(20), bench.stock(item)).await;
    assert_eq!(read.unwrap().total, 10);
    raw.say("COMMIT").await;
    ledger
        .restock(item, 1, at(7), &restock_key(1), None)
        .await
        .unwrap();
    assert_eq!(bench.stock(item).await.total, 11);
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

pub async fn a_server_that_comes_back_is_used_again(shop: &Shop) {
    let bench = shop.bench().await;
    let item = bench.general(1, 10).await;
    let raw = shop.raw().await;
    assert!(raw.end_others().await > 0);
    let mut tries = 0;
    while bench.catalogue.items(&[item]).await.is_err() {
        tries += 1;
        assert!(tries < 20, "each broken connection costs one try");
    }
    let mut number = 0;
    loop {
        number += 1;
        let key = restock_key(number);
        let restocked = bench.catalogue.restock(item, 1, at(7), &key, None);
        match restocked.await {
            Ok(_) => break,
            Err(fault) => assert_eq!(fault.kind, FaultKind::Unavailable, "{}", fault.detail()),
        }
        assert!(number < 20);
    }
    assert_eq!(bench.stock(item).await.total, 11);
}

pub async fn a_caller_that_gives_up_leaves_all_or_nothing(shop: &Shop) {
    const TRIES: u128 = 120;
    let bench = shop.bench().await;
    let item = bench.general(1, 10).await;
    for number in 0..TRIES {
        let catalogue = bench.catalogue.clone();
        let restocking = tokio::spawn(async move {
            let key = restock_key(number);
            catalogue.restock(item, 1, at(7), &key, None).await.unwrap();
        });
        // Anywhere from before it began to after it is done.
        let moment = u64::try_from(number * 137 % 6_000).unwrap();
        tokio::time::sleep(Duration::from_micros(moment)).await;
        let orders = bench.orders.clone();
        let reading = tokio::spawn(async move { drop(orders.orders(&[order_id(1)]).await) });
        tokio::task::yield_now().await;
        for call in [restocking, reading] {
            call.abort();
            let _ = call.await;
        }
    }
    // What the server was sent before somebody gave up it may still be doing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut used = 0;
    for number in 0..TRIES {
        let key = restock_key(number);
        let use_of_key = bench.orders.key_use(key.requester, key.mutation, key.key);
        used += i64::from(use_of_key.await.unwrap().is_some());
    }
    assert_eq!(bench.stock(item).await.total, 10 + used);
    assert_eq!(bench.events().await, 1 + used.unsigned_abs());
    let last = restock_key(TRIES);
    let restocked = bench.catalogue.restock(item, 1, at(7), &last, None).await;
    restocked.unwrap();
    assert_eq!(bench.stock(item).await.total, 11 + used);
    // No connection was lost on the way: what a relay takes keeps one busy.
    let takes = (0..settings().connections / 2).map(|_| bench.outbox.take(1));
    let taken: Vec<_> = join_all(takes).await;
    assert!(taken.iter().all(Result::is_ok));
}
