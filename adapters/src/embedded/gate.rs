//! The stock gate in memory: the same semantics as the one in Redis, for one process.
//!
//! It is empty after a start and answers refusals as *try again* until it has been told what the
//! ledger knows. It lives and dies with the process, so it never loses a part of itself; tests make
//! it do so with [`MemoryGate::fail_over`].

mod edge;
mod feed;
mod item;
mod loaders;
mod receipts;
mod shard;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::gate::{
    BuyerCount, Change, EdgeEntry, EdgePlace, EntryId, Level, Recall, Receipt, Reservation,
    Reserved, Shard, Telling,
};
use domain::ports::gate::{Beat, FeedCursor, HealingItem, LoadToken, Loading, News};
use domain::ports::{Clock, Gate};
use domain::{Fault, ItemId, OrderId};

use crate::spread::place_of;
use feed::Feed;
use loaders::Loaders;
use shard::{Held, ShardState};

/// How the gate is cut and bounded.
#[derive(Clone, Copy, Debug)]
pub struct MemoryGateSettings {
    /// Shards, at least 1. One is enough; more make orders over several of them.
    pub shards: u16,
    /// Entries that may wait in the edge queue of a shard.
    pub edge_queue_max: usize,
    /// How long a receipt is remembered; a year at most.
    pub receipt_life: Duration,
    /// How long a loader may take before another one may try, in milliseconds.
    pub load_lease_ms: u64,
    /// The epoch of its levels: higher than that of any gate before it, so that a subscriber who
    /// comes back does not take the new levels for old ones.
    pub epoch: u32,
}

impl Default for MemoryGateSettings {
    fn default() -> Self {
        Self {
            shards: 1,
            edge_queue_max: 100_000,
            receipt_life: Duration::from_hours(24),
            load_lease_ms: 5_000,
            epoch: 1,
        }
    }
}

/// The longest life of a receipt.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);

pub struct MemoryGate {
    clock: Arc<dyn Clock>,
    settings: MemoryGateSettings,
    shards: Vec<Mutex<ShardState>>,
    feed: Feed,
    loaders: Loaders,
}

/// A copy of everything a gate holds at one moment, as a replica of it would have it. The default
/// one holds nothing.
#[derive(Default)]
pub struct Replica(Vec<Held>);

impl MemoryGate {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, settings: MemoryGateSettings) -> Self {
        let receipt_life = TimeDelta::from_std(settings.receipt_life);
        let receipt_life = receipt_life.unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE);
        let shards = (0..settings.shards.max(1))
            .map(|shard| ShardState::new(Shard(shard), settings.epoch, receipt_life))
            .map(Mutex::new)
            .collect();
        Self {
            clock,
            settings,
            shards,
            feed: Feed::default(),
            loaders: Loaders::default(),
        }
    }

    /// What a replica has that follows no further; for tests.
    #[must_use]
    pub fn replica(&self) -> Replica {
        Replica(
            self.shards
                .iter()
                .map(|shard| lock(shard).held.clone())
                .collect(),
        )
    }

    /// Loses everything written since `replica` was taken, as a failover does; for tests.
    pub fn fail_over(&self, replica: Replica) {
        let mut held = replica.0.into_iter();
        for shard in &self.shards {
            let wake = lock(shard).fail_over(held.next().unwrap_or_default(), &self.feed);
            self.wake(wake);
        }
    }

    fn of_item(&self, item: ItemId) -> MutexGuard<'_, ShardState> {
        // `place_of` stays below the number of shards, of which there is at least one.
        lock(&self.shards[usize::from(place_of(item.0, self.settings.shards))])
    }

    fn shard(&self, shard: Shard) -> Result<MutexGuard<'_, ShardState>, Fault> {
        match self.shards.get(usize::from(shard.0)) {
            Some(state) => Ok(lock(state)),
            None => Err(Fault::corrupt(
                "ask a shard of the gate",
                "there is no such shard",
            )),
        }
    }

    fn wake(&self, readers: bool) {
        if readers {
            self.feed.waiting.notify_waiters();
        }
    }

    fn changed(&self, after: u64, next: u64) -> Vec<Change> {
        let now = self.clock.now();
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).changed(after, next, now))
            .map(Into::into)
            .collect()
    }
}

fn lock(shard: &Mutex<ShardState>) -> MutexGuard<'_, ShardState> {
    // Nothing panics while it is held.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Gate for MemoryGate {
    fn shard_of(&self, item: ItemId) -> Shard {
        Shard(place_of(item.0, self.settings.shards))
    }

    fn shards(&self) -> Vec<Shard> {
        self.shards.iter().map(|shard| lock(shard).id).collect()
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<Reserved, Fault> {
        let units = &reservation.units;
        let in_order = units.windows(2).all(|pair| pair[0].item < pair[1].item);
        if units.is_empty() || !in_order || units.iter().any(|units| units.count == 0) {
            let wrong = "units must be there, more than 0, each item once, in item order";
            return Err(Fault::corrupt("reserve at the gate", wrong));
        }
        let now = self.clock.now();
        let most_queued = self.settings.edge_queue_max;
        let (answer, wake) =
            self.shard(reservation.shard)?
                .reserve(reservation, most_queued, now, &self.feed);
        self.wake(wake);
        Ok(answer)
    }

    /// Never: there is no replica, and memory is not durable.
    async fn is_replicated(&self, _entry: &EntryId) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn settle(&self, entries: &[EntryId]) -> Result<(), Fault> {
        for entry in entries {
            self.shard(entry.shard)?.settle(entry);
        }
        Ok(())
    }

    async fn claim_stale(&self, age_ms: u64, most: usize) -> Result<Vec<EdgeEntry>, Fault> {
        let age = i64::try_from(age_ms)
            .ok()
            .and_then(TimeDelta::try_milliseconds);
        let age = age.unwrap_or(TimeDelta::MAX);
        let now = self.clock.now();
        let mut entries = Vec::new();
        for shard in &self.shards {
            entries.extend(lock(shard).claim_stale(age, most - entries.len(), now));
        }
        Ok(entries)
    }

    async fn edge_length(&self) -> Result<u64, Fault> {
        Ok(self
            .shards
            .iter()
            .map(|shard| lock(shard).edge_length() as u64)
            .sum())
    }

    async fn edge_span(&self, shard: Shard) -> Result<Option<(EdgePlace, EdgePlace)>, Fault> {
        Ok(self.shard(shard)?.edge_span())
    }

    async fn receipt(&self, order: OrderId) -> Result<Recall, Fault> {
        let now = self.clock.now();
        let recalled = self
            .shards
            .iter()
            .map(|shard| lock(shard).recall(order, now));
        Ok(recalled.reduce(Recall::or).unwrap_or(Recall::Nothing))
    }

    async fn load(&self, tellings: &[Telling]) -> Result<(), Fault> {
        for telling in tellings {
            let wake = self.of_item(telling.item).tell(telling, &self.feed);
            self.wake(wake);
        }
        Ok(())
    }

    async fn sync(&self, tellings: &[Telling]) -> Result<Vec<ItemId>, Fault> {
        let mut unknown = Vec::new();
        for telling in tellings {
            let mut shard = self.of_item(telling.item);
            if shard.is_loaded(telling.item) {
                let wake = shard.tell(telling, &self.feed);
                drop(shard);
                self.wake(wake);
            } else {
                unknown.push(telling.item);
            }
        }
        Ok(unknown)
    }

    async fn tell_receipts(&self, shard: Shard, receipts: &[Receipt]) -> Result<(), Fault> {
        let now = self.clock.now();
        for receipt in receipts {
            self.shard(shard)?.tell_receipt(receipt, now);
        }
        Ok(())
    }

    /// Never old: there is only one copy.
    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        let now = self.clock.now();
        Ok(items
            .iter()
            .filter_map(|item| self.of_item(*item).level(*item, now))
            .collect())
    }

    async fn exact_levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        self.levels(items).await
    }

    async fn buyers(&self, item: ItemId) -> Result<Vec<BuyerCount>, Fault> {
        Ok(self.of_item(item).buyers(item))
    }

    async fn changes(&self, after: FeedCursor) -> Result<News, Fault> {
        let mut after = after.0;
        loop {
            // From here on no change is missed, though it comes before the wait begins.
            let changed = self.feed.waiting.notified();
            let next = self.feed.last();
            if after > next {
                // A reader from before a restart.
                after = 0;
            }
            if after < next {
                let news = News {
                    cursor: FeedCursor(next),
                    gap: after == 0,
                    changes: self.changed(after, next),
                };
                if news.gap || !news.changes.is_empty() {
                    return Ok(news);
                }
                after = next;
            }
            changed.await;
        }
    }

    async fn begin_loading(&self, item: ItemId) -> Result<Loading, Fault> {
        if self.of_item(item).is_loaded(item) {
            return Ok(Loading::AnotherHas);
        }
        Ok(self
            .loaders
            .begin(&*self.clock, item, self.settings.load_lease_ms)
            .await)
    }

    async fn end_loading(&self, item: ItemId, token: LoadToken) -> Result<(), Fault> {
        self.loaders.end(item, token);
        Ok(())
    }

    async fn beat(&self, shard: Shard) -> Result<Beat, Fault> {
        let (beat, wake) = self.shard(shard)?.beat(&self.feed);
        self.wake(wake);
        Ok(beat)
    }

    /// None: whoever loads has every order before it that the shard had.
    async fn healing_items(&self, _shard: Shard) -> Result<Vec<HealingItem>, Fault> {
        Ok(Vec::new())
    }

    async fn heal(
        &self,
        shard: Shard,
        since: Beat,
        whole: bool,
        _items: &[HealingItem],
    ) -> Result<bool, Fault> {
        Ok(self.shard(shard)?.heal(since, whole))
    }
}
