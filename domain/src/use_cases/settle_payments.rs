//! Asks the provider about payments in flight, and moves their orders by what it says.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::order::{NewIds, Order, OrderState, Transition};
use crate::payment::{CaptureAnswer, DeclineReason, Payment, PaymentState};
use crate::ports::Ports;
use crate::use_cases::tell;
use crate::{Fault, OrderId, PaymentId, RefundId, ShipmentId, Timestamp};

/// Settles these payments. One whose outcome nobody knows stays in flight and is asked again; one
/// that is settled already changes nothing.
///
/// # Errors
/// A fault of the ledger. The provider may have been asked; asking again is harmless.
pub async fn settle_payments(
    ports: &Ports,
    payments: &[(OrderId, PaymentId)],
) -> Result<(), Fault> {
    let ids: Vec<OrderId> = payments.iter().map(|(order, _)| *order).collect();
    let orders = ports.orders.orders(&ids).await?;
    let by_id: HashMap<OrderId, Order> =
        orders.into_iter().map(|order| (order.id, order)).collect();
    let asked = payments.iter().filter_map(|(order, payment)| {
        let order = by_id.get(order)?;
        let payment = order.payment(*payment)?;
        matches!(payment.state, PaymentState::Requested).then_some((order, payment))
    });
    let answers = futures_util::future::join_all(asked.map(|(order, payment)| async move {
        let answer = ask(ports, order.id, payment).await;
        (order, payment.id, answer)
    }));
    let mut first = Vec::new();
    let mut too_late = Vec::new();
    for (order, payment, answer) in answers.await {
        match decide(ports, order, payment, answer) {
            Settled::Nothing => {}
            Settled::One(step) => first.push(*step),
            Settled::Declined(steps) => {
                let [again, failed] = *steps;
                first.push(again);
                too_late.push(failed);
            }
        }
    }
    // Of each declined pair the ledger's clock lets exactly one through.
    tell::commit(ports, &first).await?;
    tell::commit(ports, &too_late).await?;
    Ok(())
}

/// Asks again after payments that have been in flight for long; returns how many.
///
/// # Errors
/// A fault of the ledger.
pub async fn ask_again(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let before = ports.clock.now() - TimeDelta::milliseconds(ports.policies.ask_again_after_ms);
    let ids = ports.orders.paying_since(before, most).await?;
    let orders = ports.orders.orders(&ids).await?;
    let payments: Vec<_> = orders
        .iter()
        .filter_map(|order| match order.state {
            OrderState::Paying { payment, .. } => Some((order.id, payment)),
            _ => None,
        })
        .collect();
    settle_payments(ports, &payments).await?;
    Ok(payments.len())
}

async fn ask(ports: &Ports, order: OrderId, payment: &Payment) -> CaptureAnswer {
    let key_life = TimeDelta::milliseconds(ports.policies.provider_key_ms);
    if ports.clock.now() - payment.requested_at < key_life {
        ports.provider.capture(order, payment).await
    } else {
        ports.provider.look_up(payment, None).await
    }
}

/// What an answer of the provider comes to.
pub(crate) enum Settled {
    Nothing,
    One(Box<Transition>),
    Declined(Box<[Transition; 2]>),
}

pub(crate) fn decide(
    ports: &Ports,
    order: &Order,
    payment: PaymentId,
    answer: CaptureAnswer,
) -> Settled {
    let now = ports.clock.now();
    match answer {
        CaptureAnswer::Unknown => Settled::Nothing,
        CaptureAnswer::Captured => {
            let shipment = ShipmentId(ports.sortable_id());
            let new = NewIds {
                shipment,
                refund: RefundId(ports.sortable_id()),
            };
            match order.captured(payment, &ports.policies.calendar, new, now) {
                Some(step) => Settled::One(Box::new(step)),
                None => Settled::Nothing,
            }
        }
        CaptureAnswer::Declined(reason) => declined(order, payment, reason, now),
    }
}

fn declined(order: &Order, payment: PaymentId, reason: DeclineReason, now: Timestamp) -> Settled {
    match order.declined(payment, reason, now) {
        Some(steps) => Settled::Declined(Box::new(steps)),
        None => Settled::Nothing,
    }
}
