//! What a suite runs against, and the few things every suite makes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use adapters::payment::References;
use domain::account::{Account, Email, Profile, Role};
use domain::deal::Deal;
use domain::delivery::{DayLength, DeliveryCalendar};
use domain::event::Event;
use domain::gate::{Fingerprint, Telling};
use domain::item::{Category, Details, Item, Kind};
use domain::message::Offset;
use domain::message::{Admission, Draft, DraftLine, OrderRecord, Partition, Topic, Verdict};
use domain::order::{KeyUse, NewIds, Order, Transition};
use domain::payment::{DeclineReason, PaymentMethod};
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::ports::outbox::Taken;
use domain::ports::{
    Accounts, BackOffice, Catalogue, DeadLetters, Housekeeping, LedgerAudit, Letters, Orders,
    Outbox, Sessions, Verifications, Wishlists,
};
use domain::stock::Stock;
use domain::{
    AccountId, AdmissionId, Currency, IdempotencyKey, ItemId, Language, Money, OrderId, PaymentId,
    Quantity, RefundId, ShipmentId, Timestamp,
};
use uuid::Uuid;

/// A fresh ledger. Its own clock is the engine's: a suite never sets it, it makes orders that expire
/// later or have expired already.
pub struct Bench {
    pub orders: Arc<dyn Orders>,
    pub catalogue: Arc<dyn Catalogue>,
    pub outbox: Arc<dyn Outbox>,
    pub accounts: Arc<dyn Accounts>,
    pub sessions: Arc<dyn Sessions>,
    pub verifications: Arc<dyn Verifications>,
    pub wishlists: Arc<dyn Wishlists>,
    pub back_office: Arc<dyn BackOffice>,
    pub letters: Arc<dyn Letters>,
    pub housekeeping: Arc<dyn Housekeeping>,
    pub references: Arc<dyn References>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub audit: Arc<dyn LedgerAudit>,
    /// Lets the ledger's clock go on, and says what it was before.
    pub pass_time: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether time goes only when it is let.
    pub time_waits: bool,
    /// Where the next batch starts.
    pub next: AtomicI64,
}

/// How long an order waits for its payment, where it matters: far away, or over before it began.
pub const LONG: i64 = 3_600_000;
pub const OVER: i64 = -1_000;

pub const PARTITION: Partition = Partition {
    topic: Topic::OrderAccepted,
    number: 3,
};

impl Bench {
    /// Adds an item of no deal, with so many units.
    pub async fn general(&self, number: u128, total: i64) -> ItemId {
        self.add(&item(number, total, Kind::General)).await
    }

    /// Adds an open deal.
    pub async fn deal(&self, number: u128, total: i64, limit: Option<u32>) -> ItemId {
        let deal = Deal::new(at(1_000), None, limit).unwrap();
        self.add(&item(number, total, Kind::TimeDeal(deal))).await
    }

    pub async fn add(&self, item: &Item) -> ItemId {
        self.catalogue
            .create_many(std::slice::from_ref(item), at(0))
            .await
            .unwrap();
        item.id
    }

    /// Writes records as the next batch of [`PARTITION`].
    pub async fn write(&self, records: &[OrderRecord]) -> Vec<Telling> {
        self.write_holding(records, LONG).await
    }

    pub async fn write_holding(&self, records: &[OrderRecord], hold_ms: i64) -> Vec<Telling> {
        let from = self.next.fetch_add(count(records), Ordering::Relaxed);
        let batch = WriteBatch {
            hold_ms,
            ..batch(from, records)
        };
        match self.orders.write_batch(&batch).await.unwrap() {
            BatchWritten::Done(tellings) => tellings,
            BatchWritten::NotMine => panic!("the position is this bench's"),
        }
    }

    pub async fn order(&self, id: OrderId) -> Order {
        self.orders
            .orders(&[id])
            .await
            .unwrap()
            .pop()
            .expect("the order is there")
    }

    pub async fn item(&self, id: ItemId) -> Item {
        let item = self.catalogue.items(&[id]).await.unwrap().pop();
        item.expect("the item is there")
    }

    pub async fn stock(&self, item: ItemId) -> Stock {
        self.item(item).await.stock
    }

    /// Commits one step.
    pub async fn commit(&self, step: &Transition) -> Committed {
        self.orders
            .commit(std::slice::from_ref(step))
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    /// Commits one step that must go through, and checks that the ledger has the order as it says.
    pub async fn done(&self, step: &Transition) -> Order {
        assert!(
            matches!(self.commit(step).await, Committed::Done(_)),
            "{step:?}"
        );
        let order = self.order(step.next.id).await;
        assert_eq!(order, step.next);
        order
    }

    /// Places an order of one unit and pays it.
    pub async fn paid(&self, number: u128, buyer: u128, item: ItemId) -> Order {
        self.write(&[record(number, buyer, &[(item, 1)])]).await;
        let order = self.order(order_id(number)).await;
        let order = self
            .done(
                &order
                    .pay(payment_id(number), method(), None, at(10))
                    .unwrap(),
            )
            .await;
        let step = order.captured(payment_id(number), &calendar(), new_ids(number), at(20));
        self.done(&step.unwrap()).await
    }

    /// The oldest events that wait in the outbox, and all the others given back.
    pub async fn pending(&self, most: usize) -> Vec<Event> {
        let mut events = self.take_all().await.events;
        events.truncate(most);
        events
    }

    /// Takes all events that wait in the outbox, once everybody who had some has given them back: a
    /// server does that in its own time.
    pub async fn take_all(&self) -> Taken {
        let expected = self.events().await;
        loop {
            let taken = self.outbox.take(10_000).await.unwrap();
            if taken.events.len() as u64 == expected {
                return taken;
            }
            drop(taken);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// How many events wait in the outbox.
    pub async fn events(&self) -> u64 {
        self.outbox.length().await.unwrap()
    }
}

/// An instant so many milliseconds after some day; never the ledger's own time.
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(1_770_000_000_000 + ms).unwrap()
}

pub fn won(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::from_code("KRW").unwrap(),
    }
}

pub fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128(kind << 64 | number)
}

pub fn item_id(number: u128) -> ItemId {
    ItemId(id(1, number))
}

pub fn buyer(number: u128) -> AccountId {
    AccountId(id(2, number))
}

pub fn order_id(number: u128) -> OrderId {
    OrderId(id(3, number))
}

pub fn payment_id(number: u128) -> PaymentId {
    PaymentId(id(4, number))
}

pub fn new_ids(number: u128) -> NewIds {
    NewIds {
        shipment: ShipmentId(id(5, number)),
        refund: RefundId(id(6, number)),
    }
}

pub fn method() -> PaymentMethod {
    PaymentMethod("tok_approve".to_owned())
}

pub fn calendar() -> DeliveryCalendar {
    let day = DayLength::Scaled { day_ms: 1_000 };
    DeliveryCalendar {
        day,
        hour: 0,
        days_to_dispatch: 1,
        days_to_deliver: 1,
    }
}

pub fn item(number: u128, total: i64, kind: Kind) -> Item {
    Item {
        id: item_id(number),
        seller: buyer(1_000),
        sku: None,
        details: Details {
            name: format!("Item {number}"),
            description: "What it is.\nAnd more.".to_owned(),
            category: Category::Beauty,
            price: won(1_500),
        },
        kind,
        stock: Stock::new(total).unwrap(),
        version: 1,
        created_at: at(0),
    }
}

/// An accepted order with one admission of all its units, both of this number.
pub fn record(number: u128, buyer_number: u128, lines: &[(ItemId, i64)]) -> OrderRecord {
    let lines: Vec<DraftLine> = lines
        .iter()
        .map(|(item, quantity)| DraftLine {
            item: *item,
            quantity: Quantity::new(*quantity).unwrap(),
            unit_price: won(1_500),
        })
        .collect();
    let units: i64 = lines
        .iter()
        .map(|line| i64::from(line.quantity.get()))
        .sum();
    let draft = Draft {
        order: order_id(number),
        buyer: buyer(buyer_number),
        fingerprint: Fingerprint(number << 64 | 7),
        lines,
        total: won(1_500 * units),
        accepted_at: at(5),
        wishlist_entries: Vec::new(),
    };
    let units = draft.units();
    let admissions = vec![Admission {
        id: AdmissionId(id(7, number)),
        units,
    }];
    OrderRecord {
        draft: Arc::new(draft),
        admissions,
        verdict: Verdict::Accepted,
    }
}

/// The same order, let through once more: the gate had forgotten it.
pub fn admitted_again(record: &OrderRecord, number: u128) -> OrderRecord {
    let mut again = record.clone();
    for admission in &mut again.admissions {
        admission.id = AdmissionId(id(7, number));
    }
    again
}

/// Records of [`PARTITION`] from an offset on.
pub fn batch(from: i64, records: &[OrderRecord]) -> WriteBatch {
    WriteBatch {
        partition: PARTITION,
        from: Offset(from),
        next: Offset(from + count(records)),
        records: records.to_vec(),
        traces: HashMap::new(),
        hold_ms: LONG,
    }
}

fn count(records: &[OrderRecord]) -> i64 {
    i64::try_from(records.len()).unwrap()
}

pub fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub fn account(number: u128, address: &str) -> Account {
    Account {
        id: buyer(number),
        role: Role::Customer,
        email: email(address),
        profile: Profile {
            name: format!("Buyer {number}"),
            phone: Some("010-0000-0000".to_owned()),
            address: None,
        },
        language: Language::default(),
        password_hash: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned()),
        second_factor: false,
        rehearsal: false,
        created_at: at(0),
    }
}

/// An order of three units of a deal, waiting for its payment.
pub async fn placed(bench: &Bench, number: u128, hold_ms: i64) -> (ItemId, Order) {
    let item = bench.deal(number, 10, Some(5)).await;
    bench
        .write_holding(&[record(number, number, &[(item, 2), (item, 1)])], hold_ms)
        .await;
    (item, bench.order(order_id(number)).await)
}

pub fn pay(order: &Order, attempt: u128) -> Transition {
    order
        .pay(payment_id(attempt), method(), None, at(10))
        .unwrap()
}

pub fn captured(order: &Order, attempt: u128) -> Transition {
    order
        .captured(payment_id(attempt), &calendar(), new_ids(attempt), at(20))
        .unwrap()
}

pub fn declined(order: &Order, attempt: u128) -> [Transition; 2] {
    order
        .declined(payment_id(attempt), DeclineReason::Refused, at(20))
        .unwrap()
}

pub async fn held(bench: &Bench, item: ItemId) -> i64 {
    bench.stock(item).await.held
}

/// A seller's key for a restock.
pub fn restock_key(number: u128) -> KeyUse {
    KeyUse {
        requester: buyer(1_000),
        mutation: "restockItem",
        key: IdempotencyKey(id(8, number)),
        fingerprint: Fingerprint(number),
        subject: item_id(1).0,
    }
}
