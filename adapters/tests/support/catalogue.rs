//! A catalogue that is asked for items by their ids, and for nothing else.

use std::sync::Arc;

use async_trait::async_trait;
use domain::act::Act;
use domain::event::Event;
use domain::gate::Telling;
use domain::item::{Category, Details, Item, Kind};
use domain::order::KeyUse;
use domain::page::{ItemFilter, ItemQuery, Page};
use domain::ports::Catalogue;
use domain::ports::catalogue::ItemWritten;
use domain::stock::Stock;
use domain::{AccountId, Currency, Fault, ItemId, Money, Timestamp};
use uuid::Uuid;

const UNUSED: &str = "the cache only asks for items";

/// What a test's catalogue says.
#[async_trait]
pub trait HasItems: Send + Sync {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault>;
}

/// It as the port.
pub struct OnlyItems<T>(pub Arc<T>);

#[async_trait]
impl<T: HasItems> Catalogue for OnlyItems<T> {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.0.items(ids).await
    }

    async fn list(&self, _: &ItemQuery) -> Result<Page<Item>, Fault> {
        panic!("{UNUSED}")
    }

    async fn count(&self, _: &ItemFilter) -> Result<u64, Fault> {
        panic!("{UNUSED}")
    }

    async fn create(&self, _: &Item, _: &Event, _: Option<&KeyUse>) -> Result<ItemWritten, Fault> {
        panic!("{UNUSED}")
    }

    async fn create_many(&self, _: &[Item], _: Timestamp) -> Result<ItemWritten, Fault> {
        panic!("{UNUSED}")
    }

    async fn by_sku(&self, _: AccountId, _: &[String]) -> Result<Vec<Item>, Fault> {
        panic!("{UNUSED}")
    }

    async fn edit(
        &self,
        _: &Item,
        _: i64,
        _: &Event,
        _: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        panic!("{UNUSED}")
    }

    async fn restock(
        &self,
        _: ItemId,
        _: i64,
        _: Timestamp,
        _: &KeyUse,
        _: Option<&Act>,
    ) -> Result<ItemWritten, Fault> {
        panic!("{UNUSED}")
    }

    async fn tellings(&self, _: &[ItemId]) -> Result<Vec<Telling>, Fault> {
        panic!("{UNUSED}")
    }

    async fn tellings_since(
        &self,
        _: Option<Timestamp>,
        _: Option<ItemId>,
        _: usize,
    ) -> Result<Vec<Telling>, Fault> {
        panic!("{UNUSED}")
    }
}

pub fn item(id: ItemId, version: i64) -> Item {
    let currency = Currency::from_code("KRW").unwrap();
    Item {
        id,
        seller: AccountId(Uuid::nil()),
        sku: None,
        details: Details {
            name: "lid".to_owned(),
            description: String::new(),
            category: Category::Etc,
            price: Money::zero(currency),
        },
        kind: Kind::General,
        stock: Stock::new(1).unwrap(),
        version,
        created_at: Timestamp::UNIX_EPOCH,
    }
}
