//! Items that several processes share through a real Redis; each cache here stands for a process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "support/catalogue.rs"]
mod catalogue;
#[path = "support/services.rs"]
mod services;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::item_cache::CachedItems;
use adapters::redis::RedisItems;
use async_trait::async_trait;
use catalogue::{HasItems, OnlyItems, item};
use domain::item::Item;
use domain::ports::ItemCache;
use domain::{Fault, ItemId};
use tokio::time::sleep;
use uuid::Uuid;
use xtask::services::{Keep, Redis};

const ITEM: ItemId = ItemId(Uuid::from_u128(7));

/// A ledger with one item whose version can be raised, and that counts questions.
#[derive(Default)]
struct Ledger {
    version: AtomicI64,
    asked: Mutex<Vec<ItemId>>,
    is_away: AtomicBool,
}

impl Ledger {
    fn edit(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    fn go_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl HasItems for Ledger {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.asked.lock().unwrap().extend(ids);
        let version = self.version.load(Ordering::Relaxed);
        sleep(Duration::from_millis(20)).await;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Fault::unavailable("reading items", "the ledger is away"));
        }
        let found = ids.contains(&ITEM).then(|| item(ITEM, version));
        Ok(found.into_iter().collect())
    }
}

/// A process of a shop with this namespace.
fn process(ledger: &Arc<Ledger>, url: &str, namespace: &str) -> CachedItems {
    let shared = RedisItems::new(url, namespace).unwrap();
    CachedItems::new(Arc::new(OnlyItems(ledger.clone())), Some(shared)).unwrap()
}

fn shared_processes(count: usize) -> (Arc<Ledger>, Vec<CachedItems>) {
    let ledger = Arc::new(Ledger::default());
    let (url, namespace) = (&services::services().redis.standalone.url, namespace());
    let processes = (0..count).map(|_| process(&ledger, url, &namespace));
    let processes = processes.collect();
    (ledger, processes)
}

fn namespace() -> String {
    services::namespace()
}

async fn version(of: &CachedItems) -> Option<i64> {
    let found = of.items(&[ITEM]).await.unwrap();
    found.first().map(|item| item.version)
}

#[tokio::test]
async fn one_process_asks_the_ledger_for_all() {
    let (ledger, processes) = shared_processes(10);
    let crowd = processes
        .iter()
        .flat_map(|process| [version(process), version(process)]);
    let seen = futures_util::future::join_all(crowd).await;
    assert_eq!(seen, [Some(0); 20]);
    assert_eq!(ledger.times_asked(), 1);
}

#[tokio::test]
async fn an_item_in_demand_is_read_about_once_a_second_by_all_processes_together() {
    let (ledger, processes) = shared_processes(5);
    for _ in 0..60 {
        let seen = processes.iter().map(version);
        futures_util::future::join_all(seen).await;
        sleep(Duration::from_millis(50)).await;
    }
    let asked = ledger.times_asked();
    assert!((4..=7).contains(&asked), "{asked} in a good three seconds");
}

#[tokio::test]
async fn an_edit_is_seen_everywhere_within_a_second_and_told_at_once_where_it_is_said() {
    let (ledger, processes) = shared_processes(3);
    for process in &processes {
        assert_eq!(version(process).await, Some(0));
    }
    ledger.edit();
    assert_eq!(version(&processes[1]).await, Some(0), "nobody said so");
    sleep(Duration::from_secs(1)).await;
    for process in &processes {
        assert_eq!(version(process).await, Some(1), "a second is over");
    }
    ledger.edit();
    processes[0].forget(ITEM).await;
    assert_eq!(version(&processes[0]).await, Some(2));
    sleep(Duration::from_millis(50)).await;
    for process in &processes {
        assert_eq!(version(process).await, Some(2), "it was published");
    }
}

#[tokio::test]
async fn an_unknown_item_is_not_asked_for_by_everybody() {
    let (ledger, processes) = shared_processes(5);
    let unknown = ItemId(Uuid::from_u128(404));
    for process in &processes {
        assert!(process.items(&[unknown]).await.unwrap().is_empty());
    }
    assert_eq!(ledger.times_asked(), 1);
}

#[tokio::test]
async fn a_process_that_starts_while_the_ledger_is_away_has_what_the_others_knew() {
    let ledger = Arc::new(Ledger::default());
    let url = &services::services().redis.standalone.url;
    let namespace = namespace();
    assert_eq!(version(&process(&ledger, url, &namespace)).await, Some(0));
    ledger.go_away(true);
    sleep(Duration::from_millis(1_100)).await;
    let late = process(&ledger, url, &namespace);
    assert_eq!(version(&late).await, Some(0));
    ledger.go_away(false);
    ledger.edit();
    // As long as the last known is told, and the breaker may be open.
    sleep(Duration::from_millis(1_600)).await;
    assert_eq!(version(&late).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_redis_the_cache_goes_on_and_with_it_again() {
    let mut redis = Redis::launch(Keep::Nothing).unwrap();
    let ledger = Arc::new(Ledger::default());
    let (one, two) = (
        process(&ledger, &redis.url(), ""),
        process(&ledger, &redis.url(), ""),
    );
    assert_eq!(
        (version(&one).await, version(&two).await),
        (Some(0), Some(0))
    );
    assert_eq!(ledger.times_asked(), 1);
    redis.kill().unwrap();
    ledger.edit();
    sleep(Duration::from_millis(1_050)).await;
    assert_eq!(
        (version(&one).await, version(&two).await),
        (Some(1), Some(1))
    );
    assert_eq!(ledger.times_asked(), 3, "each for itself");
    redis.start().unwrap();
    // Until both breakers have tried again, and both listen.
    sleep(Duration::from_millis(2_500)).await;
    version(&one).await;
    version(&two).await;
    sleep(Duration::from_millis(1_100)).await;
    let before = ledger.times_asked();
    futures_util::future::join(version(&one), version(&two)).await;
    assert_eq!(ledger.times_asked(), before + 1, "one for both");
    ledger.edit();
    one.forget(ITEM).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(version(&two).await, Some(2));
}

#[tokio::test]
async fn a_redis_that_was_never_there_is_no_error() {
    let ledger = Arc::new(Ledger::default());
    let alone = process(&ledger, "redis://127.0.0.1:9", "");
    assert_eq!(version(&alone).await, Some(0));
    assert!(RedisItems::new("http://user:secret@host", "").is_err());
}
