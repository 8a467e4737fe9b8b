//! Many at once.

use super::*;

pub async fn a_crowd_gets_exactly_what_there_is(world: &impl World) {
    let gate = world.gate();
    let item = on_sale(&*gate, terms(100)).await;
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for _ in 0..10 {
                    taken += i64::from(insist(&*gate, item).await);
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for buyer in crowd {
        taken += buyer.await.unwrap();
    }
    assert_eq!((taken, level(&*gate, item).await.admitted), (100, 100));
}

/// Buys one unit, trying again while the edge queue is full; whether there was one.
async fn insist(gate: &dyn Gate, item: ItemId) -> bool {
    loop {
        match buy(gate, buyer(), item, 1).await {
            Reserved::Taken { entry } => {
                gate.settle(&[entry]).await.unwrap();
                return true;
            }
            Reserved::Refused(_) => return false,
            Reserved::QueueFull => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

pub async fn a_buyer_in_a_hurry_stays_within_the_limit(world: &impl World) {
    let gate = world.gate();
    let deal = Terms {
        limit: Some(3),
        counts_buyers: true,
        ..terms(100)
    };
    let item = on_sale(&*gate, deal).await;
    let buyer = buyer();
    let tabs: Vec<_> = (0..30)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { is_taken(&buy(&*gate, buyer, item, 1).await) })
        })
        .collect();
    let mut taken = 0;
    for tab in tabs {
        taken += i64::from(tab.await.unwrap());
    }
    assert_eq!((taken, level(&*gate, item).await.admitted), (3, 3));
}
