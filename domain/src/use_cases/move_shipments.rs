//! Dispatches and delivers what is due: late, repeated and parallel runs move each parcel once.

use crate::Fault;
use crate::delivery::ShipmentStatus;
use crate::ports::Ports;
use crate::use_cases::tell;

/// Moves up to `most` shipments by one step; returns how many were due.
///
/// # Errors
/// A fault of the ledger.
pub async fn move_shipments(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let now = ports.clock.now();
    let due = ports.orders.shipments_due(now, most).await?;
    let orders = ports.orders.orders(&due).await?;
    let calendar = &ports.policies.calendar;
    let steps: Vec<_> = orders
        .iter()
        .filter_map(|order| match order.shipment.as_ref()?.status() {
            ShipmentStatus::Preparing => order.dispatch(tracking_number(ports), calendar, now),
            ShipmentStatus::InTransit => order.deliver(now),
            ShipmentStatus::Delivered | ShipmentStatus::Cancelled => None,
        })
        .collect();
    tell::commit(ports, &steps).await?;
    Ok(due.len())
}

/// Twelve digits, as parcel services print them.
fn tracking_number(ports: &Ports) -> String {
    let number = ports.random_id().as_u128() % 1_000_000_000_000;
    format!("{number:012}")
}
