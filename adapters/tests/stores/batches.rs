//! What the order writer's transaction does.

use domain::account::Role;
use domain::event::{Event, OrderEvent, What};
use domain::gate::Telling;
use domain::message::{OrderRecord, Verdict};
use domain::order::OrderStatus::{self, PendingPayment, Rejected};
use domain::order::{OrderState, Rejection};
use domain::ports::orders::{BatchWritten, WriteBatch};

use super::bench::{
    Bench, LONG, PARTITION, admitted_again, at, batch, buyer, item_id, order_id, record,
};

pub async fn an_accepted_order_is_written_whole(bench: Bench) {
    let (pen, lid) = (bench.general(1, 10).await, bench.deal(2, 10, Some(5)).await);
    let record = record(1, 1, &[(pen, 2), (lid, 1), (pen, 1)]);
    let tellings = bench.write(std::slice::from_ref(&record)).await;

    let order = bench.order(order_id(1)).await;
    assert!(matches!(order.state, OrderState::PendingPayment { .. }));
    assert_eq!(order.buyer, buyer(1));
    assert_eq!(order.fingerprint, record.draft.fingerprint);
    assert_eq!(
        (order.total, order.placed_at, order.version),
        (record.draft.total, at(5), 1)
    );
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| (line.item, line.quantity.get()))
        .collect();
    assert_eq!(
        lines,
        [(pen, 2), (lid, 1), (pen, 1)],
        "lines keep their order"
    );

    let (pens, lids) = (bench.stock(pen).await, bench.stock(lid).await);
    assert_eq!((pens.held, pens.admitted, pens.released), (3, 3, 0));
    assert_eq!(
        (lids.held, lids.version),
        (1, 1),
        "holding is no news to the gate's ceiling"
    );
    let told: Vec<_> = tellings
        .iter()
        .map(|telling| (telling.item, telling.admitted))
        .collect();
    assert_eq!(told, [(pen, 3), (lid, 1)]);
    assert!(
        tellings[0].buyers.is_empty(),
        "nobody counts the buyers of what is no deal"
    );
    let count = tellings[1].buyers[0];
    assert_eq!(
        (count.buyer, count.admitted, count.released),
        (buyer(1), 1, 0)
    );

    let events = bench.pending(10).await;
    let placed = events.iter().filter_map(happened).collect::<Vec<_>>();
    let OrderState::PendingPayment { expires_at } = order.state else {
        unreachable!()
    };
    assert_eq!(
        placed,
        [(order_id(1), 1, OrderEvent::Placed { expires_at })]
    );
    assert_eq!(bench.orders.writer_position(PARTITION).await.unwrap().0, 1);
}

fn happened(event: &Event) -> Option<(domain::OrderId, i64, OrderEvent)> {
    match &event.what {
        What::Order {
            order,
            version,
            happened,
        } => Some((*order, *version, happened.clone())),
        What::Account { .. } | What::Item { .. } | What::VerificationRequested { .. } => None,
    }
}

async fn statuses(bench: &Bench, numbers: impl IntoIterator<Item = u128>) -> Vec<OrderStatus> {
    let mut statuses = Vec::new();
    for number in numbers {
        statuses.push(bench.order(order_id(number)).await.status());
    }
    statuses
}

pub async fn orders_are_taken_in_log_order_while_they_fit(bench: Bench) {
    let item = bench.general(1, 5).await;
    let records = [(1, 3), (2, 4), (3, 2), (4, 1)];
    let records = records.map(|(number, units)| record(number, number, &[(item, units)]));
    let tellings = bench.write(&records).await;
    assert_eq!(
        statuses(&bench, 1..=4).await,
        [PendingPayment, Rejected, PendingPayment, Rejected],
        "a later, smaller one is still tried"
    );
    let reason = Rejection::OutOfStock;
    assert_eq!(
        bench.order(order_id(2)).await.state,
        OrderState::Rejected { reason }
    );
    let stock = bench.stock(item).await;
    assert_eq!((stock.held, stock.admitted, stock.released), (5, 10, 5));
    assert_eq!(stock.version, 2, "the gate hears of a higher ceiling");
    assert_eq!(tellings[0].terms.ceiling, 10);
    assert_eq!((tellings[0].admitted, tellings[0].terms.version), (10, 2));
}

pub async fn an_admission_is_counted_once(bench: Bench) {
    let item = bench.deal(1, 10, None).await;
    let first = record(1, 1, &[(item, 2)]);
    bench.write(&[first.clone(), first.clone()]).await;
    assert!(
        bench.write(std::slice::from_ref(&first)).await.is_empty(),
        "nothing moved, nothing to tell"
    );
    assert_eq!(
        (
            bench.stock(item).await.held,
            bench.stock(item).await.admitted
        ),
        (2, 2)
    );

    let tellings = bench.write(&[admitted_again(&first, 2)]).await;
    let stock = bench.stock(item).await;
    assert_eq!(
        (stock.held, stock.admitted, stock.released),
        (2, 4, 2),
        "turned away, and counted"
    );
    let count = tellings[0].buyers[0];
    assert_eq!((count.admitted, count.released), (4, 2));
    assert_eq!(bench.orders.orders(&[order_id(1)]).await.unwrap().len(), 1);
    assert!(bench.write(&[admitted_again(&first, 2)]).await.is_empty());
}

pub async fn a_buyer_stays_within_the_limit_over_all_orders(bench: Bench) {
    let item = bench.deal(1, 100, Some(3)).await;
    bench
        .write(&[record(1, 1, &[(item, 2)]), record(2, 2, &[(item, 3)])])
        .await;
    let records = [(3, 1, 2), (4, 1, 1), (5, 2, 1), (6, 3, 3)];
    let records = records.map(|(number, buyer, units)| record(number, buyer, &[(item, units)]));
    bench.write(&records).await;
    assert_eq!(
        statuses(&bench, 3..=6).await,
        [Rejected, PendingPayment, Rejected, PendingPayment]
    );
    let reason = Rejection::PurchaseLimit;
    assert_eq!(
        bench.order(order_id(3)).await.state,
        OrderState::Rejected { reason }
    );
    let telling = bench
        .catalogue
        .tellings(&[item])
        .await
        .unwrap()
        .pop()
        .unwrap();
    let mut counts: Vec<_> = telling
        .buyers
        .iter()
        .map(|count| (count.buyer, count.admitted, count.released))
        .collect();
    counts.sort();
    assert_eq!(
        counts,
        [(buyer(1), 5, 2), (buyer(2), 4, 1), (buyer(3), 3, 0)]
    );
}

pub async fn what_cannot_be_had_is_rejected_with_its_reason(bench: Bench) {
    let item = bench.general(1, 10).await;
    let mut withdrawn = record(1, 1, &[(item, 2)]);
    withdrawn.verdict = Verdict::Withdrawn;
    let unknown = record(2, 1, &[(item, 1), (item_id(99), 1)]);
    let mut inconsistent = record(3, 1, &[(item, 1)]);
    inconsistent.admissions[0].units[0].count = 2;
    let mut void = record(4, 1, &[(item, 3)]);
    void.verdict = Verdict::Void;
    bench.write(&[withdrawn, unknown, inconsistent, void]).await;
    for (number, reason) in [
        (1, Rejection::Withdrawn),
        (2, Rejection::UnknownItem),
        (3, Rejection::Inconsistent),
    ] {
        let order = bench.order(order_id(number)).await;
        assert_eq!(order.state, OrderState::Rejected { reason });
    }
    assert_eq!(bench.order(order_id(2)).await.lines[1].item, item_id(99));
    assert!(
        bench
            .orders
            .orders(&[order_id(4)])
            .await
            .unwrap()
            .is_empty(),
        "void makes no order"
    );
    let stock = bench.stock(item).await;
    assert_eq!(
        (stock.held, stock.admitted, stock.released),
        (0, 8, 8),
        "but each is counted"
    );
}

pub async fn a_writer_whose_partition_moved_writes_nothing(bench: Bench) {
    let item = bench.general(1, 10).await;
    let one = |number| [record(number, 1, &[(item, 1)])];
    assert!(done(&bench, &batch(0, &one(1))).await);
    assert!(
        !done(&bench, &batch(0, &one(2))).await,
        "another has begun already"
    );
    assert!(
        !done(&bench, &batch(5, &one(3))).await,
        "somebody is not as far"
    );
    assert!(done(&bench, &batch(1, &one(4))).await);
    assert!(
        !done(&bench, &batch(1, &one(5))).await,
        "a zombie sends its batch again"
    );
    let there = bench.orders.orders(&[2, 3, 5].map(order_id)).await.unwrap();
    assert!(there.is_empty());
    assert_eq!((bench.stock(item).await.held, bench.events().await), (2, 3));
    assert_eq!(bench.orders.writer_position(PARTITION).await.unwrap().0, 2);

    let other = domain::message::Partition {
        number: 4,
        ..PARTITION
    };
    let ahead = WriteBatch {
        partition: other,
        ..batch(5, &one(7))
    };
    assert!(!done(&bench, &ahead).await, "nobody has been there yet");
    assert_eq!(bench.orders.writer_position(other).await.unwrap().0, 0);
    assert!(
        done(
            &bench,
            &WriteBatch {
                partition: other,
                ..batch(0, &one(6))
            }
        )
        .await
    );
    assert_eq!(bench.orders.writer_position(PARTITION).await.unwrap().0, 2);
}

async fn done(bench: &Bench, batch: &WriteBatch) -> bool {
    match bench.orders.write_batch(batch).await.unwrap() {
        BatchWritten::Done(_) => true,
        BatchWritten::NotMine => false,
    }
}

pub async fn of_two_writers_at_once_one_writes(bench: Bench) {
    let item = bench.general(1, 100).await;
    let writers = (0..8).map(|writer| {
        let orders = bench.orders.clone();
        let batch = batch(0, &[record(writer, writer, &[(item, 1)])]);
        tokio::spawn(async move { orders.write_batch(&batch).await.unwrap() })
    });
    let mut written = 0;
    for writer in writers.collect::<Vec<_>>() {
        written += i32::from(matches!(writer.await.unwrap(), BatchWritten::Done(_)));
    }
    assert_eq!((written, bench.stock(item).await.held), (1, 1));
}

pub async fn unreadable_records_still_move_the_position(bench: Bench) {
    let batch = WriteBatch {
        next: domain::message::Offset(7),
        ..batch(0, &[])
    };
    assert!(done(&bench, &batch).await);
    assert_eq!(bench.orders.writer_position(PARTITION).await.unwrap().0, 7);
    assert_eq!(bench.events().await, 0);
}

pub async fn a_batch_may_be_larger_than_a_statement(bench: Bench) {
    let mut items = Vec::new();
    for number in 0..1_200 {
        items.push(super::bench::item(number, 10, domain::item::Kind::General));
    }
    bench.catalogue.create_many(&items, at(0)).await.unwrap();
    let many: Vec<_> = items.iter().map(|item| (item.id, 2)).collect();
    let mut records = vec![record(0, 1, &many)];
    records.extend((1..2_500).map(|number| record(number, number, &[(items[0].id, 1)])));
    let tellings: Vec<Telling> = bench.write(&records).await;
    assert_eq!(tellings.len(), 1_200);
    let order = bench.order(order_id(0)).await;
    assert_eq!(order.lines.len(), 1_200);
    assert!(
        order
            .lines
            .iter()
            .map(|line| line.item)
            .eq(items.iter().map(|item| item.id))
    );
    let stock = bench.stock(items[0].id).await;
    assert_eq!((stock.held, stock.admitted), (10, 2_501));
    assert_eq!(bench.stock(items[1_199].id).await.held, 2);
    let ids: Vec<_> = (0..2_500).map(order_id).collect();
    assert_eq!(bench.orders.orders(&ids).await.unwrap().len(), 2_500);
}

pub async fn receipts_come_in_the_order_of_placing(bench: Bench) {
    let item = bench.general(1, 3).await;
    let placed = |number, ms| {
        let mut record = record(number, 10 + number, &[(item, 1)]);
        std::sync::Arc::make_mut(&mut record.draft).accepted_at = at(ms);
        record
    };
    // Three of the same moment, one before and two after it; one that is too old.
    let records: Vec<OrderRecord> = [(3, 6), (1, 7), (5, 6), (4, 6), (2, 8), (6, 5)]
        .map(|(number, ms)| placed(number, ms))
        .to_vec();
    bench.write(&records).await;
    bench.write(&[admitted_again(&records[0], 9)]).await;
    bench.write(&[placed(7, 4)]).await;

    let mut receipts = Vec::new();
    let mut after = None;
    loop {
        let page = bench.orders.receipts(at(5), after, 2).await.unwrap();
        let Some((placed_at, last)) = page.last() else {
            break;
        };
        after = Some((*placed_at, last.order));
        receipts.extend(page);
    }
    let orders: Vec<_> = receipts.iter().map(|(_, receipt)| receipt.order).collect();
    assert_eq!(
        orders,
        [6, 3, 4, 5, 1, 2].map(order_id),
        "rejected ones too, none older"
    );
    for (placed_at, receipt) in &receipts {
        let of = |record: &&OrderRecord| record.draft.order == receipt.order;
        let record = records.iter().find(of).unwrap();
        assert_eq!(receipt.fingerprint, record.draft.fingerprint);
        assert_eq!(
            receipt.admission, record.admissions[0].id,
            "the one that came first"
        );
        assert_eq!(*placed_at, record.draft.accepted_at);
        assert!(receipt.draft.is_none());
    }
}

pub async fn orders_outlive_their_buyers(bench: Bench) {
    let item = bench.general(1, 3).await;
    let mut rehearsing = super::bench::account(1, "crowd@example.test");
    rehearsing.rehearsal = true;
    rehearsing.role = Role::Customer;
    assert!(bench.accounts.create(&[rehearsing]).await.unwrap());
    bench
        .write_holding(&[record(1, 1, &[(item, 1)])], LONG)
        .await;
    assert_eq!(bench.accounts.remove_rehearsal_buyers().await.unwrap(), 1);
    assert_eq!(bench.order(order_id(1)).await.buyer, buyer(1));
}
