//! Money taken and given back, in the providers' words.

use crate::{Money, PaymentId, RefundId, Timestamp};

/// One attempt to pay an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    pub id: PaymentId,
    /// 1 for the first attempt of its order.
    pub attempt: u32,
    pub method: PaymentMethod,
    pub amount: Money,
    pub requested_at: Timestamp,
    pub state: PaymentState,
}

/// The provider's token for how the buyer pays; never a card number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PaymentMethod(pub String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentState {
    /// The provider is asked, with this payment's id as key, until it answers.
    Requested,
    Captured {
        at: Timestamp,
    },
    Declined {
        at: Timestamp,
        reason: DeclineReason,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PaymentStatus {
    Requested,
    Captured,
    Declined,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeclineReason {
    /// The provider or the bank says no.
    Refused,
    /// The buyer left the payment screen.
    Abandoned,
    /// The provider does not know the token.
    UnknownMethod,
    /// The request never reached the provider.
    NeverReceived,
}

impl PaymentState {
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        match self {
            Self::Requested => PaymentStatus::Requested,
            Self::Captured { .. } => PaymentStatus::Captured,
            Self::Declined { .. } => PaymentStatus::Declined,
        }
    }
}

/// Money that goes back to the buyer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
    pub reason: RefundReason,
    pub requested_at: Timestamp,
    /// When the provider gave it back; still asked until then.
    pub completed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefundReason {
    /// Units were cancelled before they were dispatched.
    Cancelled,
    /// Units came back.
    Returned,
    /// An operator decided so.
    ByHand,
    /// The capture came for an order that had no use for it.
    StrayCapture,
}

/// What a provider answers to a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CaptureAnswer {
    Captured,
    Declined(DeclineReason),
    /// Nobody knows: time-out, broken connection. Asked again with the same key, never assumed.
    Unknown,
}

/// What a provider answers to a refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundAnswer {
    GivenBack,
    /// It has not given it back: not yet, or not without somebody looking. Asked again all the same.
    NotGivenBack,
    /// Nobody knows: time-out, broken connection. Asked again with the same key, never assumed.
    Unknown,
}

/// What a provider says it did under a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProviderEntry {
    pub payment: PaymentId,
    pub captured: Money,
    /// The sum of its refunds, in minor units, and how many there were.
    pub refunded_minor: i64,
    pub captures: u32,
    pub refunds: u32,
}

impl ProviderEntry {
    /// Adds what else was done under the same key: which should be nothing.
    pub fn add(&mut self, other: &Self) {
        if other.captures > 0 {
            let sum = match self.captures {
                0 => Some(other.captured),
                _ => self.captured.plus(other.captured),
            };
            self.captured = sum.unwrap_or(self.captured);
        }
        self.captures = self.captures.saturating_add(other.captures);
        self.refunds = self.refunds.saturating_add(other.refunds);
        self.refunded_minor = self.refunded_minor.saturating_add(other.refunded_minor);
    }
}
