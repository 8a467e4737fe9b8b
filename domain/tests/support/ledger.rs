//! What the ledger does with a step: the rows it names must be as it saw them; then it writes what
//! the step says, and nothing else.

use domain::order::{Change, Deadline, Order, OrderState, Transition};
use domain::payment::PaymentState;
use domain::{PaymentId, Timestamp};

/// The order after the step; `None` where a guard does not hold.
pub fn commit(order: &Order, step: &Transition, now: Timestamp) -> Option<Order> {
    holds(order, step, now).then(|| written(order, step))
}

/// Whether everything is still as the step saw it.
pub fn holds(order: &Order, step: &Transition, now: Timestamp) -> bool {
    let guard = &step.guard;
    let shipment = order.shipment.as_ref();
    let shipment = shipment.map(|shipment| (shipment.id, shipment.status()));
    let side = match guard.deadline {
        None => true,
        Some(side) => order.payment_due_at().is_some_and(|due| match side {
            Deadline::Ahead => due > now,
            Deadline::Passed => due <= now,
        }),
    };
    let rows = payment_row(order, step) && refund_row(order, step) && other_rows(order, step);
    guard.status == order.status()
        && guard.version == order.version
        && guard.payment == payment_of(&order.state)
        && side
        && (guard.shipment.is_none() || guard.shipment == shipment)
        && rows
}

fn payment_of(state: &OrderState) -> Option<PaymentId> {
    match state {
        OrderState::Paying { payment, .. } | OrderState::Paid { payment, .. } => Some(*payment),
        _ => None,
    }
}

fn payment_row(order: &Order, step: &Transition) -> bool {
    match &step.payment {
        Some(Change::Move { from, to }) => {
            let row = order.payment(to.id);
            row.is_some_and(|row| row.state.status() == *from)
        }
        Some(Change::Insert(new)) => order.payment(new.id).is_none(),
        None => true,
    }
}

fn refund_row(order: &Order, step: &Transition) -> bool {
    let mut refunds = order.refunds.iter();
    match &step.refund {
        Some(Change::Move { to, .. }) => {
            refunds.any(|row| row.id == to.id && row.completed_at.is_none())
        }
        Some(Change::Insert(new)) => refunds.all(|row| row.id != new.id),
        None => true,
    }
}

fn other_rows(order: &Order, step: &Transition) -> bool {
    let shipment = match &step.shipment {
        Some(Change::Insert(_)) => order.shipment.is_none(),
        Some(Change::Move { from, to }) => order
            .shipment
            .as_ref()
            .is_some_and(|row| row.id == to.id && row.status() == *from),
        None => true,
    };
    let mut returns = order.returns.iter();
    let returning = match &step.returning {
        Some(Change::Insert(new)) => returns.all(|row| row.id != new.id),
        Some(Change::Move { from, to }) => {
            returns.any(|row| row.id == to.id && row.state.status() == *from)
        }
        None => true,
    };
    shipment && returning
}

/// The rows afterwards: the step's own changes on top of what is there. They have to be the order
/// that the step says comes next, or somebody would decide on what nobody wrote.
fn written(order: &Order, step: &Transition) -> Order {
    let mut next = Order {
        state: step.next.state,
        version: order.version + 1,
        ..order.clone()
    };
    match &step.payment {
        Some(Change::Insert(new)) => {
            assert_eq!(
                new.state,
                PaymentState::Requested,
                "a payment begins as a request"
            );
            next.payments.push(new.clone());
        }
        Some(Change::Move { to, .. }) => {
            let row = next.payments.iter_mut().find(|row| row.id == to.id);
            *row.unwrap() = to.clone();
        }
        None => {}
    }
    match &step.refund {
        Some(Change::Insert(new)) => next.refunds.push(new.clone()),
        Some(Change::Move { to, .. }) => {
            let row = next.refunds.iter_mut().find(|row| row.id == to.id);
            *row.unwrap() = to.clone();
        }
        None => {}
    }
    match &step.shipment {
        Some(Change::Insert(to) | Change::Move { to, .. }) => next.shipment = Some(to.clone()),
        None => {}
    }
    match &step.returning {
        Some(Change::Insert(new)) => next.returns.push(new.clone()),
        Some(Change::Move { to, .. }) => {
            let row = next.returns.iter_mut().find(|row| row.id == to.id);
            *row.unwrap() = to.clone();
        }
        None => {}
    }
    for at in &step.lines {
        let at = usize::try_from(*at).unwrap();
        next.lines[at] = step.next.lines[at];
    }
    if step.address.is_some() {
        next.delivery_address.clone_from(&step.address);
    }
    assert_eq!(next, step.next, "a step writes all that it changes");
    next
}
