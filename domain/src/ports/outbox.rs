//! Events that were committed and are on their way to the log.

use async_trait::async_trait;

use crate::Fault;
use crate::event::Event;

#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest events, in the order they were committed per key.
    async fn pending(&self, most: usize) -> Result<Vec<(OutboxId, Event)>, Fault>;

    /// Removes what the log has.
    async fn remove(&self, ids: &[OutboxId]) -> Result<(), Fault>;

    async fn length(&self) -> Result<u64, Fault>;

    /// Returns when something was committed since the last call, or after `most_ms`.
    async fn wait(&self, most_ms: u64);
}

/// A row of the outbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OutboxId(pub i64);
