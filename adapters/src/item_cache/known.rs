//! What this process knows of items, and how long it may be told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ItemId;
use domain::item::Item;
use moka::sync::Cache;
use tokio::time::Instant;

/// The most items kept.
const CAPACITY: u64 = 100_000;
/// How old an answer may be: long enough to spare the ledger a crowd, short enough for a price.
pub const FRESH: Duration = Duration::from_secs(1);
/// From what age on an item that somebody asks for is read again, while it may still be told.
pub const AGEING: Duration = Duration::from_millis(700);
/// How old the last that was known may be while the ledger is away.
pub const KEPT: Duration = Duration::from_mins(10);
/// How long that is told before the ledger is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// What is known of an item.
pub struct Entry {
    /// Nothing where there is no such item.
    pub item: Option<Arc<Item>>,
    /// When the ledger was asked.
    read_at: Instant,
    fresh_until: Instant,
    is_being_read: AtomicBool,
}

impl Entry {
    /// What the ledger said to a question of `read_at`.
    pub fn new(item: Option<Arc<Item>>, read_at: Instant) -> Arc<Self> {
        Arc::new(Self {
            item,
            read_at,
            fresh_until: read_at + FRESH,
            is_being_read: AtomicBool::new(false),
        })
    }

    /// Whether it may be told.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now < self.fresh_until
    }

    /// Whether it may be told while the ledger is away: not where it is too old, nor that there is
    /// no such item, which may be over.
    pub fn may_stand_in(&self, now: Instant) -> bool {
        self.item.is_some() && now < self.read_at + KEPT
    }

    /// The same, to be told for another moment because the ledger is away.
    pub fn as_last_known(&self, now: Instant) -> Option<Arc<Self>> {
        self.may_stand_in(now).then(|| {
            Arc::new(Self {
                item: self.item.clone(),
                read_at: self.read_at,
                fresh_until: now + AGAIN,
                is_being_read: AtomicBool::new(false),
            })
        })
    }

    /// Whether it need not be read again yet.
    pub fn is_young(&self, now: Instant) -> bool {
        now + FRESH.saturating_sub(AGEING) < self.fresh_until
    }

    /// `true` for the one who shall have it read again.
    pub fn is_to_be_read_again(&self, now: Instant) -> bool {
        !self.is_young(now) && !self.is_being_read.swap(true, Ordering::Relaxed)
    }
}

/// What this process knows. Cheap to clone.
#[derive(Clone)]
pub struct Known(Cache<ItemId, Arc<Entry>>);

impl Known {
    pub fn new() -> Self {
        let entries = Cache::builder().max_capacity(CAPACITY).time_to_live(KEPT);
        Self(entries.build())
    }

    /// What was last known of an item, however old.
    pub fn last(&self, id: ItemId) -> Option<Arc<Entry>> {
        self.0.get(&id)
    }

    pub fn learn(&self, id: ItemId, entry: Arc<Entry>) {
        self.0.insert(id, entry);
    }

    /// Forgets an item that has changed: what is known to be wrong is not told, whoever is away.
    pub fn forget(&self, id: ItemId) {
        self.0.invalidate(&id);
    }
}
