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
    let lost = gate.beat(shard).await.unwrap();
    assert!(lost.missing_since.is_some(), "the beat went back");
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    let items = gate.healing_items(shard).await.unwrap();
    assert!(gate.heal(shard, lost, true, &items).await.unwrap());
    let steady = gate.beat(shard).await.unwrap();
    assert_eq!((steady.missing_since, steady.epoch), (None, lost.epoch));
    let refused = obstacles(buy(gate, buyer(), item, 1).await);
    assert_eq!(refused, [Obstacle::SoldOut { item, available: 0 }]);
}

pub async fn what_it_may_have_forgotten_it_does_not_deny(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(1)).await;
    let (order, shard) = (OrderId(fresh()), gate.shard_of(item));
    assert_eq!(gate.receipt(order).await.unwrap(), Recall::Nothing);
    world.lose_everything().await;
    assert_eq!(gate.receipt(order).await.unwrap(), Recall::Unsure);
    assert!(gate.beat(shard).await.unwrap().missing_since.is_some());
    assert_eq!(gate.receipt(order).await.unwrap(), Recall::Unsure);
    heal(gate).await;
    assert_eq!(gate.receipt(order).await.unwrap(), Recall::Nothing);
}

pub async fn healing_goes_on_after_another_loss(world: &impl World) {
    let gate = &*world.gate();
    let (item, told) = sold_out_and_lost(world).await;
    let shard = gate.shard_of(item);
    gate.load(std::slice::from_ref(&told)).await.unwrap();
    let lost = gate.beat(shard).await.unwrap();
    assert!(lost.missing_since.is_some());
    world.lose_everything().await;
    // The keeper has told everything to a gate that has forgotten it again.
    let items = gate.healing_items(shard).await.unwrap();
    assert!(!gate.heal(shard, lost, true, &items).await.unwrap());
    gate.load(&[told]).await.unwrap();
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::Healing
    ));
    let again = gate.beat(shard).await.unwrap();
    assert!(again.missing_since.is_some() && again.epoch > lost.epoch);
    assert!(
        !gate.heal(shard, lost, true, &items).await.unwrap(),
        "told before this loss"
    );
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
    let mut cursor = feed::hear_all(gate).await;
    heal(gate).await;
    let after = level(gate, item).await;
    assert!(
        after.version > before.version,
        "{after:?} counts less, and is newer"
    );
    assert!(after.version.as_u64() > before.version.as_u64());
    let told = async {
        loop {
            let news = gate.changes(cursor).await.unwrap();
            let mut changes = news.changes.iter();
            if news.gap || changes.any(|change| change.version == after.version) {
                return;
            }
            cursor = news.cursor;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), told)
        .await
        .expect("readers hear of it");
}
