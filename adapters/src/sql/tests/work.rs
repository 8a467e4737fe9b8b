//! Work in a transaction: all of it or nothing.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Catalogue, Orders, Outbox};
use domain::{FaultKind, ItemId, Timestamp};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{ID, add_item, key, open};
use crate::sql::entities::{admissions, orders};
use crate::sql::fault::{Again, Stop};
use crate::sql::{Ledger, MOST_TRIES, bulk};

async fn insert(on: &impl ConnectionTrait, ids: &[u128]) -> Result<(), Stop> {
    let row = |id: &u128| admissions::Model {
        id: Uuid::from_u128(*id),
        order_id: ID,
    };
    bulk::insert::<admissions::ActiveModel, _>(on, ids.iter().map(row).collect()).await
}

async fn admissions_there(ledger: &Ledger, ids: &[u128]) -> usize {
    let ids: Vec<Uuid> = ids.iter().copied().map(Uuid::from_u128).collect();
    let column = admissions::Column::Id;
    let known = bulk::known::<admissions::Entity>(&ledger.engine.reader, column, &ids).await;
    known.unwrap().len()
}

#[tokio::test]
async fn work_that_stops_leaves_nothing() {
    let (ledger, _folder) = open().await;
    let tries = std::sync::atomic::AtomicU32::new(0);
    let stopped = ledger
        .write("testing", |on| {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async move {
                insert(&on, &[1, 2]).await?;
                insert(&on, &[3, 2]).await
            }
        })
        .await;
    assert_eq!(stopped.unwrap_err().kind, FaultKind::Unavailable);
    assert_eq!(
        tries.into_inner(),
        MOST_TRIES,
        "somebody may have been first: look again"
    );
    assert_eq!(admissions_there(&ledger, &[1, 2, 3]).await, 0);

    let broken = || Err::<(), _>(Stop::from(DbErr::Custom("no".to_owned())));
    let stopped = ledger
        .write("testing", |on| async move {
            insert(&on, &[1]).await?;
            broken()
        })
        .await;
    assert!(stopped.is_err());
    assert_eq!(admissions_there(&ledger, &[1]).await, 0);

    let cut_off = ledger.write("testing", |on| async move {
        insert(&on, &[1]).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(50), cut_off)
            .await
            .is_err()
    );
    ledger
        .write("testing", |on| async move { insert(&on, &[2]).await })
        .await
        .unwrap();
    assert_eq!(admissions_there(&ledger, &[1, 2]).await, 1);
}

#[tokio::test]
async fn a_key_that_is_taken_is_known_as_such() {
    let (ledger, _folder) = open().await;
    let row = || orders::Model {
        id: ID,
        buyer_id: ID,
        fingerprint: ID,
        admission_id: None,
        total_minor: 1,
        currency: "KRW".to_owned(),
        placed_at: 0,
        status: "PENDING_PAYMENT".to_owned(),
        reason: None,
        expires_at: Some(0),
        payment_id: None,
        ended_at: None,
        version: 1,
        delivery_address: None,
    };
    let insert = |rows| bulk::insert::<orders::ActiveModel, _>(&ledger.engine.writer, rows);
    insert(vec![row()]).await.unwrap();
    let taken = insert(vec![row()]).await.unwrap_err();
    assert_eq!(taken.again(), Some(Again::AtOnce));
    let broken = orders::Model {
        version: 0,
        id: Uuid::from_u128(9),
        ..row()
    };
    assert_eq!(insert(vec![broken]).await.unwrap_err().again(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_is_cut_off_anywhere_is_done_wholly_or_not_at_all() {
    const TRIES: u64 = 300;
    let (ledger, _folder) = open().await;
    let ledger = Arc::new(ledger);
    add_item(&ledger).await;
    let item = ItemId(ID);
    for number in 0..TRIES {
        let ledger = ledger.clone();
        let restocking = tokio::spawn(async move {
            let at = Timestamp::UNIX_EPOCH;
            ledger
                .restock(item, 1, at, &key(number.into()), None)
                .await
                .unwrap();
        });
        // Anywhere from before it began to after it is done.
        tokio::time::sleep(Duration::from_micros(number * 13 % 1_700)).await;
        restocking.abort();
        let _ = restocking.await;
    }
    let mut used = 0;
    for number in 0..TRIES {
        let key = key(number.into());
        let use_of_key = ledger.key_use(key.requester, key.mutation, key.key).await;
        used += i64::from(use_of_key.unwrap().is_some());
    }
    let stock = ledger.items(&[item]).await.unwrap()[0].stock;
    assert_eq!((stock.total, stock.version), (10 + used, 1 + used));
    assert_eq!(
        i64::try_from(ledger.length().await.unwrap()).unwrap(),
        1 + used
    );
    ledger
        .restock(item, 1, Timestamp::UNIX_EPOCH, &key(TRIES.into()), None)
        .await
        .unwrap();
}
