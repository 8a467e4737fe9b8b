//! Levels, and who waits for their changes.

use super::*;

pub async fn levels_rise_with_every_change(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(10)).await;
    let mut last = level(gate, item).await;
    assert!(is_taken(&buy(gate, buyer(), item, 2).await));
    let taken = level(gate, item).await;
    assert!(taken.version > last.version);
    last = taken;
    gate.sync(&[telling(
        item,
        0,
        Terms {
            version: 2,
            ..terms(11)
        },
    )])
    .await
    .unwrap();
    let told = level(gate, item).await;
    assert!(told.version > last.version);
    assert_eq!((told.admitted, told.available()), (2, 9));
    gate.sync(&[telling(
        item,
        0,
        Terms {
            version: 2,
            ..terms(11)
        },
    )])
    .await
    .unwrap();
    assert_eq!(
        level(gate, item).await.version,
        told.version,
        "nothing new, no change"
    );
}

pub async fn the_feed_starts_with_everything(world: &impl World) {
    let gate = &*world.gate();
    let mut items = vec![
        on_sale(gate, terms(10)).await,
        on_sale(gate, terms(20)).await,
    ];
    let (_, levels) = gate.changes(FeedCursor::default()).await.unwrap();
    let mut seen: Vec<_> = levels.iter().map(|level| level.item).collect();
    seen.sort_unstable();
    items.sort_unstable();
    assert_eq!(seen, items);
}

pub async fn a_slow_reader_skips_to_the_newest(world: &impl World) {
    let gate = &*world.gate();
    let (hot, cold) = (
        on_sale(gate, terms(100)).await,
        on_sale(gate, terms(100)).await,
    );
    let (mut cursor, _) = gate.changes(FeedCursor::default()).await.unwrap();
    for round in 1..=3 {
        for _ in 0..5 {
            let Reserved::Taken { entry } = buy(gate, buyer(), hot, 1).await else {
                panic!()
            };
            gate.settle(&[entry]).await.unwrap();
        }
        let mut newest = None;
        // An implementation may tell of the changes in several pieces.
        while newest.is_none_or(|level: Level| level.admitted < 5 * round) {
            let (next, levels) = gate.changes(cursor).await.unwrap();
            assert!(next > cursor);
            assert!(
                levels.iter().all(|level| level.item == hot),
                "{cold:?} did not change"
            );
            newest = levels.last().copied();
            cursor = next;
        }
        assert_eq!(newest.map(|level| level.admitted), Some(5 * round));
    }
}

pub async fn the_feed_wakes_its_readers(world: &impl World) {
    let gate = world.gate();
    let item = on_sale(&*gate, terms(100)).await;
    let (cursor, _) = gate.changes(FeedCursor::default()).await.unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { gate.changes(cursor).await.unwrap().1 })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        readers.iter().all(|reader| !reader.is_finished()),
        "nothing has changed"
    );
    assert!(is_taken(&buy(&*gate, buyer(), item, 1).await));
    for reader in readers {
        let levels = tokio::time::timeout(Duration::from_secs(2), reader).await;
        let levels = levels.expect("woken in time").unwrap();
        assert_eq!(
            levels.iter().map(|level| level.item).collect::<Vec<_>>(),
            [item]
        );
    }
}
