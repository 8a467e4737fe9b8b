//! What a ledger is asked for most, as many times as it takes to tell.

use std::time::Instant;

use domain::ItemId;
use domain::message::OrderRecord;
use domain::order::{Order, Transition};

use super::bench::{
    Bench, LONG, OVER, at, calendar, method, new_ids, order_id, payment_id, record,
};

#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn timed(what: &str, orders: u128, work: impl Future<Output = ()>) {
    let start = Instant::now();
    work.await;
    let took = start.elapsed();
    let each = took.as_micros() / orders;
    println!(
        "{what}: {orders} orders in {took:?}, {each} µs each, {} a second",
        1_000_000 / each.max(1)
    );
}

/// A number whose ids are in no order, as real ones are.
fn scattered(number: u128) -> u128 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX)
}

/// Writes batches of 500, as the order writer does.
async fn write(
    bench: &Bench,
    orders: u128,
    hold_ms: i64,
    lines: impl Fn(u128) -> Vec<(ItemId, i64)>,
) {
    let records: Vec<OrderRecord> = (0..orders)
        .map(|number| record(scattered(number), number, &lines(number)))
        .collect();
    timed("writing, 500 a batch", orders, async {
        for records in records.chunks(500) {
            bench.write_holding(records, hold_ms).await;
        }
    })
    .await;
}

/// A step of each order.
async fn steps(
    bench: &Bench,
    orders: u128,
    step: impl Fn(&Order, u128) -> Transition,
) -> Vec<Transition> {
    let mut steps = Vec::new();
    for number in 0..orders {
        steps.push(step(
            &bench.order(order_id(scattered(number))).await,
            number,
        ));
    }
    steps
}

/// Commits steps of orders, so many a commit.
async fn commit(bench: &Bench, what: &str, steps: Vec<Transition>, at_once: usize) {
    timed(
        &format!("{what}, {at_once} a commit"),
        steps.len() as u128,
        async {
            for steps in steps.chunks(at_once) {
                bench.orders.commit(steps).await.unwrap();
            }
        },
    )
    .await;
}

pub async fn a_hot_deal(bench: Bench) {
    let deal = bench.deal(1, 10_000_000, Some(2)).await;
    write(&bench, 50_000, OVER, |_| vec![(deal, 1)]).await;
    let expire = steps(&bench, 20_000, |order, _| order.expire(at(1)).unwrap()).await;
    commit(&bench, "expiring", expire, 500).await;
}

pub async fn a_shop_of_many_items(bench: Bench) {
    let mut items = Vec::new();
    for number in 0..3_000 {
        items.push(bench.general(number, 10_000_000).await);
    }
    write(&bench, 10_000, LONG, |number| {
        let number = usize::try_from(number).unwrap();
        (0..10)
            .map(|line| (items[(number * 7 + line * 131) % 3_000], 1))
            .collect()
    })
    .await;
}

pub async fn payments(bench: Bench) {
    const ORDERS: u128 = 10_000;
    let item = bench.general(1, 10_000_000).await;
    write(&bench, ORDERS, LONG, |_| vec![(item, 1)]).await;
    let pay = |order: &Order, number| {
        order
            .pay(payment_id(number), method(), None, at(1))
            .unwrap()
    };
    let pay = steps(&bench, ORDERS, pay).await;
    timed("paying, 64 at once", ORDERS, async {
        let mut at_once = tokio::task::JoinSet::new();
        for step in pay {
            if at_once.len() == 64 {
                at_once.join_next().await;
            }
            let orders = bench.orders.clone();
            at_once.spawn(async move { orders.commit(&[step]).await.unwrap() });
        }
        while at_once.join_next().await.is_some() {}
    })
    .await;
    timed("reading, one by one", ORDERS, async {
        for number in 0..ORDERS {
            bench.order(order_id(scattered(number))).await;
        }
    })
    .await;
    let captured = steps(&bench, ORDERS, |order, number| {
        order
            .captured(payment_id(number), &calendar(), new_ids(number), at(2))
            .unwrap()
    })
    .await;
    commit(&bench, "capturing", captured, 100).await;
}

pub async fn reads_beside_writes(bench: Bench) {
    const ORDERS: u128 = 10_000;
    let item = bench.general(1, 10_000_000).await;
    write(&bench, ORDERS, LONG, |_| vec![(item, 1)]).await;
    let records: Vec<OrderRecord> = (ORDERS..2 * ORDERS)
        .map(|number| record(scattered(number), number, &[(item, 1)]))
        .collect();
    let reads = async {
        let mut at_once = tokio::task::JoinSet::new();
        for number in 0..ORDERS {
            if at_once.len() == 64 {
                at_once.join_next().await;
            }
            let orders = bench.orders.clone();
            let id = order_id(scattered(number));
            at_once.spawn(async move { orders.orders(&[id]).await.unwrap() });
        }
        while at_once.join_next().await.is_some() {}
    };
    let writes = async {
        for records in records.chunks(500) {
            bench.write_holding(records, LONG).await;
        }
    };
    let reads = timed("reading, 64 at once", ORDERS, reads);
    tokio::join!(reads, timed("writing beside it", ORDERS, writes));
}
