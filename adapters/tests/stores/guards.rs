//! What stops a step: everything it saw has to be so still, and its key unused.

use domain::IdempotencyKey;
use domain::gate::Fingerprint;
use domain::order::{KeyUse, Order, OrderStatus, Transition};
use domain::ports::orders::Committed;

use super::bench::{
    Bench, LONG, at, buyer, calendar, captured, declined, held, id, new_ids, order_id, pay,
    payment_id, placed,
};

pub async fn a_step_that_comes_too_late_leaves_nothing(bench: Bench) {
    let (item, seen) = placed(&bench, 1, LONG).await;
    bench
        .done(&seen.cancel(&[], new_ids(1).refund, at(10)).unwrap())
        .await;
    let (order, stock) = (bench.order(seen.id).await, bench.stock(item).await);
    let events = bench.events().await;
    let key = key(1, "payOrder", 1);
    let mut late = pay(&seen, 1);
    late.key = Some(key);
    assert_eq!(bench.commit(&late).await, Committed::Conflict);
    let twice = seen.cancel(&[], new_ids(2).refund, at(11)).unwrap();
    assert_eq!(bench.commit(&twice).await, Committed::Conflict);
    assert_eq!(bench.order(seen.id).await, order, "and no payment either");
    assert_eq!(
        (bench.stock(item).await, bench.events().await),
        (stock, events)
    );
    let used = bench
        .orders
        .key_use(key.requester, key.mutation, key.key)
        .await
        .unwrap();
    assert_eq!(used, None, "the key is free");
    let mut nowhere = pay(&seen, 1);
    nowhere.next.id = order_id(99);
    assert_eq!(bench.commit(&nowhere).await, Committed::Conflict);
}

pub async fn late_news_of_one_attempt_does_not_touch_another(bench: Bench) {
    let (_, order) = placed(&bench, 1, LONG).await;
    let first = bench.done(&pay(&order, 1)).await;
    let [again, _] = declined(&first, 1);
    let order = bench.done(&again).await;
    let second = bench.done(&pay(&order, 2)).await;
    // Said of the first attempt, written as if it were of now.
    let [mut late, _] = declined(&first, 1);
    late.next.version = second.version + 1;
    assert_eq!(bench.commit(&late).await, Committed::Conflict);
    late.payment = None;
    assert_eq!(
        bench.commit(&late).await,
        Committed::Conflict,
        "by the order alone"
    );
    assert_eq!(bench.order(order.id).await, second);
}

pub async fn two_steps_from_the_same_state_are_not_both_taken(bench: Bench) {
    let item = bench.general(1, 10).await;
    let order = bench.paid(1, 1, item).await;
    let mut order = bench
        .done(&order.cancel(&[], new_ids(1).refund, at(30)).unwrap())
        .await;
    let refunded = order.refunded(new_ids(1).refund, at(40)).unwrap();
    // The same state, payment and status: only the version tells them apart.
    let mut stray = refunded.clone();
    stray.refund = None;
    order = bench.done(&refunded).await;
    assert_eq!(bench.commit(&stray).await, Committed::Conflict);
    assert_eq!(bench.order(order.id).await, order);
}

pub async fn a_guard_names_every_row_it_saw(bench: Bench) {
    let item = bench.general(1, 10).await;
    let paid = bench.paid(1, 1, item).await;
    let version = |step: &Transition, order: &Order| Transition {
        next: Order {
            version: order.version + 1,
            ..step.next.clone()
        },
        ..step.clone()
    };
    // Each step below is of another time, but names the version of now: what it saw of a row beside
    // the order has to stop it.
    let dispatch = paid
        .dispatch("T-1".to_owned(), &calendar(), at(1_030))
        .unwrap();
    let sent = bench.done(&dispatch).await;
    assert_eq!(
        bench.commit(&version(&dispatch, &sent)).await,
        Committed::Conflict,
        "shipment"
    );

    let other = bench.paid(2, 2, item).await;
    let cancelled = bench
        .done(&other.cancel(&[], new_ids(2).refund, at(40)).unwrap())
        .await;
    let refund = cancelled.refunded(new_ids(2).refund, at(50)).unwrap();
    let refunded = bench.done(&refund).await;
    assert_eq!(
        bench.commit(&version(&refund, &refunded)).await,
        Committed::Conflict,
        "refund"
    );

    let (_, order) = placed(&bench, 3, LONG).await;
    let order = bench.done(&pay(&order, 3)).await;
    let [again, _] = declined(&order, 3);
    let order = bench.done(&again).await;
    let order = bench
        .done(&order.cancel(&[], new_ids(3).refund, at(60)).unwrap())
        .await;
    let stray = captured(&order, 3);
    let order = bench.done(&stray).await;
    let mut twice = version(&stray, &order);
    twice.refund = None;
    assert_eq!(bench.commit(&twice).await, Committed::Conflict, "payment");
    let cancel_again = again.next.cancel(&[], new_ids(9).refund, at(70)).unwrap();
    let cancel_again = version(&cancel_again, &order);
    assert_eq!(
        bench.commit(&cancel_again).await,
        Committed::Conflict,
        "status"
    );
    assert_eq!(bench.order(order.id).await, order);
}

pub async fn of_many_who_change_an_order_at_once_one_does(bench: Bench) {
    let (item, order) = placed(&bench, 1, LONG).await;
    let steps = (0..16).map(|attempt| match attempt % 2 {
        0 => pay(&order, attempt),
        _ => order.cancel(&[], new_ids(attempt).refund, at(10)).unwrap(),
    });
    let all = steps.map(|step| {
        let orders = bench.orders.clone();
        tokio::spawn(async move { orders.commit(&[step]).await.unwrap().pop().unwrap() })
    });
    let mut done = 0;
    for outcome in all.collect::<Vec<_>>() {
        done += i32::from(matches!(outcome.await.unwrap(), Committed::Done(_)));
    }
    assert_eq!(done, 1);
    let after = bench.order(order.id).await;
    assert_eq!(after.version, 2);
    let still_held = if after.status() == OrderStatus::Paying {
        3
    } else {
        0
    };
    assert_eq!(
        (held(&bench, item).await, bench.events().await),
        (still_held, 3)
    );
}

fn key(requester: u128, mutation: &'static str, number: u128) -> KeyUse {
    KeyUse {
        requester: buyer(requester),
        mutation,
        key: IdempotencyKey(id(8, number)),
        fingerprint: Fingerprint(u128::MAX - number),
        subject: order_id(number).0,
    }
}

pub async fn a_key_is_used_once(bench: Bench) {
    let (_, first) = placed(&bench, 1, LONG).await;
    let (_, second) = placed(&bench, 2, LONG).await;
    let (_, third) = placed(&bench, 3, LONG).await;
    let mine = key(1, "payOrder", 1);
    let asked = |order: &Order, attempt, key| Transition {
        key: Some(key),
        ..pay(order, attempt)
    };
    bench.done(&asked(&first, 1, mine)).await;
    let used = bench
        .orders
        .key_use(mine.requester, mine.mutation, mine.key)
        .await
        .unwrap();
    assert_eq!(used, Some((mine.fingerprint, mine.subject)));

    assert_eq!(
        bench.commit(&asked(&second, 2, mine)).await,
        Committed::KeyTaken
    );
    assert_eq!(
        bench.commit(&asked(&first, 2, mine)).await,
        Committed::KeyTaken,
        "before all else"
    );
    assert_eq!(bench.order(second.id).await, second);

    let theirs = KeyUse {
        requester: buyer(2),
        ..mine
    };
    let other = KeyUse {
        mutation: "cancelOrder",
        ..theirs
    };
    let steps = [
        asked(&second, 2, theirs),
        asked(&third, 3, theirs),
        asked(&third, 4, other),
    ];
    let outcomes = bench.orders.commit(&steps).await.unwrap();
    assert!(matches!(outcomes[0], Committed::Done(_)));
    assert_eq!(outcomes[1], Committed::KeyTaken, "within one commit too");
    assert!(matches!(outcomes[2], Committed::Done(_)));
    assert_eq!(bench.order(third.id).await.payments[0].id, payment_id(4));
}
