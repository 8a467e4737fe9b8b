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
//! Any other token is unknown and declined.

mod books;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::payment::{CaptureAnswer, DeclineReason, Payment, ProviderEntry, Refund};
use domain::ports::Provider;
use domain::{Fault, PaymentId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

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
            "tok_shopper" if self.abandons(payment.id) => Err(DeclineReason::Abandoned),
            "tok_approve" | "tok_timeout_then_approve" | "tok_answer_twice" | "tok_shopper" => {
                Ok(())
            }
            _ => Err(DeclineReason::UnknownMethod),
        }
    }

    fn abandons(&self, payment: PaymentId) -> bool {
        let (high, low) = payment.0.as_u64_pair();
        let mut dice = StdRng::seed_from_u64(self.settings.seed ^ high ^ low.rotate_left(32));
        dice.random_bool(self.settings.abandon_on_screen)
            || dice.random_bool(self.settings.abandon_in_progress)
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
    async fn capture(&self, payment: &Payment) -> CaptureAnswer {
        self.delay().await;
        match self.ask(payment).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                CaptureAnswer::Unknown
            }
        }
    }

    async fn look_up(&self, payment: PaymentId) -> CaptureAnswer {
        self.delay().await;
        match self.reader.entry(payment).await {
            Ok(Some(entry)) => entry.answer(),
            Ok(None) => CaptureAnswer::Declined(DeclineReason::NeverReceived),
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                CaptureAnswer::Unknown
            }
        }
    }

    async fn refund(&self, refund: &Refund) -> bool {
        self.delay().await;
        match self.books.run(Job::Refund(refund.clone())).await {
            Ok(done) => matches!(done, books::Done::Refunded),
            Err(fault) => {
                tracing::warn!(detail = fault.detail(), "the provider gave no answer");
                false
            }
        }
    }

    async fn statement(
        &self,
        after: Option<PaymentId>,
        most: usize,
    ) -> Result<Vec<ProviderEntry>, Fault> {
        self.reader.statement(after, most).await
    }
}

#[cfg(test)]
mod tests;
