//! What is said between the engine and the stock gate.
//!
//! The gate answers one question, *may this request take stock, right now?*, with counters that
//! only grow. It may forget; the ledger then refuses the surplus before anybody pays.

use std::sync::Arc;

use crate::item::Kind;
use crate::message::Draft;
use crate::stock::{Stock, Units};
use crate::{AccountId, AdmissionId, ItemId, OrderId, Timestamp};

/// What the ledger decides about an item. Assigned absolutely; the newest version wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Units that may ever be let through: `total + released`.
    pub ceiling: i64,
    /// Sells from here on; always, when absent.
    pub opens_at: Option<Timestamp>,
    /// Sells until here; for ever, when absent.
    pub closes_at: Option<Timestamp>,
    pub paused: bool,
    /// Units one buyer may hold.
    pub limit: Option<u32>,
    /// Whether the gate counts per buyer: for every time deal, so that a limit can come later.
    pub counts_buyers: bool,
    pub version: i64,
}

impl Terms {
    #[must_use]
    pub fn of(kind: &Kind, stock: &Stock) -> Self {
        let deal = match kind {
            Kind::General => None,
            Kind::TimeDeal(deal) => Some(deal),
        };
        Self {
            ceiling: stock.ceiling(),
            opens_at: deal.map(|deal| deal.opens_at),
            closes_at: deal.and_then(|deal| deal.closes_at),
            paused: deal.is_some_and(|deal| deal.paused),
            limit: deal.and_then(|deal| deal.limit_per_buyer),
            counts_buyers: deal.is_some(),
            version: stock.version,
        }
    }
}

/// What a buyer ever took of an item, and what of it came back; both only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuyerCount {
    pub buyer: AccountId,
    pub admitted: i64,
    pub released: i64,
}

/// What the ledger knows of an item, as it is told to the gate. Told twice, late or out of order,
/// the gate ends up the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Telling {
    pub item: ItemId,
    /// Floor of the gate's `admitted`.
    pub admitted: i64,
    pub terms: Terms,
    /// The buyers that changed; all of them when the item is loaded.
    pub buyers: Vec<BuyerCount>,
}

/// A hash of what a request asks for, by which a reused key is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The fingerprint of a request's bytes (UUID version 5, that is SHA-1 cut to 122 bits: it has
    /// to tell a client's own requests apart, not to withstand forgery).
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(uuid::Uuid::new_v5(&uuid::Uuid::nil(), bytes).as_u128())
    }
}

/// What the gate remembers of an accepted order.
#[derive(Clone, PartialEq, Debug)]
pub struct Receipt {
    pub order: OrderId,
    pub fingerprint: Fingerprint,
    /// The admission of this shard.
    pub admission: AdmissionId,
    /// What was ordered; absent when the receipt was told from the ledger, which has the order.
    pub draft: Option<Arc<Draft>>,
}

/// What the gate remembers of an order.
#[derive(Clone, PartialEq, Debug)]
pub enum Recall {
    Receipt(Receipt),
    /// It never took that order, or long ago.
    Nothing,
    /// Nothing, but it may have forgotten: it is healing, or may have lost its last writes.
    Unsure,
}

impl Recall {
    /// What is remembered by one shard or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Receipt(_), _) | (Self::Unsure, Self::Nothing) => self,
            _ => other,
        }
    }
}

/// Where items and edge entries live together; a Cluster has many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Shard(pub u16);

/// A place in the edge queue of a shard; whoever came later has a greater one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EdgePlace {
    /// When the entry came, by the gate's clock, in epoch milliseconds; never less than the one
    /// before.
    pub at_ms: u64,
    /// Tells entries of one millisecond apart.
    pub number: u64,
}

/// An entry of the edge queue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EntryId {
    pub shard: Shard,
    pub place: EdgePlace,
    /// Whose it is: after a failover another order can have got the place of an entry that was lost.
    pub admission: AdmissionId,
}

/// One asking of one shard.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The whole order, which goes into the edge queue.
    pub draft: Arc<Draft>,
    pub shard: Shard,
    /// Fresh for this run.
    pub admission: AdmissionId,
    /// The units of this shard, lines of one item added up, in item order.
    pub units: Vec<Units>,
}

/// What the gate answers.
#[derive(Clone, Debug)]
pub enum Reserved {
    /// Taken under the reservation's admission, and queued.
    Taken { entry: EntryId },
    /// The order was accepted before; nothing was taken. `entry` is there while it is still in the
    /// edge queue: then Kafka may not have it.
    Known {
        receipt: Receipt,
        entry: Option<EntryId>,
    },
    /// Nothing was taken; every line that stood in the way.
    Refused(Vec<Obstacle>),
    /// The gate does not know these items.
    NotLoaded(Vec<ItemId>),
    /// The edge queue is full.
    QueueFull,
    /// A refusal can't be trusted just now: the gate is healing.
    Healing,
}

/// Why a line can't be let through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    SoldOut {
        item: ItemId,
        available: i64,
    },
    NotOpen {
        item: ItemId,
        opens_at: Timestamp,
    },
    Closed {
        item: ItemId,
        closed_at: Timestamp,
    },
    Paused {
        item: ItemId,
    },
    Limit {
        item: ItemId,
        limit: u32,
        held: i64,
        remaining: i64,
    },
}

impl Obstacle {
    #[must_use]
    pub fn item(&self) -> ItemId {
        match *self {
            Self::SoldOut { item, .. }
            | Self::NotOpen { item, .. }
            | Self::Closed { item, .. }
            | Self::Paused { item }
            | Self::Limit { item, .. } => item,
        }
    }
}

/// An accepted order that waits in the edge queue until Kafka has it.
#[derive(Clone, Debug)]
pub struct EdgeEntry {
    pub id: EntryId,
    pub draft: Arc<Draft>,
    /// What its admission took.
    pub units: Vec<Units>,
    /// How long it had waited when it was claimed, in milliseconds, by the gate's clock.
    pub waited_ms: u64,
}

/// The live level of an item. A level, not a log: the newest replaces all before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    pub item: ItemId,
    pub admitted: i64,
    pub terms: Terms,
    pub version: LevelVersion,
    /// The gate's clock when it was read.
    pub as_of: Timestamp,
}

impl Level {
    /// Units that can be taken right now.
    #[must_use]
    pub fn available(&self) -> i64 {
        (self.terms.ceiling - self.admitted).max(0)
    }
}

/// What is heard of a level that has moved: enough for whoever knows the item's terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub item: ItemId,
    pub admitted: i64,
    /// The version of the terms in force.
    pub terms: i64,
    pub version: LevelVersion,
    /// The gate's clock when it was told.
    pub as_of: Timestamp,
}

impl Change {
    /// The level after the change, for whoever knows an earlier one; none when the terms are others
    /// by now, so that it has to be read.
    #[must_use]
    pub fn of(&self, earlier: &Level) -> Option<Level> {
        (earlier.terms.version == self.terms).then_some(Level {
            admitted: self.admitted,
            version: self.version,
            as_of: self.as_of,
            ..*earlier
        })
    }
}

impl From<Level> for Change {
    fn from(level: Level) -> Self {
        Self {
            item: level.item,
            admitted: level.admitted,
            terms: level.terms.version,
            version: level.version,
            as_of: level.as_of,
        }
    }
}

/// Orders the levels of an item: the epoch rises when the gate lost writes, so that no subscriber
/// keeps a stale number because it was higher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LevelVersion {
    /// Below 2^30.
    pub epoch: u32,
    /// `admitted + terms.version`; both only grow.
    pub count: i64,
}

impl LevelVersion {
    /// One number of 63 bits that rises whenever the pair does: the epoch above 33 bits of count,
    /// which are eight thousand million units and changes of terms.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        const EPOCH_BITS: u32 = 30;
        const COUNT_BITS: u32 = 33;
        let epoch = u64::from(self.epoch).min((1 << EPOCH_BITS) - 1);
        let count = u64::try_from(self.count).unwrap_or(0);
        epoch << COUNT_BITS | count.min((1 << COUNT_BITS) - 1)
    }
}
