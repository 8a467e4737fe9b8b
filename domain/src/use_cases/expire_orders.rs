//! Puts units back on sale whose buyers did not pay in time.

use crate::Fault;
use crate::ports::Ports;
use crate::use_cases::tell;

/// Expires up to `most` overdue orders; returns how many were overdue. A payment that began in the
/// meantime wins.
///
/// # Errors
/// A fault of the ledger.
pub async fn expire_orders(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let overdue = ports.orders.overdue(most).await?;
    let now = ports.clock.now();
    let steps: Vec<_> = ports
        .orders
        .orders(&overdue)
        .await?
        .iter()
        .filter_map(|order| order.expire(now))
        .collect();
    tell::commit(ports, &steps).await?;
    Ok(overdue.len())
}
