//! Live stock, and the feed behind it. The clock is tokio's, which runs ahead whenever all wait.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::gate::{Level, LevelVersion};
use domain::item::Kind;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::world::{World, at, deal};
use crate::graphql::feeds::stock::StockFeed;
use crate::graphql::ids::GlobalId;
use crate::graphql::objects::stock::phase;

/// Long enough for whatever is on its way, short of what is not to come.
const SOON: Duration = Duration::from_millis(300);

/// A feed that is followed until the test ends.
fn feed(world: &Arc<World>) -> Arc<StockFeed> {
    let feed = Arc::new(StockFeed::new(world.ports()));
    let followed = Arc::clone(&feed);
    tokio::spawn(async move { followed.follow(&CancellationToken::new()).await });
    feed
}

#[tokio::test(start_paused = true)]
async fn the_first_event_is_the_present_stock_and_the_next_a_newer() {
    let world = World::new();
    let id = world.add_item(1, 10, Kind::General);
    world.take(id, 4);
    let feed = feed(&world);
    let mut levels = feed.watch(&[id]).await.unwrap();
    let first = levels.next().await.unwrap();
    assert_eq!(first.available(), 6);
    assert!(timeout(SOON, levels.next()).await.is_err());
    world.take(id, 1);
    let next = timeout(SOON, levels.next()).await.unwrap().unwrap();
    assert_eq!(next.available(), 5);
    assert!(next.version > first.version);
}

#[tokio::test(start_paused = true)]
async fn many_changes_are_at_most_ten_a_second_and_end_with_the_newest() {
    let world = World::new();
    let id = world.add_item(1, 100_000, Kind::General);
    let feed = feed(&world);
    let mut levels = feed.watch(&[id]).await.unwrap();
    let taking = Arc::clone(&world);
    tokio::spawn(async move {
        for _ in 0..2_000 {
            taking.take(id, 1);
            sleep(Duration::from_millis(1)).await;
        }
    });
    let (began, mut seen) = (Instant::now(), Vec::new());
    while let Ok(Some(level)) = timeout(SOON, levels.next()).await {
        seen.push((began.elapsed(), level));
    }
    assert_eq!(seen.last().unwrap().1.available(), 98_000);
    assert!(
        seen.windows(2)
            .all(|pair| pair[0].1.version < pair[1].1.version)
    );
    assert!(
        (15..=24).contains(&seen.len()),
        "{} events in two seconds",
        seen.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_skips_to_the_newest() {
    let world = World::new();
    let id = world.add_item(1, 100, Kind::General);
    let feed = feed(&world);
    let mut levels = feed.watch(&[id]).await.unwrap();
    assert_eq!(levels.next().await.unwrap().available(), 100);
    for _ in 0..20 {
        world.take(id, 1);
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(levels.next().await.unwrap().available(), 80);
    assert!(timeout(SOON, levels.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_deal_that_opens_and_closes_is_seen_without_any_order() {
    let world = World::new();
    let id = world.add_item(1, 10, deal(60, Some(120)));
    let other = world.add_item(2, 10, deal(90, None));
    let feed = feed(&world);
    let mut levels = feed.watch(&[id, other]).await.unwrap();
    let mut seen = Vec::new();
    while let Ok(Some(level)) = timeout(Duration::from_secs(200), levels.next()).await {
        let late = level.as_of - at(level.as_of.timestamp());
        assert!(late.num_milliseconds() < 200, "{late}");
        seen.push((
            level.item == id,
            level.as_of.timestamp(),
            phase(&level).unwrap(),
        ));
    }
    seen.sort_unstable_by_key(|(first, second, _)| (*second, !*first));
    let shown: Vec<String> = seen
        .iter()
        .map(|(first, second, phase)| format!("{first} {second} {phase:?}"))
        .collect();
    assert_eq!(
        shown,
        [
            "true 0 Upcoming",
            "false 0 Upcoming",
            "true 60 Open",
            "false 90 Open",
            "true 120 Closed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn versions_never_fall_until_the_gate_says_that_it_lost_some() {
    let world = World::new();
    let id = world.add_item(1, 10, Kind::General);
    world.take(id, 5);
    let feed = feed(&world);
    let mut levels = feed.watch(&[id]).await.unwrap();
    let first = levels.next().await.unwrap();
    let lost = Level {
        admitted: 2,
        version: LevelVersion {
            epoch: 0,
            count: first.version.count - 3,
        },
        ..first
    };
    world.set_level(lost);
    assert!(timeout(SOON, levels.next()).await.is_err());
    let version = LevelVersion {
        epoch: 1,
        ..lost.version
    };
    world.set_level(Level { version, ..lost });
    let healed = timeout(SOON, levels.next()).await.unwrap().unwrap();
    assert_eq!(healed.available(), 8);
    assert!(healed.version.as_u64() > first.version.as_u64());
}

#[tokio::test(start_paused = true)]
async fn a_feed_goes_on_after_an_interruption() {
    let world = World::new();
    let id = world.add_item(1, 10, Kind::General);
    let feed = feed(&world);
    let mut levels = feed.watch(&[id]).await.unwrap();
    levels.next().await.unwrap();
    world.away.store(true, Ordering::SeqCst);
    world.take(id, 1);
    assert!(timeout(SOON, levels.next()).await.is_err());
    assert!(feed.watch(&[super::world::item_id(2)]).await.is_err());
    world.away.store(false, Ordering::SeqCst);
    let next = timeout(Duration::from_secs(2), levels.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.available(), 9);
}

const STOCK: &str = "subscription($ids: [ID!]!) { stockChanged(itemIds: $ids) {
    itemId stock { total available version } phase serverTime } }";

#[tokio::test]
async fn stock_is_watched_by_anybody_and_only_of_items_that_are_there() {
    let world = World::new();
    let id = world.add_item(1, 10, deal(-5, None));
    let client = Client::new(&world);
    let shutdown = client.follow();
    let global = id.to_global().to_string();
    let mut events = client
        .watch(STOCK, json!({ "ids": [global, global] }))
        .await;
    let first = events.next().await.unwrap();
    let change = &first["data"]["stockChanged"];
    assert_eq!(change["itemId"], global);
    assert_eq!(
        change["stock"],
        json!({ "total": 10, "available": 10, "version": 1 })
    );
    assert_eq!(change["phase"], "OPEN");
    world.take(id, 2);
    let next = events.next().await.unwrap();
    assert_eq!(next["data"]["stockChanged"]["stock"]["available"], 8);

    let unknown = super::world::item_id(9).to_global().to_string();
    for (ids, code) in [
        (json!([]), "BAD_USER_INPUT"),
        (json!(vec![global.clone(); 101]), "BAD_USER_INPUT"),
        (json!([global, unknown]), "NOT_FOUND"),
        (json!(["x"]), "NOT_FOUND"),
    ] {
        let events = client.watch(STOCK, json!({ "ids": ids })).await;
        let events: Vec<Value> = events.collect().await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["errors"][0]["extensions"]["code"], code);
    }
    shutdown.cancel();
}
