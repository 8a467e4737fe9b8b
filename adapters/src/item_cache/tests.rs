#[path = "../../tests/support/catalogue.rs"]
mod catalogue;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use catalogue::{HasItems, OnlyItems, item};
use known::{FRESH, KEPT};
use tokio::sync::Semaphore;
use tokio::time::{advance, sleep, timeout};
use uuid::Uuid;

/// A catalogue with items 1 to 9 that answers when it is let, and remembers what it was asked.
struct Slow {
    may_answer: Semaphore,
    asked: Mutex<Vec<Vec<ItemId>>>,
    is_away: AtomicBool,
}

impl Slow {
    fn new(answers: usize) -> Arc<Self> {
        Arc::new(Self {
            may_answer: Semaphore::new(answers),
            asked: Mutex::default(),
            is_away: AtomicBool::new(false),
        })
    }

    fn go_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    fn asked(&self) -> Vec<ItemId> {
        self.asked.lock().unwrap().concat()
    }
}

fn id(number: u128) -> ItemId {
    ItemId(Uuid::from_u128(number))
}

#[async_trait]
impl HasItems for Slow {
    async fn items(&self, ids: &[ItemId]) -> Result<Vec<Item>, Fault> {
        self.asked.lock().unwrap().push(ids.to_vec());
        self.may_answer.acquire().await.unwrap().forget();
        if ids.contains(&id(666)) || self.is_away.load(Ordering::Relaxed) {
            return Err(Fault::unavailable("reading items", "the disk is gone"));
        }
        let known = ids.iter().filter(|item| (id(1)..=id(9)).contains(item));
        Ok(known.map(|id| item(*id, 1)).collect())
    }
}

fn cached(catalogue: &Arc<Slow>) -> CachedItems {
    CachedItems::new(Arc::new(OnlyItems(catalogue.clone())), None).unwrap()
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
    let cache = Arc::new(cached(&catalogue));
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
    let cache = cached(&catalogue);
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
    let cache = cached(&catalogue);
    ids(&cache, &[id(5)]).await;
    sleep(FRESH + Duration::from_millis(50)).await;
    ids(&cache, &[id(5)]).await;
    assert_eq!(catalogue.asked(), [id(5), id(5)]);
}

#[tokio::test]
async fn a_fault_is_not_remembered() {
    let catalogue = Slow::new(100);
    let cache = cached(&catalogue);
    assert!(cache.items(&[id(666)]).await.is_err());
    assert!(cache.items(&[id(666)]).await.is_err());
    assert_eq!(catalogue.asked().len(), 2);
    assert_eq!(ids(&cache, &[id(6)]).await, [id(6)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_demand_is_read_again_before_anybody_has_to_wait() {
    let catalogue = Slow::new(1);
    let cache = cached(&catalogue);
    ids(&cache, &[id(1)]).await;
    advance(Duration::from_millis(750)).await;
    // Nobody answers now, and still nobody waits.
    for _ in 0..10 {
        assert_eq!(ids(&cache, &[id(1)]).await, [id(1)]);
        tokio::task::yield_now().await;
    }
    assert_eq!(catalogue.asked(), [id(1), id(1)], "one asks for all");
    catalogue.may_answer.add_permits(1);
    tokio::task::yield_now().await;
    advance(Duration::from_millis(300)).await;
    ids(&cache, &[id(1)]).await;
    assert_eq!(
        catalogue.asked().len(),
        2,
        "the second answer is 300 ms old"
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_ledger_is_away_the_last_known_has_to_do() {
    let catalogue = Slow::new(1_000);
    let cache = cached(&catalogue);
    assert_eq!(ids(&cache, &[id(1), id(44)]).await, [id(1)]);
    catalogue.go_away(true);
    advance(FRESH).await;
    assert_eq!(ids(&cache, &[id(1)]).await, [id(1)]);
    let asked = catalogue.asked().len();
    for _ in 0..100 {
        assert_eq!(ids(&cache, &[id(1)]).await, [id(1)]);
    }
    assert_eq!(
        catalogue.asked().len(),
        asked,
        "not every request asks again"
    );
    assert!(cache.items(&[id(2)]).await.is_err(), "never seen");
    assert!(
        cache.items(&[id(44)]).await.is_err(),
        "there may be one by now"
    );
    advance(KEPT / 2).await;
    assert_eq!(ids(&cache, &[id(1)]).await, [id(1)]);
    advance(KEPT / 2).await;
    assert!(cache.items(&[id(1)]).await.is_err(), "too old");
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_is_not_told_even_while_the_ledger_is_away() {
    let catalogue = Slow::new(1_000);
    let cache = cached(&catalogue);
    ids(&cache, &[id(1)]).await;
    catalogue.go_away(true);
    cache.forget(id(1)).await;
    assert!(cache.items(&[id(1)]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_hangs_holds_nobody_up() {
    let catalogue = Slow::new(1);
    let cache = cached(&catalogue);
    ids(&cache, &[id(1)]).await;
    advance(FRESH).await;
    let mut waited = 0;
    let at_once = Duration::from_millis(1);
    while timeout(at_once, ids(&cache, &[id(1)])).await.is_err() {
        waited += 1;
        assert!(waited <= 3, "by then it is known to be away");
        assert_eq!(ids(&cache, &[id(1)]).await, [id(1)], "the last known");
        advance(FRESH).await;
    }
    assert!(waited > 0);
    for _ in 0..10 {
        let answer = timeout(at_once, ids(&cache, &[id(1)])).await.unwrap();
        assert_eq!(answer, [id(1)]);
        advance(FRESH).await;
    }
    timeout(at_once, cache.items(&[id(2)]))
        .await
        .unwrap()
        .unwrap_err();
}
