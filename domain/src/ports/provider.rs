//! The payment provider.

use async_trait::async_trait;

use crate::payment::{CaptureAnswer, Payment, ProviderEntry, Refund, RefundAnswer};
use crate::{Fault, OrderId, PaymentId};

#[async_trait]
pub trait Provider: Send + Sync {
    /// Takes the money, with the payment's id as key: asked twice, it takes once and answers the
    /// same. The order's id goes with it, for whoever reads the provider's books.
    async fn capture(&self, order: OrderId, payment: &Payment) -> CaptureAnswer;

    /// What became of a payment; for when its key is too old to be sent again, and for when the
    /// provider has told of it, by which name of its own. Money that the buyer has granted already
    /// is taken.
    async fn look_up(
        &self,
        payment: &Payment,
        known_as: Option<&ProviderReference>,
    ) -> CaptureAnswer;

    /// Gives money back, with the refund's id as key: asked twice, it gives back once and answers the
    /// same.
    async fn refund(&self, refund: &Refund) -> RefundAnswer;

    /// What the provider has on its books, a page after `after`, in the provider's own order; for
    /// the audit.
    async fn statement(
        &self,
        after: Option<&StatementCursor>,
        most: usize,
    ) -> Result<Statement, Fault>;

    /// Reads what claims to come from the provider. It is a hint and no more: which payment to ask
    /// about.
    async fn hear(&self, notice: &Notice<'_>) -> Result<Heard, NoticeRefused>;
}

/// A page of the provider's books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    pub entries: Vec<ProviderEntry>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<StatementCursor>,
}

/// A place in the provider's books, in its own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementCursor(pub String);

/// What was sent to us of somebody's own accord, as it came.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    pub body: &'a [u8],
    /// What is to prove where it comes from.
    pub signature: &'a str,
}

/// What the provider itself calls a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderReference(pub String);

/// What a notice of the provider is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Something became of this payment.
    Settled {
        payment: PaymentId,
        known_as: ProviderReference,
    },
    /// Nothing that we go by.
    Nothing,
}

/// Why a notice is not listened to.
#[derive(Debug)]
pub enum NoticeRefused {
    /// This provider sends none.
    NotTaken,
    /// It is not proven to come from the provider, or to come from it just now.
    Signature,
    /// It comes from the provider and makes no sense.
    Unreadable,
    Fault(Fault),
}
