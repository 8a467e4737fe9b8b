//! What a shard remembers of accepted orders.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use domain::gate::Receipt;
use domain::{OrderId, Timestamp};

use super::edge::Ticket;

/// Receipts by order, and the order in which they may be forgotten.
#[derive(Clone, Default)]
pub(super) struct Receipts {
    by_order: HashMap<OrderId, Kept>,
    by_age: BTreeSet<(Timestamp, OrderId)>,
}

#[derive(Clone)]
pub(super) struct Kept {
    pub receipt: Receipt,
    /// Its entry in the edge queue, which may be settled by now; none when the ledger told it.
    pub ticket: Option<Ticket>,
}

impl Receipts {
    pub fn get(&self, order: OrderId) -> Option<&Kept> {
        self.by_order.get(&order)
    }

    /// Keeps a receipt, unless there is one of its order.
    pub fn keep(&mut self, receipt: Receipt, ticket: Option<Ticket>) {
        let (order, at) = (receipt.order, receipt.accepted_at);
        if let Entry::Vacant(entry) = self.by_order.entry(order) {
            entry.insert(Kept { receipt, ticket });
            self.by_age.insert((at, order));
        }
    }

    /// Forgets what was accepted before `before`, at most `most` at once; returns whether there
    /// may be more. A receipt whose entry is in the edge queue stays: without it, whoever brings
    /// that entry to the log would take the units again.
    pub fn forget(
        &mut self,
        before: Timestamp,
        most: usize,
        is_queued: impl Fn(Ticket) -> bool,
    ) -> bool {
        let may_go = |order: &OrderId| {
            let kept = self.by_order.get(order);
            !kept.and_then(|kept| kept.ticket).is_some_and(&is_queued)
        };
        let old = self.by_age.iter().take_while(|(at, _)| *at < before);
        let gone: Vec<_> = old
            .filter(|(_, order)| may_go(order))
            .take(most)
            .copied()
            .collect();
        for (at, order) in &gone {
            self.by_age.remove(&(*at, *order));
            self.by_order.remove(order);
        }
        gone.len() == most
    }
}
