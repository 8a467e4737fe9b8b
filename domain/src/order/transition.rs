//! A step of an order, decided in memory and written at once, or not at all.

use crate::act::Act;
use crate::delivery::{Address, Shipment, ShipmentStatus};
use crate::event::Event;
use crate::order::{Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus, Refund};
use crate::return_request::{ReturnRequest, ReturnStatus};
use crate::stock::Units;
use crate::{AccountId, IdempotencyKey, PaymentId, ShipmentId};

/// Everything one step changes. The ledger commits all of it in one transaction if every guard
/// still holds, and nothing otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    pub guard: Guard,
    /// The order afterwards.
    pub next: Order,
    pub payment: Option<Change<Payment, PaymentStatus>>,
    pub refund: Option<Change<Refund, RefundOpen>>,
    pub shipment: Option<Change<Shipment, ShipmentStatus>>,
    pub returning: Option<Change<ReturnRequest, ReturnStatus>>,
    /// The lines of which something was cancelled or returned, by their place.
    pub lines: Vec<u32>,
    /// Where the parcel goes, when that was said with this step.
    pub address: Option<Address>,
    /// Units that go back on sale, in item order.
    pub released: Vec<Units>,
    pub event: Event,
    /// The key under which a client asked for it, written with it.
    pub key: Option<KeyUse>,
    /// The operator's act that it is, written with it.
    pub act: Option<Act>,
}

/// What the step saw, and what must still be so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guard {
    pub status: OrderStatus,
    /// The order's version: whatever else moved it, moved it on from here.
    pub version: i64,
    /// The payment in flight or captured: the status alone does not tell attempts apart.
    pub payment: Option<PaymentId>,
    /// Compared by the ledger's clock alone.
    pub deadline: Option<Deadline>,
    /// The shipment that must still stand where it stood.
    pub shipment: Option<(ShipmentId, ShipmentStatus)>,
}

/// On which side of `expires_at` the step has to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    Ahead,
    Passed,
}

/// A row that is new, or one that moves on from the status it was seen in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change<T, S> {
    Insert(T),
    Move { from: S, to: T },
}

/// A refund moves once: from asked to completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefundOpen;

/// A client's key for one mutation, with what it was used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUse {
    pub requester: AccountId,
    /// The mutation's name, as in the schema.
    pub mutation: &'static str,
    pub key: IdempotencyKey,
    pub fingerprint: crate::gate::Fingerprint,
    /// The id of what it made or changed.
    pub subject: uuid::Uuid,
}
