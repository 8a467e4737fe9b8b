//! Events that were committed and are on their way to the log.

use async_trait::async_trait;

use crate::Fault;
use crate::event::Event;

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes up to `most` events, the oldest that nobody else has taken, in the order they were
    /// committed per key, each with the trace it was committed in. Of a key that somebody else has
    /// something older of, nothing is taken.
    async fn take(&self, most: usize) -> Result<Taken, Fault>;

    async fn length(&self) -> Result<u64, Fault>;

    /// Returns when something may have been committed since the last call, or after `most_ms`.
    async fn wait(&self, most_ms: u64);
}

/// Events that somebody has taken.
pub struct Taken {
    pub events: Vec<Event>,
    pub claim: Box<dyn Claim>,
}

/// What keeps events with whoever took them. Dropping it gives them back.
#[async_trait]
pub trait Claim: Send + Sync {
    /// Removes the events: the log has them.
    async fn remove(self: Box<Self>) -> Result<(), Fault>;
}
