//! What only a Redis can do to a gate.

use std::time::Duration;

use adapters::redis::GateSettings;
use domain::FaultKind;
use domain::gate::{BuyerCount, Obstacle, Reserved, Telling, Terms};
use domain::ports::Gate;
use domain::ports::gate::{FeedCursor, Loading};
use domain::{AccountId, ItemId};

use crate::conformance::{
    available, buy, buyer, draft, fresh, heal, is_taken, item_near, obstacles, on_sale,
    reservation, telling, terms,
};
use crate::proxy::Proxy;
use crate::services::services;
use crate::world::{RedisWorld, gate_settings};

#[tokio::test]
async fn scripts_that_redis_forgot_are_loaded_again() {
    let world = RedisWorld::standalone(1).await;
    let gate = &*world.gate;
    let item = on_sale(gate, terms(10)).await;
    let flush = || {
        let mut server = world.server();
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server).unwrap();
    };
    flush();
    let Reserved::Taken { entry } = buy(gate, buyer(), item, 1).await else {
        panic!()
    };
    flush();
    gate.settle(&[entry]).await.unwrap();
    flush();
    assert_eq!(gate.levels(&[item]).await.unwrap().len(), 1);
    flush();
    let told = [telling(item, 3, terms(10)), telling(item, 4, terms(10))];
    gate.sync(&told).await.unwrap();
    flush();
    gate.load(&told).await.unwrap();
    assert_eq!(available(gate, item).await, 6);
}

#[tokio::test]
async fn another_process_sees_and_hears_the_same() {
    let world = RedisWorld::standalone(1).await;
    let (gate, other) = (world.gate.clone(), world.another().await);
    let item = on_sale(&*gate, terms(10)).await;
    let mut cursor = FeedCursor::default();
    cursor = other.changes(cursor).await.unwrap().cursor;
    assert!(is_taken(&buy(&*gate, buyer(), item, 3).await));
    assert_eq!(available(&*other, item).await, 7);
    other.beat(other.shard_of(item)).await.unwrap();
    let heard = async {
        loop {
            let news = other.changes(cursor).await.unwrap();
            let mut changes = news.changes.iter();
            if changes.any(|change| change.item == item && change.admitted == 3) {
                return;
            }
            cursor = news.cursor;
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(5), heard).await;
    heard.expect("heard in time");
}

#[tokio::test]
async fn a_lock_given_back_wakes_another_process() {
    let world = RedisWorld::standalone(1).await;
    let (gate, other) = (world.gate.clone(), world.another().await);
    let item = ItemId(fresh());
    let Loading::Won(token) = gate.begin_loading(item).await.unwrap() else {
        panic!()
    };
    let waiting = tokio::spawn(async move { other.begin_loading(item).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    gate.end_loading(item, token).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(2), waiting).await;
    assert_eq!(woken.expect("woken in time").unwrap(), Loading::AnotherHas);
}

#[tokio::test]
async fn a_loader_that_dies_is_followed_by_another() {
    let settings = GateSettings {
        load_lease: Duration::from_millis(300),
        ..gate_settings()
    };
    let world = RedisWorld::standalone_with(None, settings).await;
    let gate = &*world.gate;
    let item = ItemId(fresh());
    let Loading::Won(first) = gate.begin_loading(item).await.unwrap() else {
        panic!()
    };
    let waited = gate.begin_loading(item).await.unwrap();
    assert_eq!(waited, Loading::AnotherHas, "until its time was over");
    let Loading::Won(second) = gate.begin_loading(item).await.unwrap() else {
        panic!()
    };
    gate.end_loading(item, first).await.unwrap();
    let mut server = world.server();
    let lock = world.key(&format!("lock:{}", item.0.simple()));
    let held: bool = redis::cmd("EXISTS").arg(&lock).query(&mut server).unwrap();
    assert!(held, "the old token ended nothing");
    gate.end_loading(item, second).await.unwrap();
    let held: bool = redis::cmd("EXISTS").arg(&lock).query(&mut server).unwrap();
    assert!(!held);
}

#[tokio::test]
async fn an_item_that_is_loaded_has_no_loader() {
    let world = RedisWorld::standalone(1).await;
    let item = on_sale(&*world.gate, terms(1)).await;
    for _ in 0..2 {
        let loading = world.gate.begin_loading(item).await.unwrap();
        assert_eq!(loading, Loading::AnotherHas, "at once");
    }
}

#[tokio::test]
async fn refusals_are_doubted_when_no_beat_comes() {
    let settings = GateSettings {
        trust: Duration::from_millis(400),
        ..gate_settings()
    };
    let world = RedisWorld::standalone_with(None, settings).await;
    let gate = &*world.gate;
    let item = on_sale(gate, terms(0)).await;
    let trusted = buy(gate, buyer(), item, 1).await;
    assert!(matches!(trusted, Reserved::Refused(_)), "{trusted:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let doubted = buy(gate, buyer(), item, 1).await;
    assert!(matches!(doubted, Reserved::Healing), "{doubted:?}");
    let late = gate.beat(gate.shard_of(item)).await.unwrap();
    assert!(late.missing_since.is_some(), "nobody looked for so long");
    heal(gate).await;
    let trusted = buy(gate, buyer(), item, 1).await;
    assert!(matches!(trusted, Reserved::Refused(_)), "{trusted:?}");
}

#[tokio::test]
async fn an_item_heals_by_its_own_mark() {
    let world = RedisWorld::standalone(1).await;
    let gate = &*world.gate;
    let trusted = on_sale(gate, terms(0)).await;
    let item = item_near(gate, trusted);
    let shard = gate.shard_of(item);
    gate.load(&[telling(item, 0, terms(0))]).await.unwrap();
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    let sold_out = obstacles(buy(gate, buyer(), trusted, 1).await);
    assert_eq!(sold_out.len(), 1, "the others are not in doubt");

    let marked = gate.healing_items(shard).await.unwrap();
    assert_eq!(
        marked.iter().map(|one| one.item).collect::<Vec<_>>(),
        [item]
    );
    let mut server = world.server();
    let key = world.key(&format!("item:{}", item.0.simple()));
    redis::cmd("DEL").arg(key).exec(&mut server).unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    gate.load(&[telling(item, 0, terms(0))]).await.unwrap();
    let beat = gate.beat(shard).await.unwrap();
    assert!(gate.heal(shard, beat, false, &marked).await.unwrap());
    assert!(
        matches!(buy(gate, buyer(), item, 1).await, Reserved::Healing),
        "it was loaded again since"
    );
    let marked = gate.healing_items(shard).await.unwrap();
    assert!(gate.heal(shard, beat, false, &marked).await.unwrap());
    let refused = obstacles(buy(gate, buyer(), item, 1).await);
    assert_eq!(refused, [Obstacle::SoldOut { item, available: 0 }]);
    assert_eq!(gate.healing_items(shard).await.unwrap(), []);
}

#[tokio::test]
async fn an_item_begins_with_all_its_buyers() {
    let world = RedisWorld::standalone(1).await;
    let gate = &*world.gate;
    let mut buyers: Vec<_> = (0..1_200)
        .map(|_| BuyerCount {
            buyer: buyer(),
            admitted: 2,
            released: 1,
        })
        .collect();
    buyers.sort_unstable_by_key(|count| count.buyer);
    let item = ItemId(fresh());
    let deal = Terms {
        limit: Some(1),
        counts_buyers: true,
        ..terms(10_000)
    };
    let told = Telling {
        item,
        admitted: 2_400,
        terms: deal,
        buyers: buyers.clone(),
    };
    gate.load(std::slice::from_ref(&told)).await.unwrap();
    heal(gate).await;
    let mut counted = gate.buyers(item).await.unwrap();
    counted.sort_unstable_by_key(|count| count.buyer);
    assert_eq!(counted, buyers);
    for BuyerCount { buyer, .. } in [buyers[0], buyers[600], buyers[1_199]] {
        let refused = obstacles(buy(gate, buyer, item, 1).await);
        assert!(matches!(refused[..], [Obstacle::Limit { held: 1, .. }]));
    }
    let more = Telling {
        terms: Terms { version: 2, ..deal },
        buyers: buyers
            .iter()
            .map(|count| BuyerCount {
                released: 2,
                ..*count
            })
            .collect(),
        ..told
    };
    gate.sync(&[more]).await.unwrap();
    for BuyerCount { buyer, .. } in [buyers[0], buyers[600], buyers[1_199]] {
        assert!(is_taken(&buy(gate, buyer, item, 1).await));
    }
}

#[tokio::test]
async fn a_call_that_is_run_again_takes_once() {
    let world = RedisWorld::standalone(1).await;
    let gate = &*world.gate;
    let item = on_sale(gate, terms(10)).await;
    let reservation = reservation(gate, &draft(buyer(), &[(item, 2)]));
    let Reserved::Taken { entry } = gate.reserve(&reservation).await.unwrap() else {
        panic!()
    };
    let Reserved::Taken { entry: again } = gate.reserve(&reservation).await.unwrap() else {
        panic!("its caller never heard of the first")
    };
    assert_eq!((again, available(gate, item).await), (entry, 8));
}

#[tokio::test]
async fn replicas_are_asked_for_an_entry() {
    let replicated = RedisWorld::sentinel(1).await;
    let alone = RedisWorld::standalone(1).await;
    for (world, expected) in [(&replicated, true), (&alone, false)] {
        let gate = &*world.gate;
        let item = on_sale(gate, terms(10)).await;
        let Reserved::Taken { entry } = buy(gate, buyer(), item, 1).await else {
            panic!()
        };
        assert_eq!(gate.is_replicated(&entry).await.unwrap(), expected);
        gate.settle(&[entry]).await.unwrap();
        assert!(!gate.is_replicated(&entry).await.unwrap(), "it is gone");
    }
}

#[tokio::test]
async fn a_connection_comes_back() {
    let proxy = Proxy::to(&services().redis.standalone.url).await;
    let world = RedisWorld::standalone_with(Some(proxy.address()), gate_settings()).await;
    let gate = &*world.gate;
    let item = on_sale(gate, terms(100)).await;
    let cursor = gate.changes(FeedCursor::default()).await.unwrap().cursor;
    for round in 1..=3 {
        proxy.cut();
        assert!(is_taken(&buy(gate, buyer(), item, 1).await), "at once");
        assert_eq!(available(gate, item).await, 100 - round);
        gate.sync(&[telling(item, 0, terms(100))]).await.unwrap();
    }
    let told = async {
        let mut cursor = cursor;
        loop {
            let news = gate.changes(cursor).await.unwrap();
            if news.gap {
                return;
            }
            cursor = news.cursor;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(5), told).await;
    told.expect("whoever hears is sent to read");
}

#[tokio::test]
async fn a_gate_that_is_away_says_so_at_once() {
    let proxy = Proxy::to(&services().redis.standalone.url).await;
    let world = RedisWorld::standalone_with(Some(proxy.address()), gate_settings()).await;
    let gate = &*world.gate;
    let item = on_sale(gate, terms(100)).await;
    let sound = reservation(gate, &draft(AccountId(fresh()), &[(item, 1)]));
    proxy.close();
    for _ in 0..3 {
        let asked = tokio::time::timeout(Duration::from_secs(2), gate.reserve(&sound)).await;
        let fault = asked.expect("an answer in time").unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable, "{}", fault.detail());
    }
}
