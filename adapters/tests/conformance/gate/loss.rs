//! What a loss does, and how it heals.

use super::*;

/// Sells an item out and lets the gate forget it all; returns what the ledger would tell.
async fn sold_out_and_lost(world: &impl World) -> (ItemId, Telling) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(1)).await;
    assert!(is_taken(&buy(gate, buyer(), item, 1).await));
    world.lose_everything().await;
    (item, telling(item, 1, terms(1)))
}

pub async fn refuses_in_doubt_until_it_is_healed(world: &impl World) {
    let gate = &*world.gate();
    let (item, told) = sold_out_and_lost(world).await;
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::NotLoaded(_)
    ));
    gate.load(&[told]).await.unwrap();
    let later = level(gate, item).await.as_of + TimeDelta::hours(1);
    let upcoming = item_near(gate, item);
    let deal = Terms {
        opens_at: Some(later),
        counts_buyers: true,
        ..terms(5)
    };
    let on_sale = item_near(gate, item);
    gate.load(&[telling(upcoming, 0, deal), telling(on_sale, 0, terms(5))])
        .await
        .unwrap();

    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    assert!(
        is_taken(&buy(gate, buyer(), on_sale, 1).await),
        "admissions go on as usual"
    );
    let refused = obstacles(buy(gate, buyer(), upcoming, 1).await);
    assert_eq!(
        refused,
        [Obstacle::NotOpen {
            item: upcoming,
            opens_at: later
        }]
    );

    let shard = gate.shard_of(item);
    assert!(
        !gate.beat(shard, next_beat()).await.unwrap(),
        "the beat went back"
    );
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    gate.healed(shard).await.unwrap();
    assert!(gate.beat(shard, next_beat()).await.unwrap());
    let refused = obstacles(buy(gate, buyer(), item, 1).await);
    assert_eq!(refused, [Obstacle::SoldOut { item, available: 0 }]);
}

pub async fn healing_goes_on_after_another_loss(world: &impl World) {
    let gate = &*world.gate();
    let (item, told) = sold_out_and_lost(world).await;
    let shard = gate.shard_of(item);
    assert!(!gate.beat(shard, next_beat()).await.unwrap());
    gate.load(std::slice::from_ref(&told)).await.unwrap();
    world.lose_everything().await;
    // The keeper has told everything to a gate that has forgotten it again.
    gate.healed(shard).await.unwrap();
    gate.load(&[told]).await.unwrap();
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    assert!(!gate.beat(shard, next_beat()).await.unwrap());
}

/// Reads the feed until nothing more comes.
async fn read_all(gate: &dyn Gate) -> FeedCursor {
    let mut cursor = FeedCursor::default();
    let moment = Duration::from_millis(200);
    while let Ok(changes) = tokio::time::timeout(moment, gate.changes(cursor)).await {
        cursor = changes.unwrap().0;
    }
    cursor
}

pub async fn a_loss_raises_the_epoch(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(5)).await;
    for _ in 0..3 {
        assert!(is_taken(&buy(gate, buyer(), item, 1).await));
    }
    let before = level(gate, item).await;
    world.lose_everything().await;
    gate.load(&[telling(item, 2, terms(5))]).await.unwrap();
    let cursor = read_all(gate).await;
    heal(gate).await;
    let after = level(gate, item).await;
    assert!(
        after.version > before.version,
        "{after:?} counts less, and is newer"
    );
    assert!(after.version.as_u64() > before.version.as_u64());
    let told = async {
        let mut cursor = cursor;
        loop {
            let (next, levels) = gate.changes(cursor).await.unwrap();
            if levels.iter().any(|level| level.version == after.version) {
                return;
            }
            cursor = next;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), told)
        .await
        .expect("readers hear of it");
}
