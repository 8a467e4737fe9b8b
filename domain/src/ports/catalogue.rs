//! The ledger's side of items.

use std::sync::Arc;

use async_trait::async_trait;

use crate::act::Act;
use crate::event::Event;
use crate::gate::Telling;
use crate::item::Item;
use crate::order::KeyUse;
use crate::page::{ItemFilter, ItemQuery, Page};
use crate::{Fault, ItemId, Timestamp};

#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Those of the ids that are there, in any order.
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault>;

    async fn list(&self, query: &ItemQuery) -> Result<Page<Item>, Fault>;

    async fn count(&self, filter: &ItemFilter) -> Result<u64, Fault>;

    /// Adds an item with its stock and event.
    async fn create(
        &self,
        item: &Item,
        event: &Event,
        key: Option<&KeyUse>,
    ) -> Result<ItemWritten, Fault>;

    /// Adds items with their stock, all or none; for imports. Their events are made from them.
    async fn create_many(&self, items: &[Item], now: Timestamp) -> Result<ItemWritten, Fault>;

    /// The items of one seller by the shop's own codes, those that are there.
    async fn by_sku(&self, seller: crate::AccountId, skus: &[String]) -> Result<Vec<Item>, Fault>;

    /// Writes details and kind of an item whose version still is `expected_version`, and what the
    /// gate is told of it; with the operator's act, where it is one.
    async fn edit(
        &self,
        item: &Item,
        expected_version: i64,
        event: &Event,
        act: Option<&Act>,
    ) -> Result<ItemWritten, Fault>;

    /// Adds to an item's total (or takes from it, never under what is held); with the operator's
    /// act, where it is one, told what it changed.
    async fn restock(
        &self,
        item: ItemId,
        change: i64,
        at: Timestamp,
        key: &KeyUse,
        act: Option<&Act>,
    ) -> Result<ItemWritten, Fault>;

    /// What the gate has to know of these items, with all their buyers.
    async fn tellings(&self, items: &[ItemId]) -> Result<Vec<Telling>, Fault>;

    /// What changed at or after `since` by the ledger's clock, or everything without it: by item
    /// id, after `after`, with the buyers that changed.
    async fn tellings_since(
        &self,
        since: Option<Timestamp>,
        after: Option<ItemId>,
        most: usize,
    ) -> Result<Vec<Telling>, Fault>;
}

/// What became of a change to an item.
#[derive(Clone, PartialEq, Debug)]
pub enum ItemWritten {
    /// The item as it is now, where it was one.
    Done {
        item: Option<Box<Item>>,
        tellings: Vec<Telling>,
    },
    /// There is no such item.
    NotFound,
    /// Somebody edited it in between.
    Conflict { current: i64 },
    /// The stock would fall under what is held.
    BelowHeld { held: i64 },
    /// The total would be out of range.
    OutOfRange,
    /// The key is already used by this requester for this mutation.
    KeyTaken,
    /// The seller has another item with this code.
    SkuTaken,
}

/// Items for the hot path: in memory, at most a second stale, one loader on a miss.
#[async_trait]
pub trait ItemCache: Send + Sync {
    /// Those of the ids that are there, in any order.
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Arc<Item>>, Fault>;

    /// Forgets an item that has changed.
    async fn forget(&self, item: ItemId);
}
