//! What every worker has at hand, and what it is to its runner.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Clock, Entropy};
use domain::{Fault, FaultKind};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::health::Progress;
use crate::pace::Pace;

/// A worker. It keeps what it knows over faults; a panic throws it away and makes a new one.
#[async_trait]
pub(crate) trait Worker: Send {
    /// Works until the shutdown signal, and notes every successful round.
    ///
    /// # Errors
    /// A fault it can't go on after. The runner logs it and lets it live again, after a wait.
    async fn live(&mut self, context: &Context) -> Result<End, Fault>;
}

/// How a worker's life ends, other than by a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Shutdown,
    /// It must not go on until somebody has looked; why, in a fixed sentence.
    Halted(&'static str),
}

/// What every worker has at hand.
pub(crate) struct Context {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub pace: Arc<Pace>,
    pub shutdown: CancellationToken,
    pub progress: Arc<Progress>,
}

impl Context {
    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// What `future` brings, or nothing if the shutdown signal comes first; then it is dropped where
    /// it is, so only what may be cut off belongs here.
    pub async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.shutdown.run_until_cancelled(future).await
    }

    /// Waits so many milliseconds, or until the shutdown signal; `false` when that came.
    pub async fn rest(&self, ms: u64) -> bool {
        self.unless_stopping(self.clock.sleep_ms(ms))
            .await
            .is_some()
    }

    /// Waits before the next try; `false` when the shutdown signal came.
    pub async fn back_off(&self, backoff: &mut Backoff) -> bool {
        self.rest(backoff.next_ms(&*self.entropy)).await
    }

    /// Notes a round and waits for the next one: a breath when this one found as much as it may do
    /// at once, its period otherwise.
    pub async fn rest_after_round(&self, is_full: bool, period_ms: u64) {
        self.round_done();
        self.rest(if is_full {
            self.pace.breath_ms
        } else {
            period_ms
        })
        .await;
    }

    pub fn round_done(&self) {
        self.progress.round(self.clock.now());
    }

    /// Logs a fault, here and nowhere else, and notes it.
    pub fn report(&self, fault: &Fault) {
        let faults_in_a_row = self.progress.fault();
        let cause = fault.detail();
        match fault.kind {
            FaultKind::Unavailable => {
                tracing::warn!(
                    cause,
                    faults_in_a_row,
                    "a worker met a fault and tries again"
                );
            }
            FaultKind::Corrupt => {
                tracing::error!(cause, faults_in_a_row, "a worker met what makes no sense");
            }
        }
    }
}

/// Makes of a panic what it is to whoever waits for the work: this input can't be handled, and
/// trying again would end the same.
pub(crate) async fn guarded<T>(
    doing: &'static str,
    work: impl Future<Output = Result<T, Fault>> + Send,
) -> Result<T, Fault> {
    // What the work shares is behind ports, which have to withstand a dropped future anyway.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(_) => Err(Fault::corrupt(doing, "it panicked")),
    }
}
