//! An order and everything that hangs on it, with the states it can be in.

mod lifecycle;
pub mod transition;

use crate::delivery::Shipment;
use crate::gate::Fingerprint;
use crate::payment::{Payment, Refund};
use crate::stock::Units;
use crate::{AccountId, ItemId, Money, OrderId, PaymentId, Quantity, Timestamp};

pub use lifecycle::NewIds;
pub use transition::{Change, Deadline, Guard, KeyUse, Transition};

/// An order as the ledger has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub id: OrderId,
    pub buyer: AccountId,
    pub fingerprint: Fingerprint,
    pub lines: Vec<Line>,
    pub total: Money,
    /// When it was accepted at the gate.
    pub placed_at: Timestamp,
    pub state: OrderState,
    /// Rises by one with every transition, from 1.
    pub version: i64,
    /// In the order of their attempts.
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub shipment: Option<Shipment>,
}

/// Units of an item at the price they were ordered at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    pub item: ItemId,
    pub quantity: Quantity,
    pub unit_price: Money,
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

/// What a buyer may do with an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderAction {
    Pay,
    Cancel,
}

/// Whether an action is open, until when, and why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permission {
    pub action: OrderAction,
    pub until: Option<Timestamp>,
    pub refused: Option<crate::Reason>,
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

impl Line {
    /// The line's amount; `None` only for figures no checked order has.
    #[must_use]
    pub fn subtotal(&self) -> Option<Money> {
        self.unit_price.times(self.quantity.get())
    }
}

impl Order {
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        self.state.status()
    }

    /// The units of the order, lines of one item added up, in item order.
    #[must_use]
    pub fn units(&self) -> Vec<Units> {
        crate::message::sum_by_item(
            self.lines
                .iter()
                .map(|line| (line.item, line.quantity.get())),
        )
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

    /// What its buyer may do now, until when, and why not.
    #[must_use]
    pub fn permissions(&self, now: Timestamp) -> Vec<Permission> {
        let pay = match self.state {
            OrderState::PendingPayment { expires_at } if expires_at <= now => {
                Err(crate::Reason::PaymentWindowClosed { since: expires_at })
            }
            OrderState::PendingPayment { .. } => Ok(()),
            _ => Err(self.conflict()),
        };
        let cancel = if self.can_cancel() {
            Ok(())
        } else {
            Err(self.conflict())
        };
        let permission = |action, until, allowed: Result<(), crate::Reason>| Permission {
            action,
            until: allowed.is_ok().then_some(until).flatten(),
            refused: allowed.err(),
        };
        vec![
            permission(OrderAction::Pay, self.payment_due_at(), pay),
            permission(OrderAction::Cancel, self.cancel_until(), cancel),
        ]
    }

    /// The refusal of what this state does not allow.
    #[must_use]
    pub fn conflict(&self) -> crate::Reason {
        let mut allowed = Vec::new();
        if matches!(self.state, OrderState::PendingPayment { .. }) {
            allowed.push(OrderAction::Pay);
        }
        if self.can_cancel() {
            allowed.push(OrderAction::Cancel);
        }
        crate::Reason::StateConflict {
            state: self.status(),
            allowed,
        }
    }
}
