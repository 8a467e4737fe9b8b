//! How units are taken.

use super::*;

pub async fn takes_until_nothing_is_left(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(3)).await;
    assert!(is_taken(&buy(gate, buyer(), item, 2).await));
    assert_eq!(available(gate, item).await, 1);
    let refused = obstacles(buy(gate, buyer(), item, 2).await);
    assert_eq!(refused, [Obstacle::SoldOut { item, available: 1 }]);
    assert!(is_taken(&buy(gate, buyer(), item, 1).await));
    let refused = obstacles(buy(gate, buyer(), item, 1).await);
    assert_eq!(refused, [Obstacle::SoldOut { item, available: 0 }]);
    assert_eq!(available(gate, item).await, 0);
}

pub async fn takes_every_line_or_none(world: &impl World) {
    let gate = &*world.gate();
    let (short, open) = neighbours_on_sale(gate, terms(1), terms(9)).await;
    let wanted = draft(buyer(), &[(open, 2), (short, 2)]);
    let refused = obstacles(reserve(gate, &wanted).await);
    let sold_out = Obstacle::SoldOut {
        item: short,
        available: 1,
    };
    assert_eq!(refused, [sold_out]);
    assert_eq!(available(gate, open).await, 9);
    let recalled = gate.receipt(wanted.order).await.unwrap();
    assert_eq!(recalled, Recall::Nothing);
    assert_eq!(gate.edge_length().await.unwrap(), 0);

    let both = draft(buyer(), &[(open, 9), (short, 1)]);
    assert!(is_taken(&reserve(gate, &both).await));
    assert_eq!(available(gate, open).await, 0);
    assert_eq!(available(gate, short).await, 0);
}

pub async fn reports_every_line_in_the_way(world: &impl World) {
    let gate = &*world.gate();
    let at = now(gate).await;
    let (opens_at, closed_at) = (at + TimeDelta::hours(1), at - TimeDelta::hours(1));
    let items = neighbours(gate, 6);
    let [sold_out, upcoming, closed, paused, limited, open] = items[..] else {
        panic!()
    };
    let deal = Terms {
        counts_buyers: true,
        ..terms(9)
    };
    let upcoming_terms = Terms {
        opens_at: Some(opens_at),
        ..deal
    };
    let closed_terms = Terms {
        closes_at: Some(closed_at),
        ..deal
    };
    let all = [
        telling(sold_out, 8, terms(9)),
        telling(upcoming, 0, upcoming_terms),
        telling(closed, 0, closed_terms),
        telling(
            paused,
            0,
            Terms {
                paused: true,
                ..deal
            },
        ),
        telling(
            limited,
            0,
            Terms {
                limit: Some(1),
                ..deal
            },
        ),
        telling(open, 0, terms(9)),
    ];
    gate.load(&all).await.unwrap();
    heal(gate).await;
    let lines: Vec<_> = items.iter().map(|item| (*item, 2)).collect();
    let refused = obstacles(reserve(gate, &draft(buyer(), &lines)).await);
    let limit = Obstacle::Limit {
        item: limited,
        limit: 1,
        held: 0,
        remaining: 1,
    };
    let expected = [
        Obstacle::SoldOut {
            item: sold_out,
            available: 1,
        },
        Obstacle::NotOpen {
            item: upcoming,
            opens_at,
        },
        Obstacle::Closed {
            item: closed,
            closed_at,
        },
        Obstacle::Paused { item: paused },
        limit,
    ];
    assert_eq!(refused, expected, "in the order of the items");
}

pub async fn knows_an_order_by_its_receipt(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(10)).await;
    let draft = draft(buyer(), &[(item, 2)]);
    let first = reservation(gate, &draft);
    let Reserved::Taken { entry } = gate.reserve(&first).await.unwrap() else {
        panic!()
    };

    let again = reserve(gate, &draft).await;
    let Reserved::Known {
        receipt,
        entry: queued,
    } = again
    else {
        panic!("{again:?}")
    };
    let expected = Receipt {
        order: draft.order,
        fingerprint: draft.fingerprint,
        admission: first.admission,
        draft: Some(draft.clone()),
    };
    assert_eq!(receipt, expected);
    assert_eq!(queued, Some(entry), "the log may not have it yet");
    let remembered = gate.receipt(draft.order).await.unwrap();
    assert_eq!(remembered, Recall::Receipt(expected));
    assert_eq!(available(gate, item).await, 8, "a retry takes nothing");

    gate.settle(&[entry]).await.unwrap();
    let Reserved::Known { entry: None, .. } = reserve(gate, &draft).await else {
        panic!()
    };
    let recalled = gate.receipt(OrderId(fresh())).await.unwrap();
    assert_eq!(recalled, Recall::Nothing);
}

pub async fn a_receipt_comes_before_every_other_check(world: &impl World) {
    let gate = &*world.gate();
    let limited = Terms {
        limit: Some(1),
        counts_buyers: true,
        ..terms(1)
    };
    let item = on_sale(gate, limited).await;
    let draft = draft(buyer(), &[(item, 1)]);
    assert!(is_taken(&reserve(gate, &draft).await));
    let other = item_near(gate, item);
    gate.load(&[telling(other, 0, terms(1_000))]).await.unwrap();
    heal(gate).await;
    for _ in 1..EDGE_QUEUE_MAX {
        assert!(is_taken(&buy(gate, buyer(), other, 1).await));
    }
    let closed = Terms {
        closes_at: Some(level(gate, item).await.as_of - TimeDelta::hours(1)),
        paused: true,
        version: 2,
        ..limited
    };
    gate.sync(&[telling(item, 1, closed)]).await.unwrap();
    // Sold out, at its limit, paused, closed, and the queue is full.
    assert!(matches!(
        reserve(gate, &draft).await,
        Reserved::Known { .. }
    ));
}

pub async fn reports_what_it_does_not_know(world: &impl World) {
    let gate = &*world.gate();
    let known = on_sale(gate, terms(5)).await;
    let mut unknown = vec![item_near(gate, known), item_near(gate, known)];
    unknown.sort_unstable();
    let lines = [(known, 1), (unknown[0], 1), (unknown[1], 1)];
    let answer = reserve(gate, &draft(buyer(), &lines)).await;
    let Reserved::NotLoaded(items) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(items, unknown);
    assert_eq!(available(gate, known).await, 5);

    let refused = reserve(gate, &draft(buyer(), &[(known, 6), (unknown[0], 1)])).await;
    assert_eq!(
        obstacles(refused),
        [Obstacle::SoldOut {
            item: known,
            available: 5
        }]
    );
}

pub async fn a_window_is_compared_by_the_gates_clock(world: &impl World) {
    let gate = &*world.gate();
    let at = now(gate).await;
    let hour = TimeDelta::hours(1);
    let deal = Terms {
        counts_buyers: true,
        ..terms(5)
    };
    let window = |opens_at, closes_at| Terms {
        opens_at,
        closes_at,
        ..deal
    };
    let open = on_sale(gate, window(Some(at - hour), Some(at + hour))).await;
    assert!(is_taken(&buy(gate, buyer(), open, 1).await));
    let early = on_sale(gate, window(Some(at + hour), None)).await;
    let refused = obstacles(buy(gate, buyer(), early, 1).await);
    assert_eq!(
        refused,
        [Obstacle::NotOpen {
            item: early,
            opens_at: at + hour
        }]
    );
    let late = on_sale(gate, window(Some(at - hour), Some(at))).await;
    let refused = obstacles(buy(gate, buyer(), late, 1).await);
    assert_eq!(
        refused,
        [Obstacle::Closed {
            item: late,
            closed_at: at
        }]
    );
}

pub async fn what_makes_no_sense_is_a_fault(world: &impl World) {
    let gate = &*world.gate();
    let item = on_sale(gate, terms(10)).await;
    let sound = reservation(gate, &draft(buyer(), &[(item, 1)]));
    let wrong = [
        vec![],
        vec![Units { item, count: 0 }],
        vec![Units { item, count: 1 }, Units { item, count: 1 }],
    ];
    for units in wrong {
        let reservation = Reservation {
            units,
            ..sound.clone()
        };
        assert!(gate.reserve(&reservation).await.is_err());
    }
    let nowhere = Reservation {
        shard: Shard(u16::MAX),
        ..sound.clone()
    };
    assert!(gate.reserve(&nowhere).await.is_err());
    assert_eq!(available(gate, item).await, 10);
    assert_eq!(gate.edge_length().await.unwrap(), 0);
    assert!(is_taken(&gate.reserve(&sound).await.unwrap()));
}
