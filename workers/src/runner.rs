//! Runs workers: restarts them after faults and panics, and lets them leave in time.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Clock, Entropy, Ports};
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::backoff::Backoff;
use crate::cancellation::{CancellationSweep, cancellation};
use crate::context::{Context, End, Worker};
use crate::dead_letters::DeadLetters;
use crate::delivery::Delivery;
use crate::edge_relay::EdgeRelay;
use crate::expiry::Expiry;
use crate::gate_keeper::{GateBeats, GateHealing, GateRounds};
use crate::health::{Health, Progress, WorkerState};
use crate::housekeeping::Housekeeping;
use crate::mail::mail;
use crate::name::WorkerName;
use crate::order_writer::{IntoLedger, OrderWriter};
use crate::outbox_relay::OutboxRelay;
use crate::pace::Pace;
use crate::payment::{PaymentSweep, payment};
use crate::returns::Returns;

/// Workers that run as tasks of this process.
#[derive(Debug)]
pub struct Workers {
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    health: Health,
    shutdown: CancellationToken,
    patience: Duration,
}

/// Makes a worker, at its start and again after a panic.
type Make = Box<dyn Fn() -> Box<dyn Worker> + Send + Sync>;

/// One thing to run: whose part it is, the part's own name, and how it is made.
pub(crate) struct Part {
    pub worker: WorkerName,
    pub name: &'static str,
    pub make: Make,
}

impl Workers {
    /// Starts the workers of these names, each once. `shutdown` tells them to stop taking work,
    /// finish what they have, and leave.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(
        ports: &Ports,
        pace: Pace,
        names: &[WorkerName],
        shutdown: CancellationToken,
    ) -> Self {
        let names: BTreeSet<_> = names.iter().copied().collect();
        let parts = names
            .into_iter()
            .flat_map(|name| parts(name, ports))
            .collect();
        Self::run(parts, &ports.clock, &ports.entropy, pace, shutdown)
    }

    pub(crate) fn run(
        parts: Vec<Part>,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn Entropy>,
        pace: Pace,
        shutdown: CancellationToken,
    ) -> Self {
        let pace = Arc::new(pace);
        let mut tasks = Vec::new();
        let mut all_progress = Vec::new();
        for Part { worker, name, make } in parts {
            let progress = Progress::new(worker, name, pace.late_after_ms, clock.now());
            let progress = Arc::new(progress);
            all_progress.push(progress.clone());
            let context = Context {
                clock: clock.clone(),
                entropy: entropy.clone(),
                pace: pace.clone(),
                shutdown: shutdown.clone(),
                progress,
            };
            let span = tracing::info_span!("worker", worker = name);
            tasks.push((
                name,
                tokio::spawn(supervise(make, context).instrument(span)),
            ));
        }
        let patience = Duration::from_millis(pace.shutdown_ms);
        Self {
            tasks,
            health: Health::new(all_progress),
            shutdown,
            patience,
        }
    }

    /// How they are doing, now and later.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Waits for the shutdown signal, and then until all have left, at most
    /// [`Pace::shutdown_ms`]. Those still there afterwards are stopped where they are and named: what
    /// they had in hand is done again at the next start.
    pub async fn finish(self) -> Vec<&'static str> {
        self.shutdown.cancelled().await;
        let deadline = Instant::now() + self.patience;
        let mut late = Vec::new();
        for (part, mut task) in self.tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                tracing::error!(
                    worker = part,
                    "a worker did not leave in time and was stopped"
                );
                late.push(part);
            }
        }
        late
    }
}

/// Lets a worker live, again and again, until it leaves or halts.
async fn supervise(make: Make, context: Context) {
    let mut backoff = Backoff::new(context.pace.restart);
    let mut worker = make();
    while !context.is_stopping() {
        let rounds_before = context.progress.health().last_round;
        // After a panic nothing of the worker is used again.
        let life = AssertUnwindSafe(worker.live(&context)).catch_unwind().await;
        match life {
            Ok(Ok(End::Shutdown)) => break,
            Ok(Ok(End::Halted(why))) => {
                tracing::error!(
                    why,
                    "ALARM: a worker stopped for good and needs an operator"
                );
                context.progress.end(WorkerState::Halted(why));
                return;
            }
            Ok(Err(fault)) => context.report(&fault),
            Err(_) => {
                let faults_in_a_row = context.progress.fault();
                tracing::error!(faults_in_a_row, "a worker panicked and is started again");
                worker = make();
            }
        }
        if context.progress.health().last_round != rounds_before {
            backoff.reset();
        }
        context.back_off(&mut backoff).await;
    }
    tracing::debug!("a worker left");
    context.progress.end(WorkerState::Left);
}

fn parts(worker: WorkerName, ports: &Ports) -> Vec<Part> {
    let part = |name, make: fn(Ports) -> Box<dyn Worker>| {
        let ports = ports.clone();
        Part {
            worker,
            name,
            make: Box::new(move || make(ports.clone())),
        }
    };
    let name = worker.name();
    match worker {
        WorkerName::OrderWriter => vec![part(name, |ports| {
            Box::new(OrderWriter::new(ports.log.clone(), IntoLedger(ports)))
        })],
        WorkerName::Payment => vec![
            part(name, |ports| Box::new(payment(ports))),
            part("payment-sweep", |ports| Box::new(PaymentSweep(ports))),
        ],
        WorkerName::Cancellation => vec![
            part(name, |ports| Box::new(cancellation(ports))),
            part("cancellation-sweep", |ports| {
                Box::new(CancellationSweep(ports))
            }),
        ],
        WorkerName::Expiry => vec![part(name, |ports| Box::new(Expiry(ports)))],
        WorkerName::Delivery => vec![part(name, |ports| Box::new(Delivery(ports)))],
        WorkerName::Returns => vec![part(name, |ports| Box::new(Returns(ports)))],
        WorkerName::Mail => vec![part(name, |ports| Box::new(mail(ports)))],
        WorkerName::DeadLetters => vec![part(name, |ports| {
            Box::new(DeadLetters::new(ports.log, ports.dead_letters))
        })],
        WorkerName::EdgeRelay => vec![part(name, |ports| Box::new(EdgeRelay(ports)))],
        WorkerName::OutboxRelay => vec![part(name, |ports| Box::new(OutboxRelay(ports)))],
        WorkerName::GateKeeper => vec![
            part(name, |ports| Box::new(GateRounds::new(ports))),
            part("gate-beat", |ports| Box::new(GateBeats(ports))),
            part("gate-healing", |ports| Box::new(GateHealing(ports))),
        ],
        WorkerName::Housekeeping => vec![part(name, |ports| Box::new(Housekeeping(ports)))],
    }
}

#[cfg(test)]
mod tests;
