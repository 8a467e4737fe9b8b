//! How the order writer decides a batch: in memory, over rows that are locked, before anything is
//! written. Orders are taken in log order while they fit; each admission is counted exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::event::{Event, OrderEvent};
use crate::message::{Admission, Draft, OrderRecord, Verdict, sum_by_item};
use crate::movement::Movement;
use crate::order::{Line, Order, OrderState, Rejection};
use crate::stock::{StockMove, Units};
use crate::{AccountId, AdmissionId, ItemId, OrderId, Timestamp, WishlistEntryId};

/// What the ledger knows of everything a batch touches, read after the stock rows were locked.
#[derive(Clone, Default, Debug)]
pub struct BatchView {
    pub orders: HashSet<OrderId>,
    pub admissions: HashSet<AdmissionId>,
    /// The stock rows that exist; an item missing here is not in the ledger.
    pub stock: BTreeMap<ItemId, Room>,
    /// Units that buyers of counted items hold; absent is 0.
    pub holdings: HashMap<(ItemId, AccountId), i64>,
}

/// What is left of an item, and what one buyer may have of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    pub available: i64,
    pub limit: Option<u32>,
    /// Whether buyers of it are counted.
    pub counts_buyers: bool,
}

/// What a batch writes.
#[derive(Clone, Default, Debug)]
pub struct BatchDecision {
    /// New orders, PENDING_PAYMENT or REJECTED, in log order.
    pub orders: Vec<Order>,
    /// Admissions counted for the first time, with the order each belongs to.
    pub admissions: Vec<(AdmissionId, OrderId)>,
    /// One move a stock row.
    pub stock: BTreeMap<ItemId, StockMove>,
    /// What buyers of counted items took and gave back.
    pub buyers: BTreeMap<(ItemId, AccountId), StockMove>,
    /// What moved of each item for which admission.
    pub movements: Vec<Movement>,
    pub events: Vec<Event>,
    /// Wishlist entries that became orders with units, each with its owner: they go, whatever they
    /// say by now.
    pub granted: BTreeSet<(WishlistEntryId, AccountId)>,
}

/// Decides `records` in log order. `now` is the ledger's clock, `hold_ms` how long an order waits
/// for its payment.
#[must_use]
pub fn decide(
    mut view: BatchView,
    records: &[OrderRecord],
    now: Timestamp,
    hold_ms: i64,
) -> BatchDecision {
    let expires_at = now + chrono::TimeDelta::milliseconds(hold_ms);
    let mut decision = BatchDecision::default();
    for record in records {
        let draft = &record.draft;
        let is_new = record.verdict != Verdict::Void && view.orders.insert(draft.order);
        let rejection = if is_new { view.take(record) } else { None };
        let got_units = is_new && rejection.is_none();
        for admission in &record.admissions {
            if view.admissions.insert(admission.id) {
                decision.admissions.push((admission.id, draft.order));
                decision.count(&view, draft, admission, (got_units, now));
            }
        }
        if is_new {
            decision.write(draft, rejection, now, expires_at);
        }
        if got_units {
            let entries = draft.wishlist_entries.iter();
            let granted = entries.map(|entry| (*entry, draft.buyer));
            decision.granted.extend(granted);
        }
    }
    decision
}

impl BatchView {
    /// Takes the record's units off what is left, or says why not.
    fn take(&mut self, record: &OrderRecord) -> Option<Rejection> {
        if record.verdict == Verdict::Withdrawn {
            return Some(Rejection::Withdrawn);
        }
        let buyer = record.draft.buyer;
        let units = record.draft.units();
        if sum_by_item(record.admitted()) != units {
            return Some(Rejection::Inconsistent);
        }
        for Units { item, count } in &units {
            let Some(room) = self.stock.get(item) else {
                return Some(Rejection::UnknownItem);
            };
            if room.available < i64::from(*count) {
                return Some(Rejection::OutOfStock);
            }
            let held = self.holdings.get(&(*item, buyer)).copied().unwrap_or(0);
            if room
                .limit
                .is_some_and(|limit| held + i64::from(*count) > i64::from(limit))
            {
                return Some(Rejection::PurchaseLimit);
            }
        }
        for Units { item, count } in units {
            if let Some(room) = self.stock.get_mut(&item) {
                room.available -= i64::from(count);
                if room.counts_buyers {
                    *self.holdings.entry((item, buyer)).or_default() += i64::from(count);
                }
            }
        }
        None
    }
}

impl BatchDecision {
    fn count(
        &mut self,
        view: &BatchView,
        draft: &Draft,
        admission: &Admission,
        (held, now): (bool, Timestamp),
    ) {
        let units = admission.units.iter();
        for Units { item, count } in &sum_by_item(units.map(|units| (units.item, units.count))) {
            let Some(room) = view.stock.get(item) else {
                continue;
            };
            let mut rows = vec![self.stock.entry(*item).or_default()];
            if room.counts_buyers {
                rows.push(self.buyers.entry((*item, draft.buyer)).or_default());
            }
            for row in rows {
                if held {
                    row.hold(*count);
                } else {
                    row.turn_away(*count);
                }
            }
            let of = (admission.id.0, draft.order);
            self.movements
                .push(Movement::admitted((*item, *count), of, held, now));
        }
    }

    fn write(
        &mut self,
        draft: &Draft,
        rejection: Option<Rejection>,
        now: Timestamp,
        expires_at: Timestamp,
    ) {
        let (state, happened) = match rejection {
            Some(reason) => (
                OrderState::Rejected { reason },
                OrderEvent::Rejected { reason },
            ),
            None => (
                OrderState::PendingPayment { expires_at },
                OrderEvent::Placed { expires_at },
            ),
        };
        let lines = draft.lines.iter();
        let lines = lines.map(|line| Line::new(line.item, line.quantity, line.unit_price));
        self.events
            .push(Event::of_order(draft.order, 1, now, happened));
        self.orders.push(Order {
            id: draft.order,
            buyer: draft.buyer,
            fingerprint: draft.fingerprint,
            lines: lines.collect(),
            total: draft.total,
            placed_at: draft.accepted_at,
            state,
            version: 1,
            payments: Vec::new(),
            refunds: Vec::new(),
            delivery_address: None,
            shipment: None,
            returns: Vec::new(),
        });
    }
}
