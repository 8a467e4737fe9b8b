//! Items for the hot path: in memory, never more than a second old.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::item::Item;
use domain::ports::{Catalogue, ItemCache};
use domain::{Fault, ItemId};
use futures_util::future::try_join_all;
use moka::future::Cache;

use crate::embedded::batcher::{Batcher, Work};

/// The most items kept.
const CAPACITY: u64 = 100_000;
/// How old an answer may be: long enough to spare the ledger a crowd, short enough for a price.
const AGE: Duration = Duration::from_secs(1);

/// Looks aside into the catalogue on a miss, one loader an item; the others wait for it. What is
/// missing at the same time, for whomever, is one question to the ledger. That an id is unknown is
/// remembered just as long.
pub struct CachedItems {
    loading: Batcher<Loader>,
    cache: Cache<ItemId, Option<Arc<Item>>>,
}

impl CachedItems {
    /// Starts the task that loads, so there has to be a runtime.
    #[must_use]
    pub fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(AGE)
            .build();
        let loading = Batcher::start(Loader(catalogue), "loading items");
        Self { loading, cache }
    }

    async fn load(&self, id: ItemId) -> Result<Option<Arc<Item>>, Fault> {
        // The loader's fault is shared with those who waited for it, so each gets one of its own.
        self.cache
            .try_get_with(id, self.loading.run(id))
            .await
            .map_err(|fault: Arc<Fault>| Fault::unavailable("loading an item", fault.detail()))
    }
}

#[async_trait]
impl ItemCache for CachedItems {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Arc<Item>>, Fault> {
        let mut found = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.cache.get(id).await {
                Some(item) => found.extend(item),
                None => missing.push(*id),
            }
        }
        let loaded = try_join_all(missing.into_iter().map(|id| self.load(id))).await?;
        found.extend(loaded.into_iter().flatten());
        Ok(found)
    }

    async fn forget(&self, item: ItemId) {
        self.cache.invalidate(&item).await;
    }
}

/// Asks the catalogue for all that is missing at once.
struct Loader(Arc<dyn Catalogue>);

impl Work for Loader {
    type Job = ItemId;
    type Done = Option<Arc<Item>>;

    async fn run(&mut self, ids: &[ItemId]) -> Result<Vec<Self::Done>, Fault> {
        let items = self.0.items(ids).await?;
        let items: HashMap<ItemId, Arc<Item>> = items
            .into_iter()
            .map(|item| (item.id, Arc::new(item)))
            .collect();
        Ok(ids.iter().map(|id| items.get(id).cloned()).collect())
    }
}

#[cfg(test)]
mod tests;
