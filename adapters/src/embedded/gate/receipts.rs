//! What a shard remembers of accepted orders.

use std::collections::{HashMap, VecDeque};

use chrono::TimeDelta;
use domain::gate::{EntryId, Receipt};
use domain::{OrderId, Timestamp};

/// The most receipts forgotten at once: more than come, so that none outlives its time for long.
const FORGOTTEN_AT_ONCE: usize = 4;

/// Receipts by order, each for as long as its life lasts.
#[derive(Clone, Default)]
pub(super) struct Receipts {
    by_order: HashMap<OrderId, Kept>,
    /// In the order in which they end.
    ends: VecDeque<(Timestamp, OrderId)>,
}

#[derive(Clone)]
pub(super) struct Kept {
    pub receipt: Receipt,
    /// Its entry in the edge queue, which may be settled by now; none when the ledger told it.
    pub entry: Option<EntryId>,
    until: Timestamp,
}

impl Receipts {
    pub fn get(&self, order: OrderId, now: Timestamp) -> Option<&Kept> {
        self.by_order.get(&order).filter(|kept| now < kept.until)
    }

    /// Keeps a receipt, unless there is one of its order.
    pub fn keep(
        &mut self,
        receipt: Receipt,
        entry: Option<EntryId>,
        now: Timestamp,
        life: TimeDelta,
    ) {
        self.forget(now);
        let order = receipt.order;
        if self.get(order, now).is_some() {
            return;
        }
        let until = now + life;
        let kept = Kept {
            receipt,
            entry,
            until,
        };
        self.by_order.insert(order, kept);
        self.ends.push_back((until, order));
    }

    fn forget(&mut self, now: Timestamp) {
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some((until, order)) = self
                .ends
                .front()
                .copied()
                .filter(|(until, _)| *until <= now)
            else {
                return;
            };
            self.ends.pop_front();
            // One that was forgotten and came again has another end.
            if self
                .by_order
                .get(&order)
                .is_some_and(|kept| kept.until == until)
            {
                self.by_order.remove(&order);
            }
        }
    }
}
