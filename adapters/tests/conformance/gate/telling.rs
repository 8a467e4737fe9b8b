//! What the ledger tells.

use super::*;

pub async fn the_newest_terms_win(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(5)).await;
    let newest = Terms {
        ceiling: 2,
        paused: true,
        version: 7,
        ..terms(0)
    };
    gate.sync(&[telling(item, 0, newest)]).await.unwrap();
    for version in [1, 6, 7] {
        gate.sync(&[telling(
            item,
            0,
            Terms {
                version,
                ..terms(50)
            },
        )])
        .await
        .unwrap();
        gate.load(&[telling(
            item,
            0,
            Terms {
                version,
                ..terms(50)
            },
        )])
        .await
        .unwrap();
        assert_eq!(level(gate, item).await.terms, newest, "told late, or again");
    }
    let back = Terms {
        ceiling: 3,
        version: 8,
        ..terms(0)
    };
    gate.sync(&[telling(item, 0, back)]).await.unwrap();
    assert_eq!(level(gate, item).await.terms, back);
}

pub async fn nothing_is_ever_lowered(world: &impl World) {
    let gate = &*world.gate();
    let deal = Terms {
        limit: Some(4),
        counts_buyers: true,
        ..terms(10)
    };
    let item = on_sale(gate, deal).await;
    let buyer = buyer();
    assert!(is_taken(&buy(gate, buyer, item, 3).await));
    let told = |admitted, released, version| Telling {
        item,
        admitted,
        terms: Terms { version, ..deal },
        buyers: vec![BuyerCount {
            buyer,
            admitted,
            released,
        }],
    };
    gate.sync(&[told(2, 1, 2)]).await.unwrap();
    assert_eq!(level(gate, item).await.admitted, 3);
    let counted = BuyerCount {
        buyer,
        admitted: 3,
        released: 1,
    };
    assert_eq!(gate.buyers(item).await.unwrap(), [counted]);
    gate.sync(&[told(5, 0, 3), told(1, 0, 3), told(5, 0, 3)])
        .await
        .unwrap();
    assert_eq!(level(gate, item).await.admitted, 5, "the ledger's floor");
    let counted = BuyerCount {
        buyer,
        admitted: 5,
        released: 1,
    };
    assert_eq!(gate.buyers(item).await.unwrap(), [counted]);
}

pub async fn a_limit_holds_over_orders(world: &impl World) {
    let gate = &*world.gate();
    let deal = Terms {
        limit: Some(3),
        counts_buyers: true,
        ..terms(100)
    };
    let item = on_sale(gate, deal).await;
    let (greedy, other) = (buyer(), buyer());
    assert!(is_taken(&buy(gate, greedy, item, 2).await));
    let refused = obstacles(buy(gate, greedy, item, 2).await);
    assert_eq!(
        refused,
        [Obstacle::Limit {
            item,
            limit: 3,
            held: 2,
            remaining: 1
        }]
    );
    assert!(is_taken(&buy(gate, greedy, item, 1).await));
    assert!(is_taken(&buy(gate, other, item, 3).await));

    // Two of the first buyer's units came back.
    let buyers = vec![BuyerCount {
        buyer: greedy,
        admitted: 3,
        released: 2,
    }];
    let terms = Terms {
        ceiling: 102,
        version: 2,
        ..deal
    };
    gate.sync(&[Telling {
        item,
        admitted: 6,
        terms,
        buyers,
    }])
    .await
    .unwrap();
    let refused = obstacles(buy(gate, greedy, item, 3).await);
    assert_eq!(
        refused,
        [Obstacle::Limit {
            item,
            limit: 3,
            held: 1,
            remaining: 2
        }]
    );
    assert!(is_taken(&buy(gate, greedy, item, 2).await));
    let lower = Terms {
        limit: Some(1),
        version: 3,
        ..terms
    };
    gate.sync(&[telling(item, 0, lower)]).await.unwrap();
    let refused = obstacles(buy(gate, greedy, item, 1).await);
    assert_eq!(
        refused,
        [Obstacle::Limit {
            item,
            limit: 1,
            held: 3,
            remaining: 0
        }]
    );
}

pub async fn buyers_are_counted_before_there_is_a_limit(world: &impl World) {
    let gate = &*world.gate();
    let deal = Terms {
        counts_buyers: true,
        ..terms(100)
    };
    let item = on_sale(gate, deal).await;
    let buyer = buyer();
    assert!(is_taken(&buy(gate, buyer, item, 5).await));
    let limited = Terms {
        limit: Some(6),
        version: 2,
        ..deal
    };
    gate.sync(&[telling(item, 0, limited)]).await.unwrap();
    let refused = obstacles(buy(gate, buyer, item, 2).await);
    assert_eq!(
        refused,
        [Obstacle::Limit {
            item,
            limit: 6,
            held: 5,
            remaining: 1
        }]
    );

    let general = on_sale(gate, terms(100)).await;
    assert!(is_taken(&buy(gate, buyer, general, 5).await));
    assert_eq!(
        gate.buyers(general).await.unwrap(),
        [],
        "nobody asks how many they have"
    );
}

pub async fn only_a_load_makes_an_item_known(world: &impl World) {
    let gate = &*world.gate();
    let item = ItemId(fresh());
    let buyers = vec![BuyerCount {
        buyer: buyer(),
        admitted: 4,
        released: 1,
    }];
    let deal = Terms {
        counts_buyers: true,
        ..terms(9)
    };
    let told = Telling {
        item,
        admitted: 4,
        terms: deal,
        buyers: buyers.clone(),
    };
    let unknown = gate.sync(std::slice::from_ref(&told)).await.unwrap();
    assert_eq!(unknown, [item]);
    assert_eq!(gate.exact_levels(&[item]).await.unwrap(), []);
    gate.load(std::slice::from_ref(&told)).await.unwrap();
    assert_eq!(gate.sync(&[told]).await.unwrap(), [], "it is known now");
    let level = level(gate, item).await;
    assert_eq!((level.admitted, level.terms), (4, deal));
    assert_eq!(gate.buyers(item).await.unwrap(), buyers);
}

pub async fn told_receipts_answer_too(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(10)).await;
    let draft = draft(buyer(), &[(item, 1)]);
    let told = Receipt {
        order: draft.order,
        fingerprint: draft.fingerprint,
        admission: AdmissionId(fresh()),
        draft: None,
    };
    let shard = gate.shard_of(item);
    gate.tell_receipts(shard, std::slice::from_ref(&told))
        .await
        .unwrap();
    let Reserved::Known {
        receipt,
        entry: None,
    } = reserve(gate, &draft).await
    else {
        panic!()
    };
    assert_eq!(receipt, told);
    assert_eq!(available(gate, item).await, 10);

    let another = Receipt {
        admission: AdmissionId(fresh()),
        ..told.clone()
    };
    gate.tell_receipts(shard, &[another]).await.unwrap();
    let remembered = gate.receipt(draft.order).await.unwrap();
    assert_eq!(
        remembered,
        Recall::Receipt(told),
        "what is remembered stays as it is"
    );
}

pub async fn one_caller_loads_an_item(world: &impl World) {
    let gate = world.gate();
    let item = ItemId(fresh());
    let Loading::Won(token) = gate.begin_loading(item).await.unwrap() else {
        panic!()
    };
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { gate.begin_loading(item).await.unwrap() })
        })
        .collect();
    let other = ItemId(fresh());
    let Loading::Won(others) = gate.begin_loading(other).await.unwrap() else {
        panic!("other items go on")
    };
    gate.end_loading(item, others).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(
        waiting.iter().all(|task| !task.is_finished()),
        "it was another item's token"
    );

    gate.load(&[telling(item, 0, terms(5))]).await.unwrap();
    gate.end_loading(item, token).await.unwrap();
    for task in waiting {
        let loading = tokio::time::timeout(Duration::from_secs(2), task).await;
        assert_eq!(
            loading.expect("woken in time").unwrap(),
            Loading::AnotherHas
        );
    }
    gate.end_loading(other, others).await.unwrap();
    let Loading::Won(_) = gate.begin_loading(other).await.unwrap() else {
        panic!("whoever held it gave up without loading")
    };
}
