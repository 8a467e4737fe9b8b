//! How a SQLite file is held.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::catalogue::ItemWritten;
use domain::ports::{Catalogue, Outbox};
use domain::{ItemId, Timestamp};
use sea_orm::ConnectionTrait;

use super::{ID, add_item, insert_order, item, key, open, open_in};
use crate::sql::engine::Pool;

async fn pragma(connection: &Pool, name: &str) -> String {
    let statement = sea_orm::Statement::from_string(
        connection.get_database_backend(),
        format!("SELECT CAST(\"{name}\" AS TEXT) FROM pragma_{name}"),
    );
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn the_file_is_held_durably() {
    let (ledger, _folder) = open().await;
    for connection in [&ledger.engine.writer, &ledger.engine.reader] {
        assert_eq!(pragma(connection, "journal_mode").await, "wal");
        assert_eq!(pragma(connection, "synchronous").await, "2", "FULL");
        assert_eq!(pragma(connection, "foreign_keys").await, "1");
    }
    let written = ledger
        .engine
        .reader
        .execute_unprepared(&insert_order())
        .await;
    assert!(written.is_err(), "readers only read");
}

#[tokio::test]
async fn what_is_written_is_there_at_the_next_start() {
    let (ledger, folder) = open().await;
    add_item(&ledger).await;
    ledger.close().await.unwrap();
    assert!(
        ledger.items(&[ItemId(ID)]).await.is_err(),
        "closed is closed"
    );
    let ledger = open_in(folder.path()).await;
    assert_eq!(ledger.items(&[ItemId(ID)]).await.unwrap(), [item(0x1234)]);
    assert_eq!(ledger.length().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_take_turns() {
    let (one, folder) = open().await;
    let one = Arc::new(one);
    add_item(&one).await;
    let two = Arc::new(open_in(folder.path()).await);
    let writers = [one.clone(), two].into_iter().enumerate();
    let writers = writers.map(|(writer, ledger)| {
        tokio::spawn(async move {
            for number in 0..50 {
                // It looks before it writes: nobody may write in between.
                let key = key((writer as u128) << 64 | number);
                let restocked = ledger.restock(ItemId(ID), 1, Timestamp::UNIX_EPOCH, &key, None);
                let restocked = restocked.await.unwrap();
                assert!(matches!(restocked, ItemWritten::Done { .. }));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let item = one.items(&[ItemId(ID)]).await.unwrap().remove(0);
    assert_eq!(item.stock.total, 10 + 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_writer_has_read_stays_so_until_it_has_written() {
    let (one, folder) = open().await;
    add_item(&one).await;
    let two = open_in(folder.path()).await;
    let writing = one.engine.begin_write().await.unwrap();
    let other = tokio::spawn(async move {
        let restocked = two
            .restock(ItemId(ID), 1, Timestamp::UNIX_EPOCH, &key(1), None)
            .await;
        assert!(matches!(restocked.unwrap(), ItemWritten::Done { .. }));
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!other.is_finished(), "another process waits");
    let changed = writing
        .execute_unprepared("UPDATE stock SET total = 20")
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    writing.commit().await.unwrap();
    other.await.unwrap();
    let item = one.items(&[ItemId(ID)]).await.unwrap().remove(0);
    assert_eq!(item.stock.total, 21);
}
