//! A ledger that goes away, behind its breaker.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::crypto::vault::{Vault, VaultKey};
use adapters::entropy::SystemEntropy;
use adapters::guard::{GuardSettings, GuardedLedger, LedgerPorts};
use adapters::sql::Ledger;
use domain::event::{Event, ItemEvent};
use domain::item::{Category, Details, Item, Kind};
use domain::page::{End, ItemFilter, ItemOrder, ItemQuery, Window};
use domain::ports::{Accounts, Catalogue, Orders};
use domain::stock::Stock;
use domain::{AccountId, Currency, FaultKind, ItemId, Money, OrderId, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

const FAILURES: usize = 3;

struct Shop {
    /// Without its breaker.
    bare: Arc<Ledger>,
    ledger: GuardedLedger,
    _folder: TempDir,
}

async fn open() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::with(key, &[9; 32], Arc::new(SystemEntropy));
    let file = folder.path().join("ledger.db");
    let ledger = Ledger::open_sqlite(&file, Arc::new(SystemClock), vault).await;
    let ledger = Arc::new(ledger.unwrap());
    let settings = GuardSettings {
        failures: FAILURES,
        pause: Duration::from_mins(10),
        ..GuardSettings::default()
    };
    let ports = LedgerPorts {
        orders: ledger.clone(),
        accounts: ledger.clone(),
        sessions: ledger.clone(),
        verifications: ledger.clone(),
        wishlists: ledger.clone(),
        back_office: ledger.clone(),
        letters: ledger.clone(),
        dead_letters: ledger.clone(),
        catalogue: ledger.clone(),
    };
    let guarded = GuardedLedger::new(ports, &settings);
    Shop {
        bare: ledger,
        ledger: guarded.unwrap(),
        _folder: folder,
    }
}

fn item() -> Item {
    Item {
        id: ItemId(Uuid::from_u128(7)),
        seller: AccountId(Uuid::from_u128(8)),
        sku: None,
        details: Details {
            name: "lid".to_owned(),
            description: String::new(),
            category: Category::Etc,
            price: Money::zero(Currency::from_code("KRW").unwrap()),
        },
        kind: Kind::General,
        stock: Stock::new(1).unwrap(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn first(count: usize) -> ItemQuery {
    ItemQuery {
        filter: ItemFilter::default(),
        order: ItemOrder::NewestFirst,
        window: Window {
            count,
            from: End::First,
            after: None,
            before: None,
        },
    }
}

#[tokio::test]
async fn while_the_ledger_is_away_pages_are_as_they_were_last_seen() {
    let Shop { bare, ledger, .. } = &open().await;
    let item = item();
    let event = Event::of_item(item.id, 1, item.created_at, ItemEvent::Created);
    assert!(ledger.list(&first(5)).await.unwrap().rows.is_empty());
    Catalogue::create(ledger, &item, &event, None)
        .await
        .unwrap();
    let page = ledger.list(&first(5)).await.unwrap();
    assert_eq!(
        page.rows.len(),
        1,
        "no page is from the cache while the ledger answers"
    );
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    ledger.list(&first(5)).await.unwrap();
    bare.close().await.unwrap();
    for _ in 0..2 * FAILURES {
        let last = ledger.list(&first(5)).await.unwrap();
        assert_eq!(last.rows, page.rows);
    }
    assert!(ledger.breaker().is_open());
    let fault = ledger.list(&first(6)).await.unwrap_err();
    assert_eq!(
        fault.kind,
        FaultKind::Unavailable,
        "nobody has seen that page"
    );
}

#[tokio::test]
async fn all_of_a_ledger_that_is_away_is_refused_at_once() {
    let Shop { bare, ledger, .. } = &open().await;
    assert!(ledger.is_empty().await.unwrap());
    bare.close().await.unwrap();
    let order = OrderId(Uuid::nil());
    for _ in 0..FAILURES {
        assert!(!ledger.breaker().is_open());
        ledger.orders(&[order]).await.unwrap_err();
    }
    assert!(ledger.breaker().is_open());
    for fault in [
        ledger.orders(&[order]).await.unwrap_err(),
        ledger.is_empty().await.unwrap_err(),
        ledger.tellings(&[]).await.unwrap_err(),
    ] {
        assert_eq!(fault.detail(), "asking the ledger: ledger is away");
    }
}
