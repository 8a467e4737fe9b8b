//! The payment provider.

use async_trait::async_trait;

use crate::payment::{CaptureAnswer, Payment, ProviderEntry, Refund};
use crate::{Fault, PaymentId};

#[async_trait]
pub trait Provider: Send + Sync {
    /// Takes the money, with the payment's id as key: asked twice, it takes once and answers the
    /// same.
    async fn capture(&self, payment: &Payment) -> CaptureAnswer;

    /// What became of a payment; for when its key is too old to be sent again.
    async fn look_up(&self, payment: PaymentId) -> CaptureAnswer;

    /// Gives money back, with the refund's id as key. `false` when nobody knows whether it worked;
    /// then it is asked again.
    async fn refund(&self, refund: &Refund) -> bool;

    /// What the provider has on its books, by payment id, after `after`; for the audit.
    async fn statement(
        &self,
        after: Option<PaymentId>,
        most: usize,
    ) -> Result<Vec<ProviderEntry>, Fault>;
}
