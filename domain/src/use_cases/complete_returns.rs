//! Completes the returns whose day has come: late, repeated and parallel runs restock and refund
//! each once.

use std::collections::HashMap;

use crate::order::Order;
use crate::ports::Ports;
use crate::use_cases::tell;
use crate::{Fault, OrderId, RefundId};

/// Completes up to `most` returns; returns how many were due.
///
/// # Errors
/// A fault of the ledger.
pub async fn complete_returns(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let now = ports.clock.now();
    let due = ports.orders.returns_due(now, most).await?;
    let ids: Vec<OrderId> = due.iter().map(|(order, _)| *order).collect();
    let orders = ports.orders.orders(&ids).await?;
    let orders: HashMap<OrderId, Order> =
        orders.into_iter().map(|order| (order.id, order)).collect();
    let mut steps = Vec::with_capacity(due.len());
    for (order, request) in &due {
        let refund = RefundId(ports.sortable_id());
        let order = orders.get(order);
        steps.extend(order.and_then(|order| order.complete_return(*request, refund, false, now)));
    }
    // Of several returns of one order the first goes through; the others are due again.
    tell::commit(ports, &steps).await?;
    Ok(due.len())
}
