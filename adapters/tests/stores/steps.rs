//! What a step of an order does.

use chrono::TimeDelta;
use domain::delivery::Shipment;
use domain::order::OrderStatus;
use domain::ports::orders::Committed;

use super::bench::{
    Bench, LONG, OVER, at, buyer, calendar, captured, declined, held, new_ids, order_id, pay,
    placed, record,
};

pub async fn an_order_goes_from_payment_to_delivery(bench: Bench) {
    let (item, order) = placed(&bench, 1, LONG).await;
    let order = bench.done(&pay(&order, 1)).await;
    let order = bench.done(&captured(&order, 1)).await;
    assert_eq!(order.status(), OrderStatus::Paid);
    let order = bench
        .done(
            &order
                .dispatch("T-1".to_owned(), &calendar(), at(1_030))
                .unwrap(),
        )
        .await;
    let order = bench.done(&order.deliver(at(2_040)).unwrap()).await;
    assert_eq!((order.version, held(&bench, item).await), (5, 3));
    assert_eq!(
        bench.events().await,
        1 + 5,
        "one event a step, after the item's"
    );
}

pub async fn a_declined_payment_can_be_tried_again(bench: Bench) {
    let (item, order) = placed(&bench, 1, LONG).await;
    let order = bench.done(&pay(&order, 1)).await;
    let [again, failed] = declined(&order, 1);
    assert_eq!(
        bench.commit(&failed).await,
        Committed::Conflict,
        "there is time left"
    );
    let order = bench.done(&again).await;
    assert_eq!(order.status(), OrderStatus::PendingPayment);
    let order = bench.done(&pay(&order, 2)).await;
    let order = bench.done(&captured(&order, 2)).await;
    assert_eq!(
        order
            .payments
            .iter()
            .map(|payment| payment.attempt)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(held(&bench, item).await, 3);
}

pub async fn a_payment_that_fails_too_late_gives_the_units_back(bench: Bench) {
    let (item, order) = placed(&bench, 1, OVER).await;
    // It began in time, as far as the order says.
    let mut step = pay(&order, 1);
    step.guard.deadline = None;
    let order = bench.done(&step).await;
    let [again, failed] = declined(&order, 1);
    assert_eq!(
        bench.commit(&again).await,
        Committed::Conflict,
        "no time is left"
    );
    let Committed::Done(tellings) = bench.commit(&failed).await else {
        panic!("it failed")
    };
    assert_eq!(bench.order(order.id).await, failed.next);
    let stock = bench.stock(item).await;
    assert_eq!(
        (stock.held, stock.admitted, stock.released, stock.version),
        (0, 3, 3, 2)
    );
    assert_eq!((tellings[0].admitted, tellings[0].terms.ceiling), (3, 13));
    let count = tellings[0].buyers[0];
    assert_eq!(
        (count.buyer, count.admitted, count.released),
        (buyer(1), 3, 3)
    );
}

pub async fn what_nobody_pays_expires(bench: Bench) {
    let (item, order) = placed(&bench, 1, OVER).await;
    let order = bench.done(&order.expire(at(30)).unwrap()).await;
    assert_eq!(order.status(), OrderStatus::Expired);
    assert_eq!(held(&bench, item).await, 0);
    assert!(order.expire(at(40)).is_none());
}

pub async fn the_ledgers_clock_decides_between_payment_and_expiry(bench: Bench) {
    let (item, late) = placed(&bench, 1, OVER).await;
    assert_eq!(bench.commit(&pay(&late, 1)).await, Committed::Conflict);
    assert_eq!(bench.order(late.id).await, late);
    let (_, early) = placed(&bench, 2, LONG).await;
    assert_eq!(
        bench.commit(&early.expire(at(99_999_999)).unwrap()).await,
        Committed::Conflict
    );
    assert_eq!(bench.order(early.id).await, early);
    assert_eq!(
        (held(&bench, item).await, bench.events().await),
        (3, 4),
        "made and placed twice"
    );
}

pub async fn a_paid_order_can_be_cancelled_until_it_is_dispatched(bench: Bench) {
    let item = bench.deal(1, 10, None).await;
    let (sent, kept) = (bench.paid(1, 1, item).await, bench.paid(2, 2, item).await);
    let dispatch = sent
        .dispatch("T-1".to_owned(), &calendar(), at(1_030))
        .unwrap();
    bench.done(&dispatch).await;
    let cancel = sent.cancel(&[], new_ids(1).refund, at(1_040)).unwrap();
    assert_eq!(bench.commit(&cancel).await, Committed::Conflict);
    let order = bench
        .done(&kept.cancel(&[], new_ids(2).refund, at(1_040)).unwrap())
        .await;
    assert_eq!((order.refunds.len(), held(&bench, item).await), (1, 1));
    let late = kept
        .dispatch("T-2".to_owned(), &calendar(), at(1_050))
        .unwrap();
    assert_eq!(bench.commit(&late).await, Committed::Conflict);
    let order = bench
        .done(&order.refunded(new_ids(2).refund, at(1_060)).unwrap())
        .await;
    assert_eq!(order.refunds[0].completed_at, Some(at(1_060)));
}

pub async fn a_capture_nobody_needs_goes_back(bench: Bench) {
    let (item, order) = placed(&bench, 1, LONG).await;
    let order = bench.done(&pay(&order, 1)).await;
    let [again, _] = declined(&order, 1);
    let order = bench.done(&again).await;
    let order = bench
        .done(&order.cancel(&[], new_ids(9).refund, at(25)).unwrap())
        .await;
    // The provider took the money after all.
    let order = bench.done(&captured(&order, 1)).await;
    assert_eq!(
        (order.status(), order.refunds.len()),
        (OrderStatus::Cancelled, 1)
    );
    assert_eq!(held(&bench, item).await, 0);
}

pub async fn steps_of_one_commit_stand_for_themselves(bench: Bench) {
    let (item, first) = placed(&bench, 1, LONG).await;
    let (_, second) = placed(&bench, 2, OVER).await;
    let (_, third) = placed(&bench, 3, OVER).await;
    let paying = pay(&first, 1);
    let [again, failed] = declined(&paying.next, 1);
    let steps = [
        second.expire(at(10)).unwrap(),
        paying,
        second.cancel(&[], new_ids(2).refund, at(10)).unwrap(),
        again.clone(),
        failed,
        pay(&third, 3),
        third.expire(at(10)).unwrap(),
    ];
    let outcomes = bench.orders.commit(&steps).await.unwrap();
    let done: Vec<_> = outcomes
        .iter()
        .map(|outcome| matches!(outcome, Committed::Done(_)))
        .collect();
    assert_eq!(done, [true, true, false, true, false, false, true]);
    assert_eq!(bench.order(first.id).await, again.next);
    assert_eq!(bench.order(second.id).await.status(), OrderStatus::Expired);
    assert_eq!(bench.order(third.id).await.status(), OrderStatus::Expired);
    assert_eq!(held(&bench, item).await, 3);
    assert!(bench.orders.commit(&[]).await.unwrap().is_empty());
}

pub async fn stock_moves_once_for_all_steps_of_a_commit(bench: Bench) {
    let item = bench.deal(1, 100, None).await;
    let records: Vec<_> = (1..=30)
        .map(|number| record(number, number % 3, &[(item, 2)]))
        .collect();
    bench.write_holding(&records, OVER).await;
    let mut steps = Vec::new();
    for number in 1..=30 {
        steps.push(bench.order(order_id(number)).await.expire(at(10)).unwrap());
    }
    let outcomes = bench.orders.commit(&steps).await.unwrap();
    let stock = bench.stock(item).await;
    assert_eq!(
        (stock.held, stock.admitted, stock.released, stock.version),
        (0, 60, 60, 2)
    );
    for outcome in outcomes {
        let Committed::Done(tellings) = outcome else {
            panic!("each expires")
        };
        assert_eq!(tellings[0].terms.ceiling, 160, "as it is after all of them");
        assert_eq!(
            (
                tellings[0].buyers[0].admitted,
                tellings[0].buyers[0].released
            ),
            (20, 20)
        );
    }
}

pub async fn what_is_overdue_comes_oldest_first(bench: Bench) {
    let item = bench.general(1, 100).await;
    for (number, hold_ms) in [(1, OVER - 50_000), (2, LONG), (3, OVER), (4, OVER - 90_000)] {
        let records = [record(number, 1, &[(item, 1)])];
        bench.write_holding(&records, hold_ms).await;
    }
    let overdue = async |most| bench.orders.overdue(most).await.unwrap();
    assert_eq!(overdue(2).await, [4, 1].map(order_id));
    assert_eq!(overdue(9).await, [4, 1, 3].map(order_id));
    let oldest = bench.order(order_id(4)).await;
    bench.done(&oldest.expire(at(1)).unwrap()).await;
    assert_eq!(overdue(9).await, [1, 3].map(order_id));
}

pub async fn workers_find_what_takes_long(bench: Bench) {
    let (_, order) = placed(&bench, 1, LONG).await;
    let orders = &bench.orders;
    let paying = async |before| orders.paying_since(at(before), 9).await.unwrap();
    let order = bench.done(&pay(&order, 1)).await;
    assert!(paying(10).await.is_empty(), "not yet");
    assert_eq!(paying(11).await, [order.id]);
    let [again, _] = declined(&order, 1);
    let order = bench.done(&again).await;
    let order = bench.done(&pay(&order, 2)).await;
    assert_eq!(
        paying(11).await,
        [order.id],
        "the attempt that is in flight"
    );
    let order = bench.done(&captured(&order, 2)).await;
    assert!(paying(11).await.is_empty());

    let due = order.shipment.as_ref().and_then(Shipment::due).unwrap();
    let shipments = async |now| orders.shipments_due(now, 9).await.unwrap();
    assert!(shipments(due - TimeDelta::milliseconds(1)).await.is_empty());
    assert_eq!(shipments(due).await, [order.id]);
    let refund = new_ids(1).refund;
    let cancel = order.cancel(&[], refund, at(600)).unwrap();
    let order = bench.done(&cancel).await;
    assert!(shipments(due).await.is_empty());

    let refunding = async |before| orders.refunding_since(at(before), 9).await.unwrap();
    assert!(refunding(600).await.is_empty());
    assert_eq!(refunding(601).await, [(order.id, refund)]);
    bench.done(&order.refunded(refund, at(700)).unwrap()).await;
    assert!(refunding(601).await.is_empty());
}

pub async fn everybody_who_waits_gets_a_turn(bench: Bench) {
    let item = bench.general(1, 100).await;
    for number in 1..=3 {
        bench.write(&[record(number, 1, &[(item, 1)])]).await;
        let order = bench.order(order_id(number)).await;
        bench.done(&pay(&order, number)).await;
    }
    let turn = async || {
        let paying = bench.orders.paying_since(at(11), 2).await.unwrap();
        // The next turn is at another moment.
        (bench.pass_time)();
        paying
    };
    let (first, second) = (turn().await, turn().await);
    assert_eq!((first.len(), second.len()), (2, 2));
    assert!(
        !first.contains(&second[0]),
        "who was not asked about yet comes first: {first:?}, {second:?}"
    );
    assert_eq!(turn().await[0], first[1], "then whose turn is longest ago");

    for number in 1..=3 {
        let order = bench
            .done(&captured(&bench.order(order_id(number)).await, number))
            .await;
        let cancel = order.cancel(&[], new_ids(number).refund, at(600));
        bench.done(&cancel.unwrap()).await;
    }
    let turn = async || {
        let open = bench.orders.refunding_since(at(601), 2).await.unwrap();
        (bench.pass_time)();
        open
    };
    let (first, second) = (turn().await, turn().await);
    assert_eq!((first.len(), second.len()), (2, 2));
    assert!(!first.contains(&second[0]), "{first:?}, {second:?}");
}
