//! The edge queue.

use super::*;

pub async fn an_entry_waits_until_it_is_settled(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(100)).await;
    let mut entries = Vec::new();
    for _ in 0..3 {
        match buy(gate, buyer(), item, 1).await {
            Reserved::Taken { entry } => entries.push(entry),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(gate.edge_length().await.unwrap(), 3);
    gate.settle(&entries[..2]).await.unwrap();
    gate.settle(&entries[..2]).await.unwrap();
    assert_eq!(gate.edge_length().await.unwrap(), 1);
    gate.settle(&entries[2..]).await.unwrap();
    assert_eq!(gate.edge_length().await.unwrap(), 0);
    assert_eq!(
        available(gate, item).await,
        97,
        "settling gives nothing back"
    );
}

pub async fn the_span_of_the_edge_queue(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(100)).await;
    let shard = gate.shard_of(item);
    assert_eq!(gate.edge_span(shard).await.unwrap(), None);
    let mut entries = Vec::new();
    for _ in 0..3 {
        match buy(gate, buyer(), item, 1).await {
            Reserved::Taken { entry } => entries.push(entry),
            other => panic!("{other:?}"),
        }
    }
    let places: Vec<EdgePlace> = entries.iter().map(|entry| entry.place).collect();
    assert!(places.is_sorted(), "{places:?}");
    let span = gate.edge_span(shard).await.unwrap();
    assert_eq!(span, Some((places[0], places[2])));
    gate.settle(&entries[..1]).await.unwrap();
    let span = gate.edge_span(shard).await.unwrap();
    assert_eq!(span, Some((places[1], places[2])));
}

pub async fn an_entry_is_settled_by_its_own_admission(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(100)).await;
    let Reserved::Taken { entry } = buy(gate, buyer(), item, 1).await else {
        panic!()
    };
    let lost = EntryId {
        admission: AdmissionId(fresh()),
        ..entry
    };
    gate.settle(&[lost]).await.unwrap();
    assert_eq!(
        gate.edge_length().await.unwrap(),
        1,
        "another has its place"
    );
    gate.settle(&[lost, entry]).await.unwrap();
    assert_eq!(gate.edge_length().await.unwrap(), 0);
}

pub async fn stale_entries_are_claimed_by_one(world: &impl World) {
    const AGE_MS: u64 = 200;
    let gate = &*world.gate();
    let item = on_sale(gate, terms(100)).await;
    let mut taken = Vec::new();
    for count in 1..=3 {
        let draft = draft(buyer(), &[(item, count)]);
        let reservation = reservation(gate, &draft);
        let Reserved::Taken { entry } = gate.reserve(&reservation).await.unwrap() else {
            panic!()
        };
        taken.push((entry, reservation));
    }
    assert!(
        gate.claim_stale(60_000, 10).await.unwrap().is_empty(),
        "too young"
    );
    tokio::time::sleep(Duration::from_millis(AGE_MS + 20)).await;
    let mut claimed = gate.claim_stale(AGE_MS, 2).await.unwrap();
    assert_eq!(claimed.len(), 2);
    claimed.extend(gate.claim_stale(AGE_MS, 2).await.unwrap());
    assert!(
        gate.claim_stale(AGE_MS, 2).await.unwrap().is_empty(),
        "all are claimed"
    );
    assert_eq!(claimed.len(), 3);
    for (claimed, (entry, reservation)) in claimed.iter().zip(&taken) {
        assert_eq!(&claimed.id, entry, "oldest first");
        assert_eq!(claimed.draft, reservation.draft);
        assert_eq!(claimed.id.admission, reservation.admission);
        assert_eq!(claimed.units, reservation.units);
    }
    gate.settle(&[claimed[0].id]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(AGE_MS + 20)).await;
    let again = gate.claim_stale(AGE_MS, 10).await.unwrap();
    let ids: Vec<_> = again.iter().map(|entry| &entry.id).collect();
    assert_eq!(
        ids,
        [&taken[1].0, &taken[2].0],
        "whoever claimed them is gone"
    );
}

pub async fn a_full_edge_queue_refuses(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(1_000)).await;
    let mut last = None;
    for _ in 0..EDGE_QUEUE_MAX {
        match buy(gate, buyer(), item, 1).await {
            Reserved::Taken { entry } => last = Some(entry),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        buy(gate, buyer(), item, 1).await,
        Reserved::QueueFull
    ));
    assert_eq!(
        level(gate, item).await.admitted,
        i64::try_from(EDGE_QUEUE_MAX).unwrap()
    );
    gate.settle(&[last.unwrap()]).await.unwrap();
    assert!(is_taken(&buy(gate, buyer(), item, 1).await));
}
