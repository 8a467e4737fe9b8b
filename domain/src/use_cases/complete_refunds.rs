//! Gives money back at the provider, and notes that it did.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::order::Order;
use crate::payment::RefundAnswer;
use crate::ports::Ports;
use crate::use_cases::tell;
use crate::{Fault, OrderId, RefundId};

/// Completes these refunds. One whose outcome nobody knows stays open and is asked again with its
/// id as key; one that is done changes nothing.
///
/// # Errors
/// A fault of the ledger. The provider may have been asked; asking again is harmless.
pub async fn complete_refunds(ports: &Ports, refunds: &[(OrderId, RefundId)]) -> Result<(), Fault> {
    let ids: Vec<OrderId> = refunds.iter().map(|(order, _)| *order).collect();
    let orders = ports.orders.orders(&ids).await?;
    let by_id: HashMap<OrderId, Order> =
        orders.into_iter().map(|order| (order.id, order)).collect();
    let open = refunds.iter().filter_map(|(order, id)| {
        let order = by_id.get(order)?;
        let refund = order.refunds.iter().find(|refund| refund.id == *id)?;
        refund.completed_at.is_none().then_some((order, refund))
    });
    let asked = open.map(|(order, refund)| async move {
        let answer = ports.provider.refund(refund).await;
        (order, refund.id, answer == RefundAnswer::GivenBack)
    });
    let steps: Vec<_> = futures_util::future::join_all(asked)
        .await
        .into_iter()
        .filter(|(_, _, done)| *done)
        .filter_map(|(order, refund, _)| order.refunded(refund, ports.clock.now()))
        .collect();
    tell::commit(ports, &steps).await?;
    Ok(())
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
