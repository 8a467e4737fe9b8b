//! The gate behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::gate::{
    BuyerCount, EdgeEntry, EdgePlace, EntryId, Level, Recall, Receipt, Reservation, Reserved,
    Shard, Telling,
};
use domain::ports::Gate;
use domain::ports::gate::{Beat, FeedCursor, HealingItem, LoadToken, Loading, News};
use domain::{Fault, ItemId, OrderId};

use super::GuardSettings;
use super::breaker::Breaker;

/// How long somebody may wait for another's loading of an item.
const LOADING: Duration = Duration::from_secs(5);

/// A gate that is away is not waited for.
pub struct GuardedGate {
    inner: Arc<dyn Gate>,
    breaker: Breaker,
    call: Duration,
    bulk: Duration,
}

impl GuardedGate {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(inner: Arc<dyn Gate>, settings: &GuardSettings) -> Result<Self, Fault> {
        let breaker = Breaker::new(
            "redis",
            "asking the gate",
            settings.failures,
            settings.pause,
        )?;
        Ok(Self {
            inner,
            breaker,
            call: settings.gate,
            bulk: settings.gate_bulk,
        })
    }

    /// Its breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }
}

#[async_trait]
impl Gate for GuardedGate {
    fn shard_of(&self, item: ItemId) -> Shard {
        self.inner.shard_of(item)
    }

    fn shards(&self) -> Vec<Shard> {
        self.inner.shards()
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<Reserved, Fault> {
        let call = self.inner.reserve(reservation);
        self.breaker.run(self.call, call).await
    }

    async fn is_replicated(&self, entry: &EntryId) -> Result<bool, Fault> {
        let call = self.inner.is_replicated(entry);
        self.breaker.run(self.call, call).await
    }

    async fn settle(&self, entries: &[EntryId]) -> Result<(), Fault> {
        let call = self.inner.settle(entries);
        self.breaker.run(self.call, call).await
    }

    async fn claim_stale(&self, age_ms: u64, most: usize) -> Result<Vec<EdgeEntry>, Fault> {
        let call = self.inner.claim_stale(age_ms, most);
        self.breaker.run(self.bulk, call).await
    }

    async fn edge_length(&self) -> Result<u64, Fault> {
        self.breaker.run(self.call, self.inner.edge_length()).await
    }

    async fn edge_span(&self, shard: Shard) -> Result<Option<(EdgePlace, EdgePlace)>, Fault> {
        let call = self.inner.edge_span(shard);
        self.breaker.run(self.call, call).await
    }

    async fn receipt(&self, order: OrderId) -> Result<Recall, Fault> {
        let call = self.inner.receipt(order);
        self.breaker.run(self.call, call).await
    }

    async fn load(&self, tellings: &[Telling]) -> Result<(), Fault> {
        let call = self.inner.load(tellings);
        self.breaker.run(self.bulk, call).await
    }

    async fn sync(&self, tellings: &[Telling]) -> Result<Vec<ItemId>, Fault> {
        let call = self.inner.sync(tellings);
        self.breaker.run(self.bulk, call).await
    }

    async fn tell_receipts(&self, shard: Shard, receipts: &[Receipt]) -> Result<(), Fault> {
        let call = self.inner.tell_receipts(shard, receipts);
        self.breaker.run(self.bulk, call).await
    }

    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        let call = self.inner.levels(items);
        self.breaker.run(self.call, call).await
    }

    async fn exact_levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        let call = self.inner.exact_levels(items);
        self.breaker.run(self.bulk, call).await
    }

    async fn buyers(&self, item: ItemId) -> Result<Vec<BuyerCount>, Fault> {
        let call = self.inner.buyers(item);
        self.breaker.run(self.bulk, call).await
    }

    /// Waits for as long as nothing changes, so it is neither limited nor lets a breaker try by it.
    async fn changes(&self, after: FeedCursor) -> Result<News, Fault> {
        self.inner.changes(after).await
    }

    /// Waits for another's work, so it says nothing about the gate: it passes the breaker.
    async fn begin_loading(&self, item: ItemId) -> Result<Loading, Fault> {
        let waiting = tokio::time::timeout(LOADING, self.inner.begin_loading(item)).await;
        waiting.unwrap_or_else(|_| {
            let cause = format!("somebody else was at it for {LOADING:?}");
            Err(Fault::unavailable("loading an item", cause))
        })
    }

    async fn end_loading(&self, item: ItemId, token: LoadToken) -> Result<(), Fault> {
        let call = self.inner.end_loading(item, token);
        self.breaker.run(self.call, call).await
    }

    async fn beat(&self, shard: Shard) -> Result<Beat, Fault> {
        self.breaker.run(self.call, self.inner.beat(shard)).await
    }

    async fn healing_items(&self, shard: Shard) -> Result<Vec<HealingItem>, Fault> {
        let call = self.inner.healing_items(shard);
        self.breaker.run(self.call, call).await
    }

    async fn heal(
        &self,
        shard: Shard,
        since: Beat,
        whole: bool,
        items: &[HealingItem],
    ) -> Result<bool, Fault> {
        let call = self.inner.heal(shard, since, whole, items);
        self.breaker.run(self.bulk, call).await
    }
}
