//! What no port shows: constraints, bad rows, what is on the disk, and how the file is held.

mod file;
mod off;
mod rows;
mod sealed;
mod together;
mod work;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use domain::account::{Account, Email, Profile, Role};
use domain::deal::Deal;
use domain::gate::Fingerprint;
use domain::item::{Category, Details, Item, Kind};
use domain::message::{
    Admission, Draft, DraftLine, Offset, OrderRecord, Partition, Topic, Verdict,
};
use domain::order::{KeyUse, Order};
use domain::ports::orders::WriteBatch;
use domain::ports::{Catalogue, Orders};
use domain::stock::Stock;
use domain::{
    AccountId, AdmissionId, Currency, IdempotencyKey, ItemId, Language, Money, OrderId, Quantity,
    Timestamp,
};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use uuid::Uuid;

use super::Ledger;
use crate::clock::ManualClock;
use crate::crypto::vault::{Vault, VaultKey};
use crate::entropy::SystemEntropy;

pub async fn open_in(folder: &Path) -> Ledger {
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::with(key, &[9; 32], Arc::new(SystemEntropy));
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let ledger = Ledger::open_sqlite(&folder.join("ledger ?%.db"), clock, vault).await;
    ledger.map_err(|fault| fault.detail()).unwrap()
}

pub async fn open() -> (Ledger, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open_in(folder.path()).await, folder)
}

pub const ID: Uuid = Uuid::from_u128(0x1234);
pub const NAMED: &str = "00000000-0000-0000-0000-000000001234";

pub fn item(number: u128) -> Item {
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

/// A deal that is open for ever.
pub fn deal(limit: Option<u32>) -> Deal {
    Deal::new(Timestamp::UNIX_EPOCH, None, limit).unwrap()
}

pub fn account(number: u128, address: &str) -> Account {
    Account {
        id: AccountId(Uuid::from_u128(number)),
        role: Role::Customer,
        email: Email::parse(address).unwrap(),
        profile: Profile {
            name: "Hong Gildong".to_owned(),
            phone: Some("010-1234-5678".to_owned()),
            address: Some("1 Sejong-daero".to_owned()),
        },
        language: Language::default(),
        password_hash: None,
        second_factor: false,
        rehearsal: false,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

pub async fn add_item(ledger: &Ledger) {
    ledger
        .create_many(&[item(0x1234)], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
}

pub fn insert_order() -> String {
    format!(
        "INSERT INTO orders (id, buyer_id, fingerprint, total_minor, currency, placed_at, status, \
         expires_at, version) VALUES (x'{id}', x'{id}', x'{id}', 100, 'KRW', 0, \
         'PENDING_PAYMENT', 5, 1)",
        id = ID.simple()
    )
}

/// An order of one unit of the item, waiting for its payment for ever.
pub async fn place(ledger: &Ledger, number: u128) -> Order {
    let item = item(0x1234);
    let quantity = Quantity::new(1).unwrap();
    let line = DraftLine {
        item: item.id,
        quantity,
        unit_price: item.details.price,
    };
    let draft = Draft {
        order: OrderId(Uuid::from_u128(number)),
        buyer: AccountId(ID),
        fingerprint: Fingerprint(1),
        lines: vec![line],
        total: item.details.price,
        accepted_at: Timestamp::UNIX_EPOCH,
        wishlist_entries: Vec::new(),
    };
    let units = draft.units();
    let admission = Admission {
        id: AdmissionId(Uuid::from_u128(number)),
        units,
    };
    let record = OrderRecord {
        draft: Arc::new(draft),
        admissions: vec![admission],
        verdict: Verdict::Accepted,
    };
    let partition = Partition {
        topic: Topic::OrderAccepted,
        number: 0,
    };
    let from = ledger.writer_position(partition).await.unwrap();
    let next = Offset(from.0 + 1);
    let records = vec![record];
    let batch = WriteBatch {
        partition,
        from,
        next,
        records,
        traces: HashMap::new(),
        hold_ms: 1_000,
    };
    ledger.write_batch(&batch).await.unwrap();
    ledger
        .orders(&[OrderId(Uuid::from_u128(number))])
        .await
        .unwrap()
        .pop()
        .unwrap()
}

/// A key of a restock.
pub fn key(number: u128) -> KeyUse {
    KeyUse {
        requester: AccountId(ID),
        mutation: "restockItem",
        key: IdempotencyKey(Uuid::from_u128(number)),
        fingerprint: Fingerprint(1),
        subject: ID,
    }
}

/// Says something to the file that no port would.
pub async fn tamper(ledger: &Ledger, statement: &str) {
    ledger
        .engine
        .writer
        .execute_unprepared(statement)
        .await
        .unwrap();
}
