//! Items for the hot path: in memory, never more than a second old.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::item::Item;
use domain::ports::{Catalogue, ItemCache};
use domain::{Fault, ItemId};
use moka::future::Cache;

/// The most items kept.
const CAPACITY: u64 = 100_000;
/// How old an answer may be: long enough to spare the ledger a crowd, short enough for a price.
const AGE: Duration = Duration::from_secs(1);

/// Looks aside into the catalogue on a miss, one loader an item; the others wait for it. That an id
/// is unknown is remembered just as long.
pub struct CachedItems {
    catalogue: Arc<dyn Catalogue>,
    cache: Cache<ItemId, Option<Arc<Item>>>,
}

impl CachedItems {
    #[must_use]
    pub fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(AGE)
            .build();
        Self { catalogue, cache }
    }

    async fn load_one(&self, id: ItemId) -> Result<Option<Arc<Item>>, Fault> {
        let load = async { Ok(self.catalogue.items(&[id]).await?.pop().map(Arc::new)) };
        // The loader's fault is shared with those who waited for it, so each gets one of its own.
        self.cache
            .try_get_with(id, load)
            .await
            .map_err(|fault: Arc<Fault>| Fault::unavailable("loading an item", fault.detail()))
    }

    /// Several misses of one request are one question to the ledger.
    async fn load_many(&self, ids: &[ItemId]) -> Result<Vec<Arc<Item>>, Fault> {
        let loaded: Vec<_> = self
            .catalogue
            .items(ids)
            .await?
            .into_iter()
            .map(Arc::new)
            .collect();
        for item in &loaded {
            self.cache.insert(item.id, Some(item.clone())).await;
        }
        for id in ids {
            if !loaded.iter().any(|item| item.id == *id) {
                self.cache.insert(*id, None).await;
            }
        }
        Ok(loaded)
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
        match missing.as_slice() {
            [] => {}
            [id] => found.extend(self.load_one(*id).await?),
            many => found.extend(self.load_many(many).await?),
        }
        Ok(found)
    }

    async fn forget(&self, item: ItemId) {
        self.cache.invalidate(&item).await;
    }
}
