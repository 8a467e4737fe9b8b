//! What is told to others: events on their way, and figures for the audit.

use std::time::Duration;

use domain::event::Event;
use domain::order::OrderStatus::{Expired, Paid, PendingPayment, Rejected};
use domain::payment::RefundReason;
use domain::ports::audit::{Moved, PaymentFigures, RefundFigures, StockFigures};

use super::bench::{Bench, LONG, OVER, at, item_id, method, new_ids, order_id, payment_id, record};

pub async fn events_wait_in_the_order_they_were_committed(bench: Bench) {
    let item = bench.general(1, 10).await;
    bench
        .write(&[record(1, 1, &[(item, 1)]), record(2, 2, &[(item, 1)])])
        .await;
    for number in [2, 1] {
        let order = bench.order(order_id(number)).await;
        bench
            .done(&order.cancel(&[], new_ids(number).refund, at(10)).unwrap())
            .await;
    }
    let pending = bench.pending(9).await;
    let keys: Vec<_> = pending.iter().map(Event::key).collect();
    let [one, two] = [1, 2].map(|number| order_id(number).0);
    assert_eq!(keys, [item.0, one, two, two, one]);
    assert_eq!(bench.pending(9).await, pending, "they were given back");

    drop(bench.take_all().await);
    let taken = loop {
        let taken = bench.outbox.take(2).await.unwrap();
        if taken.events == pending[..2] {
            break taken;
        }
        drop(taken);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    taken.claim.remove().await.unwrap();
    assert_eq!(bench.outbox.length().await.unwrap(), 3);
    bench.general(2, 1).await;
    let rest = bench.take_all().await;
    assert_eq!(rest.events[..3], pending[2..]);
    assert_eq!(rest.events[3].key(), item_id(2).0);
    rest.claim.remove().await.unwrap();
    let none = bench.outbox.take(9).await.unwrap();
    assert!(none.events.is_empty());
    none.claim.remove().await.unwrap();
    assert_eq!(bench.outbox.length().await.unwrap(), 0);
}

pub async fn a_commit_wakes_the_relay(bench: Bench) {
    let patience = Duration::from_secs(20);
    bench.general(1, 10).await;
    let wait = || tokio::time::timeout(patience, bench.outbox.wait(u64::MAX));
    wait()
        .await
        .expect("something was committed before it began to wait");

    let outbox = bench.outbox.clone();
    let waiting = tokio::spawn(async move { outbox.wait(u64::MAX).await });
    tokio::task::yield_now().await;
    bench.write(&[record(1, 1, &[(item_id(1), 1)])]).await;
    tokio::time::timeout(patience, waiting)
        .await
        .expect("it wakes")
        .unwrap();

    let outbox = bench.outbox.clone();
    let waiting = tokio::spawn(async move { outbox.wait(500).await });
    while !waiting.is_finished() {
        // Nothing is committed: only time ends it.
        (bench.pass_time)();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub async fn the_audit_adds_up_what_the_ledger_holds(bench: Bench) {
    let (deal, general) = (bench.deal(1, 10, Some(3)).await, bench.general(2, 10).await);
    bench
        .write_holding(
            &[
                record(1, 1, &[(deal, 2), (general, 3), (general, 1)]),
                record(2, 2, &[(deal, 1)]),
                record(3, 2, &[(deal, 3)]),
            ],
            OVER,
        )
        .await;
    bench.paid(4, 3, deal).await;
    bench
        .done(&bench.order(order_id(2)).await.expire(at(9)).unwrap())
        .await;
    let figures = bench.audit.stock(None, 9).await.unwrap();
    let expected = |item, held| {
        let stock = figure(&figures, item);
        let moved = Moved {
            total: 10,
            held,
            released: stock.released,
        };
        StockFigures {
            item,
            stock,
            held_by_lines: held,
            moved,
        }
    };
    assert_eq!(figures, [expected(deal, 3), expected(general, 4)]);
    assert!(
        figures
            .iter()
            .all(|figure| figure.stock.held == figure.held_by_lines)
    );
    assert_eq!(
        bench.audit.stock(Some(deal), 9).await.unwrap(),
        figures[1..]
    );
    assert_eq!(bench.audit.stock(None, 1).await.unwrap(), figures[..1]);
    assert!(bench.audit.buyers_off(9).await.unwrap().is_empty());

    assert_eq!(bench.audit.overdue_by(-OVER - 1).await.unwrap(), 1);
    assert_eq!(bench.audit.overdue_by(-OVER * 1_000).await.unwrap(), 0);
    let mut counts = bench.audit.orders_by_status().await.unwrap();
    counts.sort_by_key(|(_, count)| *count);
    counts.sort_by_key(|(status, _)| *status as u8);
    assert_eq!(
        counts,
        [(Rejected, 1), (PendingPayment, 1), (Paid, 1), (Expired, 1)]
    );
}

fn figure(figures: &[StockFigures], item: domain::ItemId) -> domain::stock::Stock {
    figures
        .iter()
        .find(|figure| figure.item == item)
        .expect("it is there")
        .stock
}

pub async fn the_audit_sees_the_money_of_every_order(bench: Bench) {
    let item = bench.general(1, 100).await;
    let paid = bench.paid(1, 1, item).await;
    let cancelled = bench.paid(2, 2, item).await;
    let refund = new_ids(2).refund;
    let cancelled = bench
        .done(&cancelled.cancel(&[], refund, at(50)).unwrap())
        .await;
    bench
        .write_holding(&[record(3, 3, &[(item, 1)])], LONG)
        .await;
    let paying = bench.order(order_id(3)).await;
    bench
        .done(&paying.pay(payment_id(3), method(), None, at(60)).unwrap())
        .await;

    let money = bench.audit.money(None, 9).await.unwrap();
    assert_eq!(
        money
            .iter()
            .map(|figures| figures.order)
            .collect::<Vec<_>>(),
        [1, 2, 3].map(order_id)
    );
    assert_eq!((money[0].status, money[0].kept_minor), (Paid, 1_500));
    let payment = |number, is_captured| {
        [PaymentFigures {
            id: payment_id(number),
            amount: paid.total,
            is_captured,
        }]
    };
    assert_eq!(money[0].payments, payment(1, true));
    assert!(money[0].refunds.is_empty());
    let given_back = |is_completed| {
        [RefundFigures {
            payment: payment_id(2),
            reason: RefundReason::Cancelled,
            amount_minor: paid.total.minor,
            is_completed,
        }]
    };
    assert_eq!(money[1].refunds, given_back(false));
    assert_eq!(money[1].kept_minor, 0);
    assert_eq!(money[2].payments, payment(3, false));
    bench
        .done(&cancelled.refunded(refund, at(70)).unwrap())
        .await;
    let rest = bench.audit.money(Some(order_id(1)), 1).await.unwrap();
    assert_eq!(
        (rest.len(), &rest[0].refunds[..]),
        (1, &given_back(true)[..])
    );
}
