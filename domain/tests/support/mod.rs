//! Orders in every state, and every command that can meet them.

#![allow(dead_code, reason = "each test binary uses its part")]

mod ledger;

use domain::delivery::{DayLength, DeliveryCalendar};
use domain::gate::Fingerprint;
use domain::order::{Deadline, Line, NewIds, Order, OrderState, Rejection, Transition};
use domain::payment::{DeclineReason, PaymentMethod, PaymentState};
use domain::policy::ReturnPolicy;
use domain::{
    AccountId, Currency, ItemId, Money, OrderId, PaymentId, Quantity, RefundId, ShipmentId,
    Timestamp,
};
use uuid::Uuid;

pub fn now() -> Timestamp {
    "2026-05-04T03:00:00Z".parse().unwrap()
}

pub fn due() -> Timestamp {
    now() + chrono::TimeDelta::minutes(2)
}

/// After the hour at which parcels move.
fn days_later(days: i64) -> Timestamp {
    now() + chrono::TimeDelta::days(days)
}

pub fn calendar() -> DeliveryCalendar {
    DeliveryCalendar {
        day: DayLength::Calendar(chrono_tz::Asia::Seoul),
        hour: 6,
        days_to_dispatch: 1,
        days_to_deliver: 1,
    }
}

pub fn returns() -> ReturnPolicy {
    ReturnPolicy {
        days_to_request: 1,
        days_to_complete: 1,
    }
}

pub fn new_ids() -> NewIds {
    NewIds {
        shipment: ShipmentId(Uuid::from_u128(70)),
        refund: RefundId(Uuid::from_u128(80)),
    }
}

/// A pending order of two lines of one item and one of another.
pub fn pending() -> Order {
    let won = Currency::from_code("KRW").unwrap();
    let line = |item, quantity| {
        let price = Money {
            minor: 1_000,
            currency: won,
        };
        let quantity = Quantity::new(quantity).unwrap();
        Line::new(ItemId(Uuid::from_u128(item)), quantity, price)
    };
    Order {
        id: OrderId(Uuid::from_u128(1)),
        buyer: AccountId(Uuid::from_u128(2)),
        fingerprint: Fingerprint(3),
        lines: vec![line(11, 2), line(10, 1), line(11, 3)],
        total: Money {
            minor: 6_000,
            currency: won,
        },
        placed_at: now(),
        state: OrderState::PendingPayment { expires_at: due() },
        version: 1,
        payments: Vec::new(),
        refunds: Vec::new(),
        delivery_address: None,
        shipment: None,
        returns: Vec::new(),
    }
}

pub struct Sample {
    pub name: &'static str,
    pub order: Order,
}

/// An order in every state it can get to, by the steps that lead there.
pub fn samples() -> Vec<Sample> {
    let pending = pending();
    let paying = go(&pending, Command::Pay);
    let pending_again = go(&paying, Command::Declined);
    let paying_again = go(&pending_again, Command::Pay);
    let paid = go(&paying, Command::Captured);
    let in_transit = go(&paid, Command::Dispatch);
    let cancelled_paid = go(&paid, Command::Cancel);
    let rejected = Order {
        state: OrderState::Rejected {
            reason: Rejection::OutOfStock,
        },
        ..pending.clone()
    };
    let failed = Command::Declined.steps(&paying).unwrap()[1].next.clone();
    [
        ("rejected", rejected),
        ("paid_at_second_try", go(&paying_again, Command::Captured)),
        ("expired", go(&pending, Command::Expire)),
        ("expired_after_decline", go(&pending_again, Command::Expire)),
        ("payment_failed", failed),
        ("cancelled", go(&pending, Command::Cancel)),
        ("cancelled_refunded", go(&cancelled_paid, Command::Refunded)),
        ("delivered", go(&in_transit, Command::Deliver)),
        ("pending", pending),
        ("pending_again", pending_again),
        ("paying", paying),
        ("paying_again", paying_again),
        ("paid", paid),
        ("in_transit", in_transit),
        ("cancelled_paid", cancelled_paid),
    ]
    .map(|(name, order)| Sample { name, order })
    .into()
}

fn go(order: &Order, command: Command) -> Order {
    command.steps(order).unwrap()[0].next.clone()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Pay,
    /// The provider's yes to the newest attempt.
    Captured,
    /// Its no.
    Declined,
    /// A yes to an attempt that had been declined.
    LateCapture,
    /// A no to an attempt that had been declined.
    LateDecline,
    Expire,
    Cancel,
    Dispatch,
    Deliver,
    Refunded,
}

impl Command {
    pub const ALL: [Self; 10] = [
        Self::Pay,
        Self::Captured,
        Self::Declined,
        Self::LateCapture,
        Self::LateDecline,
        Self::Expire,
        Self::Cancel,
        Self::Dispatch,
        Self::Deliver,
        Self::Refunded,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::LateCapture => "late_capture",
            Self::LateDecline => "late_decline",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
            Self::Dispatch => "dispatch",
            Self::Deliver => "deliver",
            Self::Refunded => "refunded",
        }
    }

    /// What the order makes of the command; `None` when nothing.
    pub fn steps(self, order: &Order) -> Option<Vec<Transition>> {
        let current = order
            .payments
            .iter()
            .rev()
            .find(|payment| payment.state == PaymentState::Requested)
            .map(|payment| payment.id);
        let declined = order
            .payments
            .iter()
            .find(|payment| matches!(payment.state, PaymentState::Declined { .. }))
            .map(|payment| payment.id);
        let captured = |payment: Option<PaymentId>| {
            order
                .captured(payment?, &calendar(), new_ids(), now())
                .map(|step| vec![step])
        };
        let refused = |payment: Option<PaymentId>| {
            order
                .declined(payment?, DeclineReason::Refused, now())
                .map(Vec::from)
        };
        match self {
            Self::Pay => {
                let attempt = order.payments.len() as u128;
                let payment = PaymentId(Uuid::from_u128(90 + attempt));
                order
                    .pay(payment, PaymentMethod("tok".into()), None, now())
                    .ok()
                    .map(|step| vec![step])
            }
            Self::Captured => captured(current),
            Self::Declined => refused(current),
            Self::LateCapture => captured(declined),
            Self::LateDecline => refused(declined),
            Self::Expire => order.expire(now()).map(|step| vec![step]),
            Self::Cancel => order
                .cancel(&[], new_ids().refund, now())
                .ok()
                .map(|step| vec![step]),
            Self::Dispatch => order
                .dispatch("1".into(), &calendar(), days_later(1))
                .map(|step| vec![step]),
            Self::Deliver => order.deliver(days_later(2)).map(|step| vec![step]),
            Self::Refunded => {
                let open = order
                    .refunds
                    .iter()
                    .find(|refund| refund.completed_at.is_none());
                order.refunded(open?.id, now()).map(|step| vec![step])
            }
        }
    }
}

/// What the ledger makes of a step; whatever side of the deadline it is for, that is where it comes.
pub fn after(order: &Order, step: &Transition) -> Option<Order> {
    let now = match step.guard.deadline {
        Some(Deadline::Passed) => due(),
        Some(Deadline::Ahead) | None => now(),
    };
    ledger::commit(order, step, now)
}
