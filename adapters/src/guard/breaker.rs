//! One breaker with its time limit.
//!
//! The state machine is tower-resilience's. Its service wants to own each request and locks twice a
//! call, about a microsecond, which is a lot for the gate's hot path. So while a breaker is closed
//! and nothing has failed lately, a call passes by a look at one atomic; the machine hears of
//! failures, of the first success after them, and admits the calls that try again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use domain::{Fault, FaultKind};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tower::{Layer, Service, ServiceExt};
use tower_resilience::circuitbreaker::{CircuitBreakerHandle, CircuitBreakerLayer, CircuitState};

/// A breaker.
pub struct Breaker {
    name: &'static str,
    /// What a caller is told that was being done.
    doing: &'static str,
    layer: CircuitBreakerLayer,
    handle: CircuitBreakerHandle,
    /// Whether something failed since the last success that the machine was told of.
    is_doubtful: AtomicBool,
}

impl Breaker {
    /// A closed breaker that opens after `failures` in a row and stays open for `pause`.
    ///
    /// # Errors
    /// No failures at all, or no pause.
    pub fn new(
        name: &'static str,
        doing: &'static str,
        failures: usize,
        pause: Duration,
    ) -> Result<Self, Fault> {
        let (layer, handle) = CircuitBreakerLayer::builder()
            // Its events carry a copy of the name, so it is kept here.
            .name("")
            .consecutive_failures(failures)
            .wait_duration_in_open(pause)
            .on_state_transition(tell_operator(name))
            .build_with_handle()
            .map_err(|error| Fault::corrupt("making a circuit breaker", error))?;
        Ok(Self {
            name,
            doing,
            layer,
            handle,
            is_doubtful: AtomicBool::new(false),
        })
    }

    /// Whether calls are refused; also while one is trying whether it still has to be so.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.handle.state() != CircuitState::Closed
    }

    /// Makes a call that may take no longer than `limit`; refuses it at once while open.
    ///
    /// # Errors
    /// The call's own fault, or *unavailable*: no answer in time, or the breaker is open.
    pub async fn run<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        if self.is_open() {
            return self.try_again(limit, call).await;
        }
        let result = self.in_time(limit, call).await;
        if is_failure(&result) {
            self.note(true).await;
            self.is_doubtful.store(true, Ordering::Release);
        } else if self.is_doubtful.load(Ordering::Relaxed)
            && self.is_doubtful.swap(false, Ordering::AcqRel)
        {
            self.note(false).await;
        }
        result
    }

    /// Makes a call although the breaker is not closed, if the machine lets it.
    async fn try_again<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let (admit, admitted) = oneshot::channel();
        let (tell, outcome) = oneshot::channel();
        let mut judged = Box::pin(self.layer.layer(Judge).oneshot(Trial { admit, outcome }));
        tokio::select! {
            _ = &mut judged => {
                return Err(Fault::unavailable(self.doing, format!("{} is away", self.name)));
            }
            Ok(()) = admitted => {}
        }
        let result = self.in_time(limit, call).await;
        // The machine waits for it: it was admitted.
        let _ = tell.send(is_failure(&result));
        let _ = judged.await;
        result
    }

    async fn in_time<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        timeout(limit, call).await.unwrap_or_else(|_| {
            let cause = format!("{} gave no answer within {limit:?}", self.name);
            Err(Fault::unavailable(self.doing, cause))
        })
    }

    /// Tells the machine of a call that was made.
    async fn note(&self, failed: bool) {
        let (admit, _) = oneshot::channel();
        let (tell, outcome) = oneshot::channel();
        let _ = tell.send(failed);
        // Refused if it has opened in the meantime; then this call makes no difference.
        let _ = self
            .layer
            .layer(Judge)
            .oneshot(Trial { admit, outcome })
            .await;
    }
}

fn is_failure<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(fault) if fault.kind == FaultKind::Unavailable)
}

/// Says once that something is away, and once that it is back.
fn tell_operator(name: &'static str) -> impl Fn(CircuitState, CircuitState) + Send + Sync {
    let is_away = Arc::new(AtomicBool::new(false));
    move |_, to| match to {
        CircuitState::Open => {
            if !is_away.swap(true, Ordering::AcqRel) {
                tracing::warn!(
                    dependency = name,
                    "does not answer: calls are refused until it does"
                );
            }
        }
        CircuitState::HalfOpen => {}
        CircuitState::Closed => {
            is_away.store(false, Ordering::Release);
            tracing::info!(dependency = name, "answers again");
        }
    }
}

/// A call as the machine sees it.
struct Trial {
    /// Told when the machine lets it through.
    admit: oneshot::Sender<()>,
    /// Whether it failed, once it was made.
    outcome: oneshot::Receiver<bool>,
}

/// What the machine takes for the service: it passes on what came of the real call.
#[derive(Clone, Copy)]
struct Judge;

impl Service<Trial> for Judge {
    type Response = ();
    type Error = CallFailed;
    type Future = BoxFuture<'static, Result<(), CallFailed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallFailed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Trial { admit, outcome }: Trial) -> Self::Future {
        Box::pin(async move {
            let _ = admit.send(());
            match outcome.await {
                Ok(false) => Ok(()),
                Ok(true) | Err(_) => Err(CallFailed),
            }
        })
    }
}

struct CallFailed;

#[cfg(test)]
mod tests;
