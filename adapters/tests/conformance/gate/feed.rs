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

/// What a reader hears until nothing more comes, and where it stands then.
pub(super) async fn hear_all(gate: &dyn Gate) -> FeedCursor {
    let mut cursor = FeedCursor::default();
    let moment = Duration::from_millis(200);
    while let Ok(news) = tokio::time::timeout(moment, gate.changes(cursor)).await {
        cursor = news.unwrap().cursor;
    }
    cursor
}

/// The next news of an item, for a reader that stands at `cursor`.
async fn next_of(gate: &dyn Gate, cursor: &mut FeedCursor, item: ItemId) -> Change {
    let next = async {
        loop {
            let News {
                cursor: next,
                gap,
                changes,
            } = gate.changes(*cursor).await.unwrap();
            assert!(next > *cursor && !gap);
            *cursor = next;
            if let Some(change) = changes.into_iter().find(|change| change.item == item) {
                return change;
            }
        }
    };
    let next = tokio::time::timeout(Duration::from_secs(5), next).await;
    next.expect("heard in time")
}

pub async fn the_feed_starts_with_a_gap(world: &impl World) {
    let gate = world.gate();
    let news = gate.changes(FeedCursor::default()).await.unwrap();
    assert!(news.gap, "whoever knows nothing has to read");
    on_sale(&*gate, terms(10)).await;
    let _beating = Beating::of(&gate);
    let news = gate.changes(FeedCursor::default()).await.unwrap();
    assert!(news.gap, "also later");
}

pub async fn a_slow_reader_skips_to_the_newest(world: &impl World) {
    let gate = world.gate();
    let (hot, cold) = (
        on_sale(&*gate, terms(100)).await,
        on_sale(&*gate, terms(100)).await,
    );
    let _beating = Beating::of(&gate);
    let start = hear_all(&*gate).await;
    let mut cursor = start;
    for round in 1..=3 {
        for _ in 0..5 {
            let Reserved::Taken { entry } = buy(&*gate, buyer(), hot, 1).await else {
                panic!()
            };
            gate.settle(&[entry]).await.unwrap();
        }
        // An implementation may tell of the changes in several pieces.
        while next_of(&*gate, &mut cursor, hot).await.admitted < 5 * round {}
    }
    let news = gate.changes(start).await.unwrap();
    let heard: Vec<_> = news.changes.iter().map(|change| change.item).collect();
    assert_eq!(heard, [hot], "{cold:?} did not change");
    let seen = level(&*gate, hot).await;
    let change = news.changes[0];
    assert_eq!((change.admitted, change.version), (15, seen.version));
    assert_eq!(change.of(&seen).map(|level| level.available()), Some(85));
}

pub async fn news_of_other_terms_has_to_be_read(world: &impl World) {
    let gate = world.gate();
    let item = on_sale(&*gate, terms(10)).await;
    let _beating = Beating::of(&gate);
    let mut cursor = hear_all(&*gate).await;
    let seen = level(&*gate, item).await;
    let newer = Terms {
        version: 2,
        ..terms(11)
    };
    gate.sync(&[telling(item, 0, newer)]).await.unwrap();
    let change = next_of(&*gate, &mut cursor, item).await;
    assert!(change.version > seen.version);
    assert_eq!(change.of(&seen), None);
}

pub async fn the_feed_wakes_its_readers(world: &impl World) {
    let gate = world.gate();
    let item = on_sale(&*gate, terms(100)).await;
    let _beating = Beating::of(&gate);
    let cursor = hear_all(&*gate).await;
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { gate.changes(cursor).await.unwrap().changes })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        readers.iter().all(|reader| !reader.is_finished()),
        "nothing has changed"
    );
    assert!(is_taken(&buy(&*gate, buyer(), item, 1).await));
    for reader in readers {
        let changes = tokio::time::timeout(Duration::from_secs(2), reader).await;
        let changes = changes.expect("woken in time").unwrap();
        assert_eq!(
            changes.iter().map(|change| change.item).collect::<Vec<_>>(),
            [item]
        );
    }
}
