//! A world behind the ports that is just large enough for the schema: items, levels and orders in
//! memory, a clock that runs with tokio's, and a count of what was asked for.

mod gate;
mod ledger;
mod rest;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use domain::account::{Account, Email, Profile, Role};
use domain::dead_letter::FiledLetter;
use domain::deal::Deal;
use domain::delivery::{DayLength, DeliveryCalendar};
use domain::event::Event;
use domain::gate::{Level, LevelVersion, Receipt};
use domain::item::{Category, Details, Item, Kind};
use domain::order::Order;
use domain::policy::{AccountPolicy, LiveRates, Policies, ReturnPolicy};
use domain::ports::{Clock, Ports};
use domain::stock::Stock;
use domain::wishlist::WishlistEntry;
use domain::{
    AccountId, Currency, DeadLetterId, Fault, ItemId, Language, Money, OrderId, Quantity,
    Timestamp, WishlistEntryId,
};
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use uuid::Uuid;

/// Everything there is.
pub struct World {
    began: Instant,
    pub items: Mutex<BTreeMap<ItemId, Item>>,
    pub orders: Mutex<HashMap<OrderId, Order>>,
    pub accounts: Mutex<HashMap<AccountId, Account>>,
    pub wishes: Mutex<BTreeMap<WishlistEntryId, WishlistEntry>>,
    receipts: Mutex<HashMap<OrderId, Receipt>>,
    /// Whether the gate may have forgotten receipts.
    forgot: AtomicBool,
    /// Levels by item, with the tick at which each changed.
    levels: Mutex<BTreeMap<ItemId, (u64, Level)>>,
    tick: AtomicU64,
    level_changed: Notify,
    events: broadcast::Sender<Event>,
    pub dead_letters: Mutex<HashMap<DeadLetterId, FiledLetter>>,
    /// Whether the ledger and the gate are away.
    pub away: AtomicBool,
    /// The one method that gets no answer.
    pub broken: Mutex<Option<&'static str>>,
    asked: Mutex<HashMap<&'static str, usize>>,
    random: AtomicU64,
}

/// The instant at which every world begins.
pub const BEGIN: Timestamp = Timestamp::UNIX_EPOCH;

/// An instant, in seconds after the beginning.
pub fn at(second: i64) -> Timestamp {
    BEGIN + TimeDelta::seconds(second)
}

pub fn item_id(number: u128) -> ItemId {
    ItemId(Uuid::from_u128(number))
}

pub fn account_id(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

pub fn won(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::from_code("KRW").unwrap(),
    }
}

impl World {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            items: Mutex::default(),
            orders: Mutex::default(),
            accounts: Mutex::default(),
            wishes: Mutex::default(),
            receipts: Mutex::default(),
            forgot: AtomicBool::new(false),
            levels: Mutex::default(),
            tick: AtomicU64::new(0),
            level_changed: Notify::new(),
            events: broadcast::channel(64).0,
            dead_letters: Mutex::default(),
            away: AtomicBool::new(false),
            broken: Mutex::default(),
            asked: Mutex::default(),
            random: AtomicU64::new(0),
        })
    }

    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            clock: self.clone(),
            entropy: self.clone(),
            gate: self.clone(),
            log: self.clone(),
            items: self.clone(),
            catalogue: self.clone(),
            orders: self.clone(),
            outbox: self.clone(),
            accounts: self.clone(),
            sessions: self.clone(),
            verifications: self.clone(),
            wishlists: self.clone(),
            letters: self.clone(),
            housekeeping: self.clone(),
            dead_letters: self.clone(),
            audit: self.clone(),
            back_office: self.clone(),
            provider: self.clone(),
            mailer: self.clone(),
            passwords: self.clone(),
            digests: self.clone(),
            tokens: self.clone(),
            limiter: self.clone(),
            policies: Arc::new(policies()),
        }
    }

    /// Puts an item of `total` units into the catalogue and, loaded, into the gate.
    pub fn add_item(&self, number: u128, total: i64, kind: Kind) -> ItemId {
        let item = self.catalogue_item(number, total, kind);
        let id = item.id;
        let terms = item.terms();
        self.items.lock().unwrap().insert(id, item);
        self.set_level(Level {
            item: id,
            admitted: 0,
            terms,
            version: LevelVersion {
                epoch: 0,
                count: terms.version,
            },
            as_of: BEGIN,
        });
        id
    }

    /// The same, but the gate has not loaded it.
    pub fn add_item_unloaded(&self, number: u128, total: i64) -> ItemId {
        let item = self.catalogue_item(number, total, Kind::General);
        let id = item.id;
        self.items.lock().unwrap().insert(id, item);
        id
    }

    fn catalogue_item(&self, number: u128, total: i64, kind: Kind) -> Item {
        Item {
            id: item_id(number),
            seller: account_id(900),
            sku: None,
            details: Details {
                name: format!("Item {number}"),
                description: String::new(),
                category: Category::Etc,
                price: won(1_000 + i64::try_from(number).unwrap()),
            },
            kind,
            stock: Stock::new(total).unwrap(),
            version: 1,
            created_at: self.now(),
        }
    }

    pub fn add_account(&self, number: u128, role: Role) -> AccountId {
        let id = account_id(number);
        let account = Account {
            id,
            role,
            email: Email::parse(&format!("person{number}@example.test")).unwrap(),
            profile: Profile {
                name: format!("Person {number}"),
                phone: None,
                address: None,
            },
            language: Language::default(),
            password_hash: None,
            second_factor: false,
            rehearsal: false,
            created_at: BEGIN,
        };
        self.accounts.lock().unwrap().insert(id, account);
        id
    }

    /// Puts units of an item on an account's wishlist, by an entry of that number, or changes it.
    pub fn wish(&self, number: u128, account: AccountId, item: ItemId, units: i64) {
        let id = WishlistEntryId(Uuid::from_u128(number));
        let entry = WishlistEntry {
            id,
            account,
            item,
            quantity: Quantity::new(units).unwrap(),
            added_at: BEGIN,
        };
        self.wishes.lock().unwrap().insert(id, entry);
    }

    pub fn add_order(&self, order: Order) {
        self.orders.lock().unwrap().insert(order.id, order);
    }

    /// What the order writer does with an accepted order, with its event.
    pub fn write_order(&self, id: OrderId) -> Order {
        let draft = self.receipts.lock().unwrap()[&id].draft.clone().unwrap();
        let lines = draft
            .lines
            .iter()
            .map(|line| domain::order::Line::new(line.item, line.quantity, line.unit_price));
        let expires_at = self.now() + TimeDelta::minutes(2);
        let order = Order {
            id,
            buyer: draft.buyer,
            fingerprint: draft.fingerprint,
            lines: lines.collect(),
            total: draft.total,
            placed_at: draft.accepted_at,
            state: domain::order::OrderState::PendingPayment { expires_at },
            version: 1,
            payments: Vec::new(),
            refunds: Vec::new(),
            delivery_address: None,
            shipment: None,
            returns: Vec::new(),
        };
        self.add_order(order.clone());
        let happened = domain::event::OrderEvent::Placed { expires_at };
        self.tell(Event::of_order(id, 1, self.now(), happened));
        order
    }

    /// Publishes an event, as the outbox relay does.
    pub fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Takes units of an item off the gate.
    pub fn take(&self, item: ItemId, units: i64) {
        let mut level = self.levels.lock().unwrap()[&item].1;
        level.admitted += units;
        level.version.count += units;
        self.set_level(level);
    }

    /// Units of an item that the gate would let through.
    pub fn available(&self, item: ItemId) -> i64 {
        self.levels.lock().unwrap()[&item].1.available()
    }

    pub fn set_level(&self, level: Level) {
        let tick = self.tick.fetch_add(1, Ordering::SeqCst) + 1;
        self.levels
            .lock()
            .unwrap()
            .insert(level.item, (tick, level));
        self.level_changed.notify_waiters();
    }

    /// How often a port's method was asked.
    pub fn asked(&self, method: &'static str) -> usize {
        self.asked.lock().unwrap().get(method).copied().unwrap_or(0)
    }

    fn ask(&self, method: &'static str) -> Result<(), Fault> {
        *self.asked.lock().unwrap().entry(method).or_default() += 1;
        let is_broken = *self.broken.lock().unwrap() == Some(method);
        if is_broken || self.away.load(Ordering::SeqCst) {
            return Err(Fault::unavailable(
                "asking a world that is away",
                "secret driver text",
            ));
        }
        Ok(())
    }
}

/// The window of a deal, in seconds after the beginning.
pub fn deal(opens: i64, closes: Option<i64>) -> Kind {
    Kind::TimeDeal(Deal::new(at(opens), closes.map(at), Some(2)).unwrap())
}

fn policies() -> Policies {
    Policies {
        hold_ms: 120_000,
        max_lines: 1_000,
        calendar: DeliveryCalendar {
            day: DayLength::Scaled { day_ms: 1_000 },
            hour: 6,
            days_to_dispatch: 1,
            days_to_deliver: 1,
        },
        returns: ReturnPolicy {
            days_to_request: 7,
            days_to_complete: 1,
        },
        receipt_ms: 600_000,
        ask_again_after_ms: 5_000,
        provider_key_ms: 86_400_000,
        accounts: AccountPolicy {
            verification_ms: 600_000,
            verification_attempts: 5,
            verification_resend_ms: 60_000,
            access_ms: 900_000,
            refresh_ms: 86_400_000,
        },
        rates: LiveRates::default(),
    }
}

/// Implements a port: what no test needs is a fault, the rest is written out.
macro_rules! port {
    ($port:ident { $($name:ident($($argument:ty),*) -> $answer:ty;)* } $($own:tt)*) => {
        #[async_trait]
        impl $port for World {
            $(async fn $name(&self, $(_: $argument),*) -> Result<$answer, Fault> {
                Err(Fault::corrupt("asking for what no test needs", stringify!($name)))
            })*
            $($own)*
        }
    };
}
use port;
