//! The workers of a process.

use std::sync::Arc;

use adapters::config::Config;
use adapters::guard::Guards;
use api::app::Lacks;
use domain::ports::Clock;
use tokio_util::sync::CancellationToken;
use workers::{Health, Pace, WorkerName, Workers};

use crate::compose::World;

/// Workers that run, and how they are told to leave.
pub struct Crew {
    workers: Workers,
    leave: CancellationToken,
    guards: Guards,
    clock: Arc<dyn Clock>,
}

impl Crew {
    /// Starts the workers of these names.
    pub fn start(world: &World, config: &Config, names: &[WorkerName]) -> Self {
        let leave = CancellationToken::new();
        Self {
            workers: Workers::start(&world.ports, pace(config), names, leave.clone()),
            leave,
            guards: world.guards.clone(),
            clock: world.ports.clock.clone(),
        }
    }

    /// What is missing: the workers that do not get their work done. Degraded: what only workers
    /// ask, and gets no answer.
    pub fn lacks(&self) -> impl Fn() -> Lacks + Send + Sync + use<> {
        let (health, clock): (Health, _) = (self.workers.health(), self.clock.clone());
        let guards = self.guards.clone();
        move || Lacks {
            missing: health.unwell(clock.now()),
            degraded: guards.away(),
        }
    }

    /// Lets each finish what it has in hand, and leave.
    pub async fn leave(self) {
        self.leave.cancel();
        for late in self.workers.finish().await {
            tracing::warn!(
                worker = late,
                "was stopped in the middle of its work; it is done again"
            );
        }
    }
}

fn pace(config: &Config) -> Pace {
    // All of them are checked to be far below any limit.
    let ms = |span: adapters::config::Span| u64::try_from(span.ms()).unwrap_or(0);
    Pace {
        linger_ms: ms(config.work.linger),
        late_after_ms: config.work.late_after.ms(),
        shutdown_ms: ms(config.process.drain),
        ..Pace::default()
    }
}
