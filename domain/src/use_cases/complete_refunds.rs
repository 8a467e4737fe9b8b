//! Gives money back at the provider, and notes that it did.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use crate::order::Order;
use crate::payment::RefundAnswer;
use crate::ports::Ports;
use crate::ports::orders::Committed;
use crate::use_cases::tell;
use crate::{Fault, OrderId, RefundId};

/// Completes these refunds. One whose outcome nobody knows stays open and is asked again with its
/// id as key; one that is done changes nothing.
///
/// # Errors
/// A fault of the ledger. The provider may have been asked; asking again is harmless.
pub async fn complete_refunds(ports: &Ports, refunds: &[(OrderId, RefundId)]) -> Result<(), Fault> {
    let orders = read(ports, refunds).await?;
    let open = refunds.iter().filter_map(|(order, id)| {
        let order = orders.get(order)?;
        let refund = order.refunds.iter().find(|refund| refund.id == *id)?;
        refund.completed_at.is_none().then_some((order, refund))
    });
    let asked = open.map(|(order, refund)| async move {
        let answer = ports.provider.refund(refund).await;
        (answer == RefundAnswer::GivenBack).then_some((order.id, refund.id))
    });
    let answered = futures_util::future::join_all(asked).await;
    note(ports, orders, answered.into_iter().flatten().collect()).await
}

/// How often others may change the orders in between.
const OTHERS: usize = 3;

/// Notes what was given back: of one order in turn, as each step names the version that it saw. What
/// others keep from being noted is asked after again.
async fn note(
    ports: &Ports,
    mut orders: HashMap<OrderId, Order>,
    mut given_back: Vec<(OrderId, RefundId)>,
) -> Result<(), Fault> {
    for _ in 0..given_back.len() + OTHERS {
        let now = ports.clock.now();
        let mut turns = HashSet::new();
        let first = given_back.iter().filter(|(order, _)| turns.insert(*order));
        let steps: Vec<_> = first
            .filter_map(|(order, refund)| orders.get(order)?.refunded(*refund, now))
            .collect();
        let committed = tell::commit(ports, &steps).await?;
        let is_done = |committed: &Committed| matches!(committed, Committed::Done(_));
        if committed.len() == given_back.len() && committed.iter().all(is_done) {
            break;
        }
        orders = read(ports, &given_back).await?;
        given_back.retain(|(order, id)| {
            let refunds = orders.get(order).map_or(&[][..], |order| &order.refunds);
            let refund = refunds.iter().find(|refund| refund.id == *id);
            refund.is_some_and(|refund| refund.completed_at.is_none())
        });
    }
    Ok(())
}

async fn read(
    ports: &Ports,
    refunds: &[(OrderId, RefundId)],
) -> Result<HashMap<OrderId, Order>, Fault> {
    let ids: Vec<OrderId> = refunds.iter().map(|(order, _)| *order).collect();
    let orders = ports.orders.orders(&ids).await?;
    Ok(orders.into_iter().map(|order| (order.id, order)).collect())
}

/// Asks again after refunds that have been open for long; returns how many.
///
/// # Errors
/// A fault of the ledger.
pub async fn ask_again(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let before = ports.clock.now() - TimeDelta::milliseconds(ports.policies.ask_again_after_ms);
    let open = ports.orders.refunding_since(before, most).await?;
    complete_refunds(ports, &open).await?;
    Ok(open.len())
}
