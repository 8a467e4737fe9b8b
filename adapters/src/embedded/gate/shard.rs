//! One shard: what it holds, and each verb as one step under its lock.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::gate::{
    BuyerCount, EdgeEntry, EdgePlace, EntryId, Level, LevelVersion, Obstacle, Recall, Receipt,
    Reservation, Reserved, Shard, Telling,
};
use domain::ports::gate::Beat;
use domain::{AccountId, ItemId, OrderId, Timestamp};

use super::edge::EdgeQueue;
use super::feed::{Feed, Recent};
use super::item::ItemState;
use super::receipts::Receipts;

pub(super) struct ShardState {
    pub id: Shard,
    pub held: Held,
    recent: Recent,
    receipt_life: TimeDelta,
    /// The newest beat that was given; what `held` has goes back when writes are lost.
    last_beat: u64,
    epoch: u32,
    /// Whether a refusal may come from something that was forgotten.
    healing: bool,
}

/// What a loss takes away or sets back.
#[derive(Clone, Default)]
pub(super) struct Held {
    items: HashMap<ItemId, ItemState>,
    receipts: Receipts,
    edge: EdgeQueue,
    beat: u64,
}

impl ShardState {
    /// A shard that knows nothing. It heals until it is told that it knows all.
    pub fn new(id: Shard, epoch: u32, receipt_life: TimeDelta) -> Self {
        let (held, recent) = (Held::default(), Recent::default());
        Self {
            id,
            held,
            recent,
            receipt_life,
            last_beat: 0,
            epoch,
            healing: true,
        }
    }

    /// Takes stock for every line or for none; the receipt comes before every other check.
    /// Returns the answer, and whether readers of the feed are to be woken.
    pub fn reserve(
        &mut self,
        reservation: &Reservation,
        most_queued: usize,
        now: Timestamp,
        feed: &Feed,
    ) -> (Reserved, bool) {
        let draft = &reservation.draft;
        if let Some(kept) = self.held.receipts.get(draft.order, now) {
            let receipt = kept.receipt.clone();
            let entry = kept.entry.filter(|entry| self.held.edge.has(entry));
            return (Reserved::Known { receipt, entry }, false);
        }
        if self.held.edge.len() >= most_queued {
            return (Reserved::QueueFull, false);
        }
        if let Some(refused) = self.examine(reservation, now) {
            return (refused, false);
        }

        let mut wake = false;
        for units in &reservation.units {
            if let Some(item) = self.held.items.get_mut(&units.item) {
                item.take(draft.buyer, units.count);
                wake |= self.recent.note(feed, units.item, &mut item.changed_at);
            }
        }
        let entry = self.held.edge.push(reservation, now);
        let receipt = Receipt {
            order: draft.order,
            fingerprint: draft.fingerprint,
            admission: reservation.admission,
            draft: Some(draft.clone()),
        };
        let receipts = &mut self.held.receipts;
        receipts.keep(receipt, Some(entry), now, self.receipt_life);
        (Reserved::Taken { entry }, wake)
    }

    /// Why these units can't be taken, all reasons at once; `None` if they can.
    fn examine(&self, reservation: &Reservation, now: Timestamp) -> Option<Reserved> {
        let buyer: AccountId = reservation.draft.buyer;
        let (mut obstacles, mut unknown, mut doubtful) = (Vec::new(), Vec::new(), false);
        for units in &reservation.units {
            let Some(item) = self.held.items.get(&units.item) else {
                unknown.push(units.item);
                continue;
            };
            match item.obstacle(units.item, buyer, units.count, now) {
                None => {}
                // A start does not move once it is past, so nobody can have bought before it.
                Some(obstacle @ Obstacle::NotOpen { .. }) => obstacles.push(obstacle),
                Some(_) if self.healing => doubtful = true,
                Some(obstacle) => obstacles.push(obstacle),
            }
        }
        if !obstacles.is_empty() {
            Some(Reserved::Refused(obstacles))
        } else if !unknown.is_empty() {
            Some(Reserved::NotLoaded(unknown))
        } else if doubtful {
            Some(Reserved::Healing)
        } else {
            None
        }
    }

    pub fn settle(&mut self, entry: &EntryId) {
        self.held.edge.settle(entry);
    }

    pub fn claim_stale(&mut self, age: TimeDelta, most: usize, now: Timestamp) -> Vec<EdgeEntry> {
        self.held.edge.claim(self.id, age, most, now)
    }

    pub fn edge_length(&self) -> usize {
        self.held.edge.len()
    }

    pub fn edge_span(&self) -> Option<(EdgePlace, EdgePlace)> {
        self.held.edge.span()
    }

    pub fn recall(&self, order: OrderId, now: Timestamp) -> Recall {
        match self.held.receipts.get(order, now) {
            Some(kept) => Recall::Receipt(kept.receipt.clone()),
            None if self.healing => Recall::Unsure,
            None => Recall::Nothing,
        }
    }

    pub fn tell_receipt(&mut self, receipt: &Receipt, now: Timestamp) {
        let receipts = &mut self.held.receipts;
        receipts.keep(receipt.clone(), None, now, self.receipt_life);
    }

    /// Takes what the ledger tells of an item; one it does not know is added. Returns whether
    /// readers of the feed are to be woken.
    pub fn tell(&mut self, telling: &Telling, feed: &Feed) -> bool {
        let changed = if let Some(item) = self.held.items.get_mut(&telling.item) {
            item.tell(telling)
        } else {
            let item = ItemState::load(telling);
            self.held.items.insert(telling.item, item);
            true
        };
        changed && self.note(telling.item, feed)
    }

    fn note(&mut self, item: ItemId, feed: &Feed) -> bool {
        self.held
            .items
            .get_mut(&item)
            .is_some_and(|state| self.recent.note(feed, item, &mut state.changed_at))
    }

    pub fn is_loaded(&self, item: ItemId) -> bool {
        self.held.items.contains_key(&item)
    }

    pub fn level(&self, item: ItemId, now: Timestamp) -> Option<Level> {
        level(&self.held, self.epoch, item, now)
    }

    pub fn buyers(&self, item: ItemId) -> Vec<BuyerCount> {
        self.held
            .items
            .get(&item)
            .map(|item| item.buyers().collect())
            .unwrap_or_default()
    }

    /// The levels that changed after `after`, for a reader that goes on from `next`.
    pub fn changed(&mut self, after: u64, next: u64, now: Timestamp) -> Vec<Level> {
        let (held, epoch) = (&self.held, self.epoch);
        self.recent
            .read(after, next)
            .filter_map(|item| level(held, epoch, item, now))
            .collect()
    }

    /// Gives a beat. Returns what it found, and whether readers of the feed are to be woken.
    pub fn beat(&mut self, feed: &Feed) -> (Beat, bool) {
        let mut wake = false;
        if self.held.beat != self.last_beat {
            self.healing = true;
            self.epoch += 1;
            wake = self.note_all(feed);
        }
        self.last_beat += 1;
        self.held.beat = self.last_beat;
        let beat = Beat {
            number: self.last_beat,
            epoch: self.epoch,
            // It does not know since when.
            missing_since: self.healing.then_some(Timestamp::UNIX_EPOCH),
        };
        (beat, wake)
    }

    /// Ends the healing, unless writes were lost since that beat.
    pub fn heal(&mut self, since: Beat, whole: bool) -> bool {
        let is_kept = self.held.beat >= since.number && self.epoch == since.epoch;
        if is_kept && whole {
            self.healing = false;
        }
        is_kept
    }

    /// Puts what a replica had in the place of what is held: everything written since is lost.
    pub fn fail_over(&mut self, replica: Held, feed: &Feed) -> bool {
        self.held = Held { beat: 0, ..replica };
        self.healing = true;
        self.recent.clear();
        self.note_all(feed)
    }

    fn note_all(&mut self, feed: &Feed) -> bool {
        let mut wake = false;
        for (item, state) in &mut self.held.items {
            wake |= self.recent.note(feed, *item, &mut state.changed_at);
        }
        wake
    }
}

fn level(held: &Held, epoch: u32, item: ItemId, as_of: Timestamp) -> Option<Level> {
    let state = held.items.get(&item)?;
    let (admitted, terms) = (state.admitted, state.terms);
    let version = LevelVersion {
        epoch,
        count: admitted + terms.version,
    };
    Some(Level {
        item,
        admitted,
        terms,
        version,
        as_of,
    })
}
