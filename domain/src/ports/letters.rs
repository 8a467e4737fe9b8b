//! The ledger's side of letters: who gets one, and which went out.

use async_trait::async_trait;

use crate::{EventId, Fault, OrderId, Timestamp};

#[async_trait]
pub trait Letters: Send + Sync {
    /// Those of these orders whose buyers are written to: they have an account, which is not a
    /// rehearsal's.
    async fn addressed(&self, orders: &[OrderId]) -> Result<Vec<OrderId>, Fault>;

    /// Those of these events whose letter went out.
    async fn sent(&self, events: &[EventId]) -> Result<Vec<EventId>, Fault>;

    /// Notes that the letter of an event went out; the second time changes nothing.
    async fn note_sent(&self, event: EventId, at: Timestamp) -> Result<(), Fault>;
}
