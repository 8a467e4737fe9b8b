//! What no port shows: constraints, bad rows, what is on the disk, and how the file is held.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::account::{Account, Email, Profile, Role};
use domain::item::{Category, Details, Item, Kind};
use domain::page::ItemFilter;
use domain::ports::{Accounts, Catalogue, Orders, Outbox};
use domain::stock::Stock;
use domain::{AccountId, Currency, FaultKind, ItemId, Money, OrderId, Timestamp};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tempfile::TempDir;
use uuid::Uuid;

use super::entities::{admissions, orders};
use super::fault::Stop;
use super::{Ledger, bulk};
use crate::clock::ManualClock;
use crate::crypto::vault::{Vault, VaultKey};
use crate::entropy::SystemEntropy;

async fn open_in(folder: &Path) -> Ledger {
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::new(&key, &[], &[9; 32], Arc::new(SystemEntropy));
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let ledger = Ledger::open_sqlite(&folder.join("ledger ?%.db"), clock, vault).await;
    ledger.map_err(|fault| fault.detail()).unwrap()
}

async fn open() -> (Ledger, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open_in(folder.path()).await, folder)
}

const ID: Uuid = Uuid::from_u128(0x1234);
const NAMED: &str = "00000000-0000-0000-0000-000000001234";

fn item(number: u128) -> Item {
    let currency = Currency::from_code("KRW").unwrap();
    Item {
        id: ItemId(Uuid::from_u128(number)),
        seller: AccountId(ID),
        sku: None,
        details: Details {
            name: "Plainly readable".to_owned(),
            description: String::new(),
            category: Category::Etc,
            price: Money {
                minor: 100,
                currency,
            },
        },
        kind: Kind::General,
        stock: Stock::new(10).unwrap(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn account(number: u128, address: &str) -> Account {
    Account {
        id: AccountId(Uuid::from_u128(number)),
        role: Role::Customer,
        email: Email::parse(address).unwrap(),
        profile: Profile {
            name: "Hong Gildong".to_owned(),
            phone: Some("010-1234-5678".to_owned()),
            address: Some("1 Sejong-daero".to_owned()),
        },
        password_hash: None,
        rehearsal: false,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

async fn add_item(ledger: &Ledger) {
    ledger
        .create_many(&[item(0x1234)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
}

fn insert_order() -> String {
    format!(
        "INSERT INTO orders (id, buyer_id, fingerprint, total_minor, currency, placed_at, status, \
         expires_at, version) VALUES (x'{id}', x'{id}', x'{id}', 100, 'KRW', 0, \
         'PENDING_PAYMENT', 5, 1)",
        id = ID.simple()
    )
}

#[tokio::test]
async fn the_law_of_stock_holds_whoever_writes() {
    let (ledger, _folder) = open().await;
    add_item(&ledger).await;
    let id = ID.simple();
    let buyer = format!("INSERT INTO buyer_stock VALUES (x'{id}', x'{id}', 2, 3, 0)");
    ledger
        .engine
        .writer
        .execute_unprepared(&insert_order())
        .await
        .unwrap();
    for broken in [
        "UPDATE stock SET held = 11, admitted = 11",
        "UPDATE stock SET held = -1, released = 1",
        "UPDATE stock SET admitted = 1",
        "UPDATE stock SET released = -1, held = 1",
        "UPDATE stock SET total = -1",
        buyer.as_str(),
        "UPDATE orders SET total_minor = -1",
        "UPDATE orders SET version = 0",
        "UPDATE items SET price_minor = -1",
        "UPDATE items SET limit_per_buyer = 0",
        "UPDATE items SET opens_at = 5, closes_at = 5",
    ] {
        let refused = ledger
            .engine
            .writer
            .execute_unprepared(broken)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("CHECK constraint failed"),
            "{broken}: {refused}"
        );
        let fault = Stop::from(refused).fault("testing");
        assert_eq!(fault.kind, FaultKind::Corrupt, "a repetition ends the same");
    }
    let stranger = format!("INSERT INTO stock VALUES (x'{:032}', 1, 0, 0, 0, 1, 0)", 77);
    let refused = ledger
        .engine
        .writer
        .execute_unprepared(&stranger)
        .await
        .unwrap_err();
    assert_eq!(
        Stop::from(refused).fault("testing").kind,
        FaultKind::Corrupt
    );
}

#[tokio::test]
async fn a_bad_row_is_named_by_table_column_and_id() {
    for (what, place) in [
        ("UPDATE orders SET status = 'LOST'", "orders.status"),
        ("UPDATE orders SET status = 'ACCEPTED'", "orders.status"),
        ("UPDATE orders SET status = 'PAYING'", "orders.payment_id"),
        ("UPDATE orders SET expires_at = NULL", "orders.expires_at"),
        (
            "UPDATE orders SET expires_at = 9223372036854775807",
            "orders.expires_at",
        ),
        ("UPDATE orders SET currency = 'XXX'", "orders.currency"),
    ] {
        let (ledger, _folder) = open().await;
        ledger
            .engine
            .writer
            .execute_unprepared(&insert_order())
            .await
            .unwrap();
        assert_eq!(ledger.orders(&[OrderId(ID)]).await.unwrap().len(), 1);
        ledger.engine.writer.execute_unprepared(what).await.unwrap();
        let fault = ledger.orders(&[OrderId(ID)]).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt, "{what}");
        let detail = fault.detail();
        assert!(
            detail.contains(&format!("{place} of {NAMED}")),
            "{what}: {detail}"
        );
    }
    let (ledger, _folder) = open().await;
    add_item(&ledger).await;
    ledger
        .engine
        .writer
        .execute_unprepared("UPDATE items SET kind = 'GIFT'")
        .await
        .unwrap();
    let fault = ledger.items(&[ItemId(ID)]).await.unwrap_err();
    assert!(
        fault.detail().contains(&format!("items.kind of {NAMED}")),
        "{}",
        fault.detail()
    );
    ledger
        .engine
        .writer
        .execute_unprepared("UPDATE outbox SET payload = '{}'")
        .await
        .unwrap();
    let fault = ledger.pending(9).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Corrupt);
    assert!(
        fault.detail().contains("outbox.payload of 1"),
        "{}",
        fault.detail()
    );
}

#[tokio::test]
async fn personal_data_is_not_on_the_disk() {
    let (ledger, folder) = open().await;
    add_item(&ledger).await;
    assert!(
        Accounts::create(&ledger, &[account(1, "gildong@example.com")])
            .await
            .unwrap()
    );
    let found = ledger
        .by_email(&Email::parse("Gildong@example.com").unwrap())
        .await
        .unwrap();
    assert_eq!(
        found.unwrap().profile.address.as_deref(),
        Some("1 Sejong-daero")
    );
    let on_disk = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect::<Vec<u8>>()
    };
    for disk in [on_disk(), {
        ledger.close().await.unwrap();
        on_disk()
    }] {
        let has = |text: &str| disk.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(has("Plainly readable"), "what is not personal is found");
        for personal in ["gildong", "Gildong", "example.com", "1234-5678", "Sejong"] {
            assert!(!has(personal), "{personal}");
        }
    }
}

#[tokio::test]
async fn a_sealed_column_opens_in_its_own_row_only() {
    let (ledger, _folder) = open().await;
    let two = [
        account(0x1234, "a@example.com"),
        account(2, "b@example.com"),
    ];
    assert!(Accounts::create(&ledger, &two).await.unwrap());
    let swap = "UPDATE accounts SET name = (SELECT other.name FROM accounts AS other \
                WHERE other.id <> accounts.id)";
    ledger.engine.writer.execute_unprepared(swap).await.unwrap();
    let fault = ledger.account(two[0].id).await.err().unwrap();
    assert!(
        fault
            .detail()
            .contains(&format!("accounts.name of {NAMED}")),
        "{}",
        fault.detail()
    );
}

async fn pragma(connection: &DatabaseConnection, name: &str) -> String {
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
    let two = Arc::new(open_in(folder.path()).await);
    let writers = [one.clone(), two]
        .into_iter()
        .enumerate()
        .map(|(writer, ledger)| {
            tokio::spawn(async move {
                for number in 0..50 {
                    let item = item((writer as u128) << 64 | number | 1 << 90);
                    ledger
                        .create_many(&[item], Timestamp::UNIX_EPOCH)
                        .await
                        .unwrap();
                }
            })
        });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(one.count(&ItemFilter::default()).await.unwrap(), 100);
}

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
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let stopped = ledger
        .write("testing", |on| {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async move {
                insert(&*on, &[1, 2]).await?;
                insert(&*on, &[3, 2]).await
            }
        })
        .await;
    assert_eq!(stopped.unwrap_err().kind, FaultKind::Unavailable);
    assert_eq!(
        tries.into_inner(),
        super::MOST_TRIES,
        "somebody may have been first: look again"
    );
    assert_eq!(admissions_there(&ledger, &[1, 2, 3]).await, 0);

    let broken = || Err::<(), _>(Stop::from(DbErr::Custom("no".to_owned())));
    let stopped = ledger
        .write("testing", |on| async move {
            insert(&*on, &[1]).await?;
            broken()
        })
        .await;
    assert!(stopped.is_err());
    assert_eq!(admissions_there(&ledger, &[1]).await, 0);

    let cut_off = ledger.write("testing", |on| async move {
        insert(&*on, &[1]).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(50), cut_off)
            .await
            .is_err()
    );
    ledger
        .write("testing", |on| async move { insert(&*on, &[2]).await })
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
    };
    let insert = |rows| bulk::insert::<orders::ActiveModel, _>(&ledger.engine.writer, rows);
    insert(vec![row()]).await.unwrap();
    assert!(insert(vec![row()]).await.unwrap_err().is_taken());
    let broken = orders::Model {
        version: 0,
        id: Uuid::from_u128(9),
        ..row()
    };
    assert!(!insert(vec![broken]).await.unwrap_err().is_taken());
}
