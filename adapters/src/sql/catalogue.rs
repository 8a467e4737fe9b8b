//! Items and their stock, and what the gate is told of them.

mod list;
mod tell;
mod write;

use super::engine::Transaction;
use async_trait::async_trait;
use domain::act::Act;
use domain::event::Event;
use domain::gate::Telling;
use domain::item::Item;
use domain::order::KeyUse;
use domain::page::{ItemFilter, ItemQuery, Page};
use domain::ports::Catalogue;
use domain::ports::catalogue::ItemWritten;
use domain::{AccountId, Fault, ItemId, Timestamp};

use super::Ledger;
use super::fault::{Stop, while_doing};

impl Ledger {
    /// Does `work` on items, and wakes whoever waits for the event it left.
    async fn write_items<W>(
        &self,
        doing: &'static str,
        work: impl Fn(Transaction) -> W,
    ) -> Result<ItemWritten, Fault>
    where
        W: Future<Output = Result<ItemWritten, Stop>>,
    {
        let written = self.write(doing, work).await?;
        self.events.notify_one();
        Ok(written)
    }
}

#[async_trait]
impl Catalogue for Ledger {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.read(
            "reading items",
            |on| async move { list::by_id(&on, ids).await },
        )
        .await
    }

    async fn list(&self, query: &ItemQuery) -> Result<Page<Item>, Fault> {
        self.read(
            "listing items",
            |on| async move { list::page(&on, query).await },
        )
        .await
    }

    async fn count(&self, filter: &ItemFilter) -> Result<u64, Fault> {
        while_doing("counting items", list::count(&self.engine.reader, filter)).await
    }

    async fn create(
        &self,
        item: &Item,
        event: &Event,
        key: Option<&KeyUse>,
    ) -> Result<ItemWritten, Fault> {
        self.write_items("adding an item", |on| async move {
            let now = self.engine.now(&on).await?;
            write::create(
                &on,
                std::slice::from_ref(item),
                std::slice::from_ref(event),
                key,
                now,
            )
            .await
        })
        .await
    }

    async fn create_many(&self, items: &[Item], now: Timestamp) -> Result<ItemWritten, Fault> {
        let events = &write::created(items, now);
        self.write_items("adding items", |on| async move {
            let now = self.engine.now(&on).await?;
            write::create(&on, items, events, None, now).await
        })
        .await
    }

    async fn by_sku(&self, seller: AccountId, skus: &[String]) -> Result<Vec<Item>, Fault> {
        self.read("looking up codes", |on| async move {
            list::by_sku(&on, seller, skus).await
        })
        .await
    }

    async fn edit(
        &self,
        item: &Item,
        expected_version: i64,
        event: &Event,
        act: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        self.write_items("editing an item", |on| async move {
            let now = self.engine.now(&on).await?;
            write::edit(&on, item, expected_version, (event, act), now).await
        })
        .await
    }

    async fn restock(
        &self,
        item: ItemId,
        change: i64,
        at: Timestamp,
        key: &KeyUse,
        act: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        self.write_items("restocking an item", |on| async move {
            let now = self.engine.now(&on).await?;
            write::restock(&on, item, change, (key, act), (at, now)).await
        })
        .await
    }

    async fn tellings(&self, items: &[ItemId]) -> Result<Vec<Telling>, Fault> {
        self.read("reading what the gate has to know", |on| async move {
            tell::of(&on, items).await
        })
        .await
    }

    async fn tellings_since(
        &self,
        since: Option<Timestamp>,
        after: Option<ItemId>,
        most: usize,
    ) -> Result<Vec<Telling>, Fault> {
        let doing = "reading what changed for the gate";
        self.read(doing, |on| async move {
            tell::since(&on, since, after, most).await
        })
        .await
    }
}
