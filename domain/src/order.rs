//! An order and everything that hangs on it, with the states it can be in.

mod giving_back;
mod lifecycle;
mod line;
mod permission;
pub mod transition;

use crate::delivery::{Address, Shipment};
use crate::gate::Fingerprint;
use crate::payment::{Payment, Refund};
use crate::return_request::ReturnRequest;
use crate::{AccountId, Money, OrderId, PaymentId, Timestamp};

pub use lifecycle::NewIds;
pub use line::{Line, Portion};
pub use permission::{OrderAction, Permission};
pub use transition::{Change, Deadline, Guard, KeyUse, Transition};

/// An order as the ledger has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub id: OrderId,
    pub buyer: AccountId,
    pub fingerprint: Fingerprint,
    pub lines: Vec<Line>,
    /// What was ordered, at the prices of that moment.
    pub total: Money,
    /// When it was accepted at the gate.
    pub placed_at: Timestamp,
    pub state: OrderState,
    /// Rises by one with every transition, from 1.
    pub version: i64,
    /// In the order of their attempts.
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    /// Where it goes, once its buyer has said so.
    pub delivery_address: Option<Address>,
    pub shipment: Option<Shipment>,
    /// The earliest first.
    pub returns: Vec<ReturnRequest>,
}

/// The state of an order, with what belongs to it alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderState {
    /// The ledger had no room for it; nothing is held.
    Rejected {
        reason: Rejection,
    },
    /// The units are the buyer's until `expires_at`.
    PendingPayment {
        expires_at: Timestamp,
    },
    /// A payment is in flight; expiry can't touch it.
    Paying {
        payment: PaymentId,
        expires_at: Timestamp,
    },
    /// Captured exactly once.
    Paid {
        payment: PaymentId,
        at: Timestamp,
    },
    Expired {
        at: Timestamp,
    },
    PaymentFailed {
        at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
    },
}

/// Why the ledger turned an accepted order down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rejection {
    /// The gate had let too many through.
    OutOfStock,
    /// The gate had forgotten what the buyer holds.
    PurchaseLimit,
    /// One shard took, another refused.
    Withdrawn,
    /// An item of it is not in the ledger.
    UnknownItem,
    /// What was admitted is not what was ordered.
    Inconsistent,
}

/// The state without its data: what is compared, stored and shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderStatus {
    /// Queued at the edge; the ledger does not have it yet.
    Accepted,
    Rejected,
    PendingPayment,
    Paying,
    Paid,
    Expired,
    PaymentFailed,
    Cancelled,
}

impl OrderStatus {
    /// The states the ledger can hold.
    pub const IN_LEDGER: [Self; 7] = [
        Self::Rejected,
        Self::PendingPayment,
        Self::Paying,
        Self::Paid,
        Self::Expired,
        Self::PaymentFailed,
        Self::Cancelled,
    ];

    /// Whether the order's units are the buyer's.
    #[must_use]
    pub fn holds(self) -> bool {
        match self {
            Self::PendingPayment | Self::Paying | Self::Paid => true,
            Self::Accepted
            | Self::Rejected
            | Self::Expired
            | Self::PaymentFailed
            | Self::Cancelled => false,
        }
    }
}

impl OrderState {
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        match self {
            Self::Rejected { .. } => OrderStatus::Rejected,
            Self::PendingPayment { .. } => OrderStatus::PendingPayment,
            Self::Paying { .. } => OrderStatus::Paying,
            Self::Paid { .. } => OrderStatus::Paid,
            Self::Expired { .. } => OrderStatus::Expired,
            Self::PaymentFailed { .. } => OrderStatus::PaymentFailed,
            Self::Cancelled { .. } => OrderStatus::Cancelled,
        }
    }
}

impl Order {
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        self.state.status()
    }

    /// Until when it can be paid, while it can be.
    #[must_use]
    pub fn payment_due_at(&self) -> Option<Timestamp> {
        match self.state {
            OrderState::PendingPayment { expires_at } | OrderState::Paying { expires_at, .. } => {
                Some(expires_at)
            }
            OrderState::Rejected { .. }
            | OrderState::Paid { .. }
            | OrderState::Expired { .. }
            | OrderState::PaymentFailed { .. }
            | OrderState::Cancelled { .. } => None,
        }
    }

    #[must_use]
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }
}
