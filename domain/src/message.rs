//! What travels through the log: accepted orders from the gate to the order writer, and events
//! from the outbox to everyone who cares.

use std::sync::Arc;

use crate::event::Event;
use crate::gate::Fingerprint;
use crate::stock::Units;
use crate::trace::TraceContext;
use crate::{AccountId, AdmissionId, ItemId, Money, OrderId, Quantity, Timestamp, WishlistEntryId};

/// An order as it was asked for, before the ledger has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    pub order: OrderId,
    pub buyer: AccountId,
    pub fingerprint: Fingerprint,
    pub lines: Vec<DraftLine>,
    pub total: Money,
    pub accepted_at: Timestamp,
    /// The entries of the buyer's wishlist that it was made from, a line each in the same order: they
    /// go once the order has its units. None, where lines were asked for.
    pub wishlist_entries: Vec<WishlistEntryId>,
}

/// One line as asked for, at the price the buyer saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DraftLine {
    pub item: ItemId,
    pub quantity: Quantity,
    pub unit_price: Money,
}

impl Draft {
    /// The units of the order, lines of one item added up, in item order.
    #[must_use]
    pub fn units(&self) -> Vec<Units> {
        sum_by_item(
            self.lines
                .iter()
                .map(|line| (line.item, line.quantity.get())),
        )
    }

    /// The key of its record: the order's first item, so that one item's orders keep their order.
    #[must_use]
    pub fn first_item(&self) -> Option<ItemId> {
        self.lines.first().map(|line| line.item)
    }
}

/// Adds up units of one item and puts items in order.
#[must_use]
pub fn sum_by_item(units: impl Iterator<Item = (ItemId, u32)>) -> Vec<Units> {
    let mut sums = std::collections::BTreeMap::<ItemId, u32>::new();
    for (item, count) in units {
        let sum = sums.entry(item).or_default();
        *sum = sum.saturating_add(count);
    }
    sums.into_iter()
        .map(|(item, count)| Units { item, count })
        .collect()
}

/// One taking of stock that the ledger has to count exactly once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    pub id: AdmissionId,
    pub units: Vec<Units>,
}

/// What became of an order at the gate.
#[derive(Clone, PartialEq, Debug)]
pub struct OrderRecord {
    pub draft: Arc<Draft>,
    /// All the admissions it left, one a shard.
    pub admissions: Vec<Admission>,
    pub verdict: Verdict,
}

impl OrderRecord {
    /// Every unit that an admission of it took.
    pub fn admitted(&self) -> impl Iterator<Item = (ItemId, u32)> {
        let units = self
            .admissions
            .iter()
            .flat_map(|admission| &admission.units);
        units.map(|units| (units.item, units.count))
    }
}

/// Whether every shard let it through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All shards took; the buyer is told ACCEPTED.
    Accepted,
    /// Some shard refused after others took; the ledger writes it as REJECTED.
    Withdrawn,
    /// Taken under a key that turned out to belong to another order: the ledger counts the
    /// admissions and leaves that order alone.
    Void,
}

/// A message of the log.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    Order(OrderRecord),
    Event(Event),
}

impl Message {
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Self::Order(_) => Topic::OrderAccepted,
            Self::Event(event) => event.topic(),
        }
    }

    /// The trace it says itself that it is part of; otherwise it is part of its publisher's.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        match self {
            Self::Order(_) => None,
            Self::Event(event) => event.trace.as_deref(),
        }
    }
}

/// A topic of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// Orders the gate let through, keyed by first item, for the order writer.
    OrderAccepted,
    /// What happened to orders, keyed by order.
    Orders,
    /// What happened to items, keyed by item.
    Items,
    /// What happened to accounts, keyed by account or verification; without personal data.
    Accounts,
}

impl Topic {
    pub const ALL: [Self; 4] = [
        Self::OrderAccepted,
        Self::Orders,
        Self::Items,
        Self::Accounts,
    ];

    /// Its name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderAccepted => "order.accepted",
            Self::Orders => "orders",
            Self::Items => "items",
            Self::Accounts => "accounts",
        }
    }
}

/// A partition of a topic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Partition {
    pub topic: Topic,
    pub number: i32,
}

/// A place in a partition; the first record has offset 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Offset(pub i64);
