//! Items for the hot path: in this process, then in a Redis that all processes share, then in the
//! ledger.
//!
//! An answer is never more than a second old while the ledger answers. An item that is asked for
//! all the time is read again a moment before, so nobody waits for it; what is missing at the same
//! time, for whomever, is one question to the ledger, of one process. While the ledger is away the
//! last that was known is better than nothing, for some minutes.

mod known;
mod loader;
mod shared;

use std::sync::Arc;

use async_trait::async_trait;
use domain::item::Item;
use domain::ports::{Catalogue, ItemCache};
use domain::{Fault, ItemId};
use futures_util::future::try_join_all;
use tokio::time::Instant;

use crate::batcher::Batcher;
use crate::guard::Breaker;
use crate::redis::RedisItems;
use known::{Entry, Known};
use loader::Loader;
use shared::Shared;

/// Looks aside into the catalogue on a miss, one loader an item; the others wait for it. That an id
/// is unknown is remembered just as long.
pub struct CachedItems {
    known: Known,
    loading: Batcher<Loader>,
    shared: Option<Arc<Shared>>,
    /// Before the ledger.
    ledger: Arc<Breaker>,
}

impl CachedItems {
    /// Starts the task that loads, so there has to be a runtime. Without `shared` every process
    /// asks the ledger for itself.
    ///
    /// # Errors
    /// What is shared can't be listened to.
    pub fn new(catalogue: Arc<dyn Catalogue>, shared: Option<RedisItems>) -> Result<Self, Fault> {
        let known = Known::new();
        let shared = shared.map(|items| Shared::new(items, &known)).transpose()?;
        let shared = shared.map(Arc::new);
        let ledger = Arc::new(loader::breaker()?);
        let loader = Loader::new(catalogue, ledger.clone(), known.clone(), shared.clone());
        Ok(Self {
            known,
            loading: Batcher::start(loader, "loading items"),
            shared,
            ledger,
        })
    }

    /// What may be told of an item without waiting.
    fn tellable(&self, id: ItemId, now: Instant) -> Option<Arc<Entry>> {
        let entry = self.known.last(id)?;
        let is_tellable = entry.is_fresh(now) || (self.ledger.is_open() && entry.may_stand_in(now));
        is_tellable.then_some(entry)
    }

    async fn load(&self, id: ItemId) -> Result<Option<Arc<Item>>, Fault> {
        // The loader's fault is shared with those who waited for it, so each gets one of its own.
        let loaded = self.loading.run(id).await?;
        loaded.map_err(|fault: Arc<Fault>| Fault::unavailable("loading an item", fault.detail()))
    }
}

#[async_trait]
impl ItemCache for CachedItems {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Arc<Item>>, Fault> {
        let now = Instant::now();
        let mut found = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.tellable(*id, now) {
                Some(entry) => {
                    if entry.is_to_be_read_again(now) {
                        self.loading.begin(*id);
                    }
                    found.extend(entry.item.clone());
                }
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            let loaded = try_join_all(missing.into_iter().map(|id| self.load(id))).await?;
            found.extend(loaded.into_iter().flatten());
        }
        Ok(found)
    }

    async fn forget(&self, item: ItemId) {
        self.known.forget(item);
        if let Some(shared) = &self.shared {
            shared.forget(item).await;
        }
        // Again: it may have been loaded in between from what was shared until now.
        self.known.forget(item);
    }
}

#[cfg(test)]
mod tests;
