//! Connections that break, locks that are lost, callers that give up.

use std::sync::Arc;
use std::time::Duration;

use adapters::sql::{Ledger, LedgerSettings};
use domain::FaultKind;
use domain::ports::Catalogue;
use domain::ports::orders::BatchWritten;
use futures_util::future::join_all;

use super::apart::{check_books, somebody_waits};
use super::bench::{PARTITION, at, batch, order_id, record, restock_key};
use super::server::{Shop, settings};

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
