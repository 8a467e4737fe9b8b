//! What happened, as told to whoever cares. Past tense, small, without personal data.

use uuid::Uuid;

use crate::message::Topic;
use crate::order::Rejection;
use crate::trace::TraceContext;
use crate::{
    AccountId, EventId, ItemId, OrderId, PaymentId, RefundId, ReturnId, Timestamp, VerificationId,
};

/// Something that happened, with an id that is the same however often it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub id: EventId,
    pub at: Timestamp,
    pub what: What,
    /// What it happened in the course of, until it is told: in the log this stands beside it.
    pub trace: Option<Box<TraceContext>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    Order {
        order: OrderId,
        version: i64,
        happened: OrderEvent,
    },
    Item {
        item: ItemId,
        version: i64,
        happened: ItemEvent,
    },
    Account {
        account: AccountId,
        happened: AccountEvent,
    },
    /// Somebody wants to prove an e-mail address; the mail worker makes the code.
    VerificationRequested { verification: VerificationId },
}

/// What happened to an order. One transition, one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderEvent {
    Placed {
        expires_at: Timestamp,
    },
    Rejected {
        reason: Rejection,
    },
    PaymentRequested {
        payment: PaymentId,
    },
    PaymentDeclined {
        payment: PaymentId,
    },
    PaymentFailed {
        payment: PaymentId,
    },
    Paid {
        payment: PaymentId,
    },
    /// A capture arrived that the order has no use for; it goes back.
    CaptureReturned {
        payment: PaymentId,
        refund: RefundId,
    },
    Expired,
    Cancelled {
        refund: Option<RefundId>,
    },
    /// Some of its units were taken back; the rest goes on.
    LinesCancelled {
        refund: Option<RefundId>,
    },
    Dispatched,
    Delivered,
    ReturnRequested {
        request: ReturnId,
    },
    ReturnRejected {
        request: ReturnId,
    },
    ReturnCompleted {
        request: ReturnId,
        refund: Option<RefundId>,
    },
    /// An operator gives money back.
    RefundRequested {
        refund: RefundId,
    },
    Refunded {
        refund: RefundId,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemEvent {
    Created,
    Edited,
    Restocked,
    Scheduled,
}

/// What changed about how somebody signs in; its owner is told, in case it was somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountEvent {
    PasswordChanged,
    SecondFactorSet { on: bool },
}

/// The namespace of derived event ids.
const EVENTS: Uuid = Uuid::from_u128(0xc4a1_0d6e_93f5_4de8_b7a0_3f2c_8e51_96db);

impl Event {
    #[must_use]
    pub fn of_order(order: OrderId, version: i64, at: Timestamp, happened: OrderEvent) -> Self {
        let id = derived_id(order.0, version);
        Self {
            id,
            at,
            what: What::Order {
                order,
                version,
                happened,
            },
            trace: None,
        }
    }

    #[must_use]
    pub fn of_item(item: ItemId, version: i64, at: Timestamp, happened: ItemEvent) -> Self {
        let id = derived_id(item.0, version);
        Self {
            id,
            at,
            what: What::Item {
                item,
                version,
                happened,
            },
            trace: None,
        }
    }

    /// An account has no version that an id could be made of: `id` is a new one.
    #[must_use]
    pub fn of_account(
        id: EventId,
        account: AccountId,
        at: Timestamp,
        happened: AccountEvent,
    ) -> Self {
        Self {
            id,
            at,
            what: What::Account { account, happened },
            trace: None,
        }
    }

    #[must_use]
    pub fn verification_requested(verification: VerificationId, at: Timestamp) -> Self {
        let id = derived_id(verification.0, 1);
        Self {
            id,
            at,
            what: What::VerificationRequested { verification },
            trace: None,
        }
    }

    #[must_use]
    pub fn topic(&self) -> Topic {
        match self.what {
            What::Order { .. } => Topic::Orders,
            What::Item { .. } => Topic::Items,
            What::Account { .. } | What::VerificationRequested { .. } => Topic::Accounts,
        }
    }

    /// The id its records are ordered by.
    #[must_use]
    pub fn key(&self) -> Uuid {
        match &self.what {
            What::Order { order, .. } => order.0,
            What::Item { item, .. } => item.0,
            What::Account { account, .. } => account.0,
            What::VerificationRequested { verification } => verification.0,
        }
    }
}

impl OrderEvent {
    /// The refund that it asks for, if it asks for one.
    #[must_use]
    pub fn refund_asked(&self) -> Option<RefundId> {
        match *self {
            Self::Cancelled { refund }
            | Self::LinesCancelled { refund }
            | Self::ReturnCompleted { refund, .. } => refund,
            Self::CaptureReturned { refund, .. } | Self::RefundRequested { refund } => Some(refund),
            Self::Placed { .. }
            | Self::Rejected { .. }
            | Self::PaymentRequested { .. }
            | Self::PaymentDeclined { .. }
            | Self::PaymentFailed { .. }
            | Self::Paid { .. }
            | Self::Expired
            | Self::Dispatched
            | Self::Delivered
            | Self::ReturnRequested { .. }
            | Self::ReturnRejected { .. }
            | Self::Refunded { .. } => None,
        }
    }
}

fn derived_id(subject: Uuid, version: i64) -> EventId {
    let mut name = [0; 24];
    name[..16].copy_from_slice(subject.as_bytes());
    name[16..].copy_from_slice(&version.to_be_bytes());
    EventId(Uuid::new_v5(&EVENTS, &name))
}
