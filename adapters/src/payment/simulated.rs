//! A provider that takes no money, with books of its own that survive every crash.
//!
//! What it does follows from the token of the payment method:
//!
//! | token | what happens |
//! |---|---|
//! | `tok_approve` | captured |
//! | `tok_decline` | declined |
//! | `tok_timeout_then_approve` | captured, but the first answer is lost; asked again, it says so |
//! | `tok_answer_twice` | captured, and the answer comes twice |
//! | `tok_shopper` | a shopper: a share abandons on the payment screen, a share of the rest while it is in progress; which ones follows from the seed and the payment's id |
//!
//! Any other token is unknown and declined. The [server](super::server) knows some more.

mod books;
pub(super) mod tokens;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::payment::{CaptureAnswer, DeclineReason, Payment, Refund, RefundAnswer};
use domain::ports::Provider;
use domain::ports::provider::{
    Heard, Notice, NoticeRefused, ProviderReference, Statement, StatementCursor,
};
use domain::{Fault, OrderId, PaymentId};
use tokio::time::sleep;
use uuid::Uuid;

use crate::batcher::Batcher;
use crate::config::Simulated;
use books::{Entry, Job, Reader};

/// The simulated provider.
pub struct SimulatedProvider {
    settings: Simulated,
    reader: Reader,
    books: Batcher<books::Books>,
}

impl SimulatedProvider {
    /// Opens its books, or makes them.
    ///
    /// # Errors
    /// A file that can't be opened.
    pub async fn open(path: &Path, settings: Simulated) -> Result<Self, Fault> {
        let file = crate::embedded::file::open(path, books::SCHEMA, "opening the provider's books")
            .await?;
        let books = Batcher::start(
            books::Books::new(file.writer),
            "writing the provider's books",
        );
        Ok(Self {
            settings,
            reader: Reader::new(file.readers),
            books,
        })
    }

    async fn delay(&self) {
        let latency: Duration = self.settings.latency.duration();
        if !latency.is_zero() {
            sleep(latency).await;
        }
    }

    /// What a payment that was never asked for before comes to.
    fn outcome(&self, payment: &Payment) -> Result<(), DeclineReason> {
        match payment.method.0.as_str() {
            "tok_decline" => Err(DeclineReason::Refused),
            "tok_shopper" if tokens::abandons(&self.settings, payment.id.0) => {
                Err(DeclineReason::Abandoned)
            }
            "tok_approve" | "tok_timeout_then_approve" | "tok_answer_twice" | "tok_shopper" => {
                Ok(())
            }
            _ => Err(DeclineReason::UnknownMethod),
        }
    }

    async fn ask(&self, payment: &Payment) -> Result<CaptureAnswer, Fault> {
        let entry = Entry {
            payment: payment.id,
            amount: payment.amount,
            outcome: self.outcome(payment),
        };
        let (entry, asked) = self.books.run(Job::Capture(entry)).await?.captured()?;
        fail::fail_point!("provider-charged");
        let token = payment.method.0.as_str();
        if token == "tok_timeout_then_approve" && asked == 1 {
            return Ok(CaptureAnswer::Unknown);
        }
        if token == "tok_answer_twice" && asked == 1 {
            // The second answer is the first one over again: the books count it, nothing moves.
            let again = self.books.run(Job::Capture(entry)).await?.captured()?.0;
            return Ok(again.answer());
        }
        Ok(entry.answer())
    }
}

#[async_trait]
impl Provider for SimulatedProvider {
    async fn capture(&self, _: OrderId, payment: &Payment) -> CaptureAnswer {
        self.delay().await;
        match self.ask(payment).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                CaptureAnswer::Unknown
            }
        }
    }

    async fn look_up(&self, payment: &Payment, _: Option<&ProviderReference>) -> CaptureAnswer {
        self.delay().await;
        match self.reader.entry(payment.id).await {
            Ok(Some(entry)) => entry.answer(),
            Ok(None) => CaptureAnswer::Declined(DeclineReason::NeverReceived),
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                CaptureAnswer::Unknown
            }
        }
    }

    async fn refund(&self, refund: &Refund) -> RefundAnswer {
        self.delay().await;
        match self.books.run(Job::Refund(refund.clone())).await {
            Ok(books::Done::Refunded) => RefundAnswer::GivenBack,
            Ok(books::Done::NothingToRefund | books::Done::Captured(..)) => {
                RefundAnswer::NotGivenBack
            }
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                RefundAnswer::Unknown
            }
        }
    }

    async fn statement(
        &self,
        after: Option<&StatementCursor>,
        most: usize,
    ) -> Result<Statement, Fault> {
        const DOING: &str = "reading the provider's books";
        let after = after.map(|StatementCursor(after)| Uuid::parse_str(after));
        let after = after.transpose();
        let after = after.map_err(|error| Fault::corrupt(DOING, error))?;
        let entries = self.reader.statement(after.map(PaymentId), most).await?;
        let last = entries.last().filter(|_| entries.len() == most);
        Ok(Statement {
            next: last.map(|entry| StatementCursor(entry.payment.0.to_string())),
            entries,
        })
    }

    /// It is in this process, and tells what it has to tell in its answers.
    async fn hear(&self, _: &Notice<'_>) -> Result<Heard, NoticeRefused> {
        Err(NoticeRefused::NotTaken)
    }
}

#[cfg(test)]
mod tests;
