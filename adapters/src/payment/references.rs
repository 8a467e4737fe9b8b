//! What a provider calls our payments.

use async_trait::async_trait;
use domain::{Fault, PaymentId};

/// Keeps the provider's names. A name never changes, so the first one stays.
#[async_trait]
pub trait References: Send + Sync {
    /// Keeps what the provider calls a payment, unless it is known.
    async fn remember(&self, payment: PaymentId, reference: &str) -> Result<(), Fault>;

    /// What the provider calls a payment, as far as anybody was told.
    async fn recall(&self, payment: PaymentId) -> Result<Option<String>, Fault>;
}
