//! What the ledger may forget.

use async_trait::async_trait;

use crate::{Fault, Timestamp};

/// Rows that are good for a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forgettable {
    /// Which letters went out, by when.
    Letters,
    /// Sessions, by when they are over.
    Sessions,
    /// Which sessions ended before their time, by when.
    EndedSessions,
    /// Proofs of addresses, by when their codes were void.
    Verifications,
    /// What idempotency keys were used for, by when.
    IdempotencyKeys,
}

#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Forgets up to `most` rows from before an instant; returns how many there were.
    async fn forget(
        &self,
        what: Forgettable,
        before: Timestamp,
        most: usize,
    ) -> Result<usize, Fault>;
}
