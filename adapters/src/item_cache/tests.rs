use std::sync::Mutex;

use super::*;
use domain::event::Event;
use domain::gate::Telling;
use domain::item::{Category, Details, Kind};
use domain::order::KeyUse;
use domain::page::{ItemFilter, ItemQuery, Page};
use domain::ports::catalogue::ItemWritten;
use domain::stock::Stock;
use domain::{AccountId, Currency, Money, Timestamp};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A catalogue with items 1 to 9 that answers when it is let, and remembers what it was asked.
struct Slow {
    may_answer: Semaphore,
    asked: Mutex<Vec<Vec<ItemId>>>,
}

impl Slow {
    fn new(answers: usize) -> Arc<Self> {
        let (may_answer, asked) = (Semaphore::new(answers), Mutex::default());
        Arc::new(Self { may_answer, asked })
    }

    fn asked(&self) -> Vec<ItemId> {
        self.asked.lock().unwrap().concat()
    }
}

fn id(number: u128) -> ItemId {
    ItemId(Uuid::from_u128(number))
}

fn item(id: ItemId) -> Item {
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
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

const UNUSED: &str = "the cache only asks for items";

#[async_trait]
impl Catalogue for Slow {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.asked.lock().unwrap().push(ids.to_vec());
        self.may_answer.acquire().await.unwrap().forget();
        if ids.contains(&id(666)) {
            return Err(Fault::unavailable("reading items", "the disk is gone"));
        }
        let known = ids.iter().filter(|item| (id(1)..=id(9)).contains(item));
        Ok(known.map(|id| item(*id)).collect())
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

    async fn edit(&self, _: &Item, _: i64, _: &Event) -> Result<ItemWritten, Fault> {
        panic!("{UNUSED}")
    }

    async fn restock(
        &self,
        _: ItemId,
        _: i64,
        _: Timestamp,
        _: &KeyUse,
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

async fn ids(cache: &CachedItems, wanted: &[ItemId]) -> Vec<ItemId> {
    let found = cache.items(wanted).await.unwrap();
    let mut ids: Vec<_> = found.iter().map(|item| item.id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_crowd_that_misses_asks_once() {
    let catalogue = Slow::new(0);
    let cache = Arc::new(CachedItems::new(catalogue.clone()));
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { ids(&cache, &[id(1), id(2), id(3)]).await })
        })
        .collect();
    while catalogue.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    catalogue.may_answer.add_permits(100);
    for buyer in crowd {
        assert_eq!(buyer.await.unwrap(), [id(1), id(2), id(3)]);
    }
    let mut asked = catalogue.asked();
    asked.sort_unstable();
    assert_eq!(asked, [id(1), id(2), id(3)], "each item once");
}

#[tokio::test]
async fn what_is_known_or_unknown_is_remembered() {
    let catalogue = Slow::new(100);
    let cache = CachedItems::new(catalogue.clone());
    for _ in 0..3 {
        assert_eq!(ids(&cache, &[id(4), id(44)]).await, [id(4)]);
    }
    assert_eq!(catalogue.asked().len(), 2);
    cache.forget(id(4)).await;
    assert_eq!(ids(&cache, &[id(4), id(44)]).await, [id(4)]);
    assert_eq!(catalogue.asked()[2..], [id(4)]);
}

#[tokio::test]
async fn an_answer_is_never_more_than_a_second_old() {
    let catalogue = Slow::new(100);
    let cache = CachedItems::new(catalogue.clone());
    ids(&cache, &[id(5)]).await;
    tokio::time::sleep(AGE + Duration::from_millis(50)).await;
    ids(&cache, &[id(5)]).await;
    assert_eq!(catalogue.asked(), [id(5), id(5)]);
}

#[tokio::test]
async fn a_fault_is_not_remembered() {
    let catalogue = Slow::new(100);
    let cache = CachedItems::new(catalogue.clone());
    assert!(cache.items(&[id(666)]).await.is_err());
    assert!(cache.items(&[id(666)]).await.is_err());
    assert_eq!(catalogue.asked().len(), 2);
    assert_eq!(ids(&cache, &[id(6)]).await, [id(6)]);
}
