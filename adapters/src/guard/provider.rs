//! The payment provider behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::payment::{CaptureAnswer, Payment, Refund, RefundAnswer};
use domain::ports::Provider;
use domain::ports::provider::{
    Heard, Notice, NoticeRefused, ProviderReference, Statement, StatementCursor,
};
use domain::{Fault, OrderId};

use super::GuardSettings;
use super::breaker::Breaker;

const DOING: &str = "asking the payment provider";

/// A provider that is away is not waited for. A call without an answer in time, or one that was not
/// made because the breaker is open, has an *unknown* outcome: it is asked again with the same key,
/// never taken for a decline.
pub struct GuardedProvider {
    inner: Arc<dyn Provider>,
    breaker: Breaker,
    limit: Duration,
}

impl GuardedProvider {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(inner: Arc<dyn Provider>, settings: &GuardSettings) -> Result<Self, Fault> {
        let name = "payment provider";
        Ok(Self {
            inner,
            breaker: Breaker::new(name, DOING, settings.failures, settings.pause)?,
            limit: settings.provider,
        })
    }

    /// Its breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    async fn answer(&self, call: impl Future<Output = CaptureAnswer> + Send) -> CaptureAnswer {
        let known = async {
            match call.await {
                CaptureAnswer::Unknown => Err(no_answer()),
                answer @ (CaptureAnswer::Captured | CaptureAnswer::Declined(_)) => Ok(answer),
            }
        };
        let answer = self.breaker.run(self.limit, known).await;
        answer.unwrap_or(CaptureAnswer::Unknown)
    }
}

fn no_answer() -> Fault {
    Fault::unavailable(DOING, "nobody knows what came of it")
}

#[async_trait]
impl Provider for GuardedProvider {
    async fn capture(&self, order: OrderId, payment: &Payment) -> CaptureAnswer {
        self.answer(self.inner.capture(order, payment)).await
    }

    async fn look_up(
        &self,
        payment: &Payment,
        known_as: Option<&ProviderReference>,
    ) -> CaptureAnswer {
        self.answer(self.inner.look_up(payment, known_as)).await
    }

    async fn refund(&self, refund: &Refund) -> RefundAnswer {
        let known = async {
            match self.inner.refund(refund).await {
                RefundAnswer::Unknown => Err(no_answer()),
                answer @ (RefundAnswer::GivenBack | RefundAnswer::NotGivenBack) => Ok(answer),
            }
        };
        let answer = self.breaker.run(self.limit, known).await;
        answer.unwrap_or(RefundAnswer::Unknown)
    }

    async fn statement(
        &self,
        after: Option<&StatementCursor>,
        most: usize,
    ) -> Result<Statement, Fault> {
        let call = self.inner.statement(after, most);
        self.breaker.run(self.limit, call).await
    }

    /// Nobody is asked for it.
    async fn hear(&self, notice: &Notice<'_>) -> Result<Heard, NoticeRefused> {
        self.inner.hear(notice).await
    }
}
