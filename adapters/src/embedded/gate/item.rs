//! What the gate counts of one item. Nothing in it is ever lowered.

use std::collections::HashMap;

use domain::gate::{BuyerCount, Obstacle, Telling, Terms};
use domain::{AccountId, ItemId, Timestamp};

#[derive(Clone)]
pub(super) struct ItemState {
    pub admitted: i64,
    pub terms: Terms,
    buyers: HashMap<AccountId, Counts>,
    /// Its place in the feed of changes; 0 while it has none.
    pub changed_at: u64,
}

/// What one buyer took and what of it came back.
#[derive(Clone, Copy, Default)]
struct Counts {
    admitted: i64,
    released: i64,
}

impl ItemState {
    /// An item as the ledger tells it.
    pub fn load(telling: &Telling) -> Self {
        let mut item = Self {
            admitted: telling.admitted,
            terms: telling.terms,
            buyers: HashMap::new(),
            changed_at: 0,
        };
        item.tell_buyers(&telling.buyers);
        item
    }

    /// Takes what the ledger tells; returns whether the level changed by it.
    pub fn tell(&mut self, telling: &Telling) -> bool {
        self.tell_buyers(&telling.buyers);
        let is_newer = telling.terms.version > self.terms.version;
        if is_newer {
            self.terms = telling.terms;
        }
        let is_higher = telling.admitted > self.admitted;
        self.admitted = self.admitted.max(telling.admitted);
        is_newer || is_higher
    }

    fn tell_buyers(&mut self, buyers: &[BuyerCount]) {
        for told in buyers {
            let counts = self.buyers.entry(told.buyer).or_default();
            counts.admitted = counts.admitted.max(told.admitted);
            counts.released = counts.released.max(told.released);
        }
    }

    /// What stands in the way of `count` units for `buyer`.
    pub fn obstacle(
        &self,
        item: ItemId,
        buyer: AccountId,
        count: u32,
        now: Timestamp,
    ) -> Option<Obstacle> {
        let Terms {
            ceiling,
            opens_at,
            closes_at,
            paused,
            limit,
            ..
        } = self.terms;
        if let Some(opens_at) = opens_at.filter(|opens_at| now < *opens_at) {
            return Some(Obstacle::NotOpen { item, opens_at });
        }
        if let Some(closed_at) = closes_at.filter(|closes_at| *closes_at <= now) {
            return Some(Obstacle::Closed { item, closed_at });
        }
        if paused {
            return Some(Obstacle::Paused { item });
        }
        if let Some(limit) = limit {
            let counts = self.buyers.get(&buyer).copied().unwrap_or_default();
            let held = counts.admitted - counts.released;
            let remaining = i64::from(limit) - held;
            if remaining < i64::from(count) {
                return Some(Obstacle::Limit {
                    item,
                    limit,
                    held,
                    remaining: remaining.max(0),
                });
            }
        }
        let available = ceiling - self.admitted;
        if available < i64::from(count) {
            return Some(Obstacle::SoldOut {
                item,
                available: available.max(0),
            });
        }
        None
    }

    /// Lets `count` units through to `buyer`.
    pub fn take(&mut self, buyer: AccountId, count: u32) {
        self.admitted += i64::from(count);
        if self.terms.counts_buyers {
            self.buyers.entry(buyer).or_default().admitted += i64::from(count);
        }
    }

    pub fn buyers(&self) -> impl Iterator<Item = BuyerCount> {
        self.buyers.iter().map(|(buyer, counts)| BuyerCount {
            buyer: *buyer,
            admitted: counts.admitted,
            released: counts.released,
        })
    }
}
