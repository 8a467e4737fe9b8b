//! Money taken and given back.

use async_graphql::{Enum, ID, SimpleObject};
use domain::order::{Order, OrderState};
use domain::payment::{Payment as Attempt, PaymentState as AttemptState};

use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{DateTime, count};

use super::money::Money;

/// How an order is paid.
#[derive(SimpleObject)]
pub struct Payment {
    /// The state of the payment that counts: the captured one of a paid order, else the latest.
    state: PaymentState,
    /// Every attempt, the earliest first.
    attempts: Vec<PaymentAttempt>,
}

impl Payment {
    /// The payment of an order; nothing before the first attempt.
    pub fn of(order: &Order) -> Option<Self> {
        let counts = match order.state {
            OrderState::Paid { payment, .. } | OrderState::Paying { payment, .. } => {
                order.payment(payment)
            }
            OrderState::Rejected { .. }
            | OrderState::PendingPayment { .. }
            | OrderState::Expired { .. }
            | OrderState::PaymentFailed { .. }
            | OrderState::Cancelled { .. } => order.payments.last(),
        };
        Some(Self {
            state: counts?.state.status().into(),
            attempts: order.payments.iter().map(Into::into).collect(),
        })
    }
}

/// One attempt to pay an order.
#[derive(SimpleObject)]
pub struct PaymentAttempt {
    /// Its global id, `payment_…`; the key under which the provider knows it.
    id: ID,
    /// 1 for the order's first.
    number: i32,
    /// What became of it.
    state: PaymentState,
    /// What is taken: what was left of the order when it was asked for.
    amount: Money,
    /// When the buyer asked for it.
    requested_at: DateTime,
    /// When the provider said yes or no; null while nobody knows.
    settled_at: Option<DateTime>,
    /// Why the provider said no; null unless it did.
    decline_reason: Option<DeclineReason>,
}

impl From<&Attempt> for PaymentAttempt {
    fn from(attempt: &Attempt) -> Self {
        let (settled_at, decline_reason) = match attempt.state {
            AttemptState::Requested => (None, None),
            AttemptState::Captured { at } => (Some(at), None),
            AttemptState::Declined { at, reason } => (Some(at), Some(reason)),
        };
        Self {
            id: attempt.id.to_global(),
            number: count(attempt.attempt),
            state: attempt.state.status().into(),
            amount: attempt.amount.into(),
            requested_at: attempt.requested_at.into(),
            settled_at: settled_at.map(Into::into),
            decline_reason: decline_reason.map(Into::into),
        }
    }
}

/// What became of a payment. New states may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::payment::PaymentStatus")]
pub enum PaymentState {
    /// The provider is asked until it answers. Nobody knows yet whether the money is taken.
    Requested,
    /// The money is taken.
    Captured,
    /// The provider said no; nothing is taken.
    Declined,
}

/// Why a payment was declined. New reasons may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::payment::DeclineReason")]
pub enum DeclineReason {
    /// The provider or the bank said no.
    Refused,
    /// The buyer left the payment screen.
    Abandoned,
    /// The provider does not know the payment method.
    UnknownMethod,
    /// The request never reached the provider.
    NeverReceived,
}

/// Money that goes back to the buyer.
#[derive(SimpleObject)]
pub struct Refund {
    /// Its global id, `refund_…`; the key under which the provider knows it.
    id: ID,
    /// The payment it gives back, `payment_…`.
    payment_id: ID,
    /// What became of it.
    state: RefundState,
    /// How much goes back.
    amount: Money,
    /// Why.
    reason: RefundReason,
    /// When it was asked for.
    requested_at: DateTime,
    /// When the provider gave it back; null while it is on its way.
    completed_at: Option<DateTime>,
}

impl From<&domain::payment::Refund> for Refund {
    fn from(refund: &domain::payment::Refund) -> Self {
        Self {
            id: refund.id.to_global(),
            payment_id: refund.payment.to_global(),
            state: match refund.completed_at {
                None => RefundState::Requested,
                Some(_) => RefundState::Completed,
            },
            amount: refund.amount.into(),
            reason: refund.reason.into(),
            requested_at: refund.requested_at.into(),
            completed_at: refund.completed_at.map(Into::into),
        }
    }
}

/// What became of a refund. New states may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundState {
    /// The provider is asked until it has given the money back.
    Requested,
    /// The provider gave the money back.
    Completed,
}

/// Why money goes back. New reasons may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::payment::RefundReason")]
pub enum RefundReason {
    /// Units were cancelled after they were paid.
    Cancelled,
    /// Delivered units came back.
    Returned,
    /// An operator decided so.
    ByHand,
    /// The money was taken for an order that had no use for it any more.
    StrayCapture,
}
