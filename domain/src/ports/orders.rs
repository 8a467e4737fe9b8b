//! The ledger's side of orders, with their stock, payments, refunds and shipments.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::gate::{Fingerprint, Receipt, Telling};
use crate::message::{Offset, OrderRecord, Partition};
use crate::order::{Order, Transition};
use crate::page::{Page, Window};
use crate::trace::TraceContext;
use crate::{AccountId, Fault, IdempotencyKey, OrderId, PaymentId, RefundId, ReturnId, Timestamp};

#[async_trait]
pub trait Orders: Send + Sync {
    /// Where the order writer goes on in a partition; the beginning, where it has not been.
    async fn writer_position(&self, partition: Partition) -> Result<Offset, Fault>;

    /// Writes a batch in one transaction: locks the stock rows in item order, then looks what was
    /// seen, decides by [`crate::batch::decide`], writes, and moves the position on from where the
    /// batch started. What happens to an order is part of that order's trace.
    async fn write_batch(&self, batch: &WriteBatch) -> Result<BatchWritten, Fault>;

    /// Commits steps in order, each wholly or not at all, in one transaction. Locks the stock rows
    /// of all of them first, in item order. Their events are part of the caller's trace.
    async fn commit(&self, steps: &[Transition]) -> Result<Vec<Committed>, Fault>;

    /// The orders of these ids, those that are there, in any order.
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Fault>;

    /// A buyer's orders, newest first.
    async fn orders_of(&self, buyer: AccountId, window: &Window) -> Result<Page<Order>, Fault>;

    /// The order that a payment is an attempt to pay, if there is one.
    async fn order_of_payment(&self, payment: PaymentId) -> Result<Option<OrderId>, Fault>;

    /// Orders in PENDING_PAYMENT whose time is over by the ledger's clock, oldest first.
    async fn overdue(&self, most: usize) -> Result<Vec<OrderId>, Fault>;

    /// Orders that have been PAYING since before `before`, to be asked about: those first whose last
    /// turn is the longest ago.
    async fn paying_since(&self, before: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault>;

    /// Orders with a refund asked for before `before` that is not completed, to be asked about: those
    /// first whose last turn is the longest ago.
    async fn refunding_since(
        &self,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(OrderId, RefundId)>, Fault>;

    /// Orders whose shipment has a step due, longest due first.
    async fn shipments_due(&self, now: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault>;

    /// Returns that are open and due, longest due first.
    async fn returns_due(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<(OrderId, ReturnId)>, Fault>;

    /// The order that a return is of.
    async fn order_of_return(&self, request: ReturnId) -> Result<Option<OrderId>, Fault>;

    /// Receipts of orders placed from `since` on, each with when that was and in that order, after
    /// the one that was placed at `after` and has that id.
    async fn receipts(
        &self,
        since: Timestamp,
        after: Option<(Timestamp, OrderId)>,
        most: usize,
    ) -> Result<Vec<(Timestamp, Receipt)>, Fault>;

    /// What a key was used for, if it was.
    async fn key_use(
        &self,
        requester: AccountId,
        mutation: &'static str,
        key: IdempotencyKey,
    ) -> Result<Option<(Fingerprint, uuid::Uuid)>, Fault>;
}

/// Records of one partition, without gaps.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    pub partition: Partition,
    /// Where the writer's row must stand.
    pub from: Offset,
    /// Where it stands afterwards.
    pub next: Offset,
    /// Those that could be read.
    pub records: Vec<OrderRecord>,
    /// The traces of the orders that somebody follows; mostly of none.
    pub traces: HashMap<OrderId, Box<TraceContext>>,
    pub hold_ms: i64,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub enum BatchWritten {
    /// Committed; what the gate has to hear.
    Done(Vec<Telling>),
    /// Somebody else moved the position: this writer's assignment is old. Nothing was written.
    NotMine,
}

/// What became of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// What the gate has to hear; empty where no stock moved.
    Done(Vec<Telling>),
    /// A guard did not hold any more: somebody committed first. Decide again.
    Conflict,
    /// The key is already used by this requester for this mutation.
    KeyTaken,
}
