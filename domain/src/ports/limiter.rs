//! Counting of what may be done only so often.

use async_trait::async_trait;

use crate::Fault;
use crate::rate::{Bucket, Rate};

/// Buckets that fill again with time.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Takes one from a bucket, or nothing when it is empty.
    async fn take(&self, bucket: &Bucket, rate: Rate) -> Result<Taken, Fault>;
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    Yes,
    /// There is one again after so many milliseconds, at least 1.
    No {
        retry_after_ms: u64,
    },
}
