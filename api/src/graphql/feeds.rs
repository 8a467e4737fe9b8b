//! Live feeds: one task a process and feed, one `watch` a watched thing.
//!
//! What is watched is a level, not a log: whoever reads slowly skips to the newest value, and nobody
//! who reads slowly holds anybody else up. Nothing is kept for what nobody watches.

pub mod orders;
pub mod stock;
mod watched;

use domain::ports::Clock;
use tokio_util::sync::CancellationToken;

/// How long a feed waits before it asks again for what it could not get, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// Sleeps by the engine's clock, or until the end. `false` at the end.
async fn pause(clock: &dyn Clock, ms: u64, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = clock.sleep_ms(ms) => true,
    }
}

/// Says once that a feed is broken, and once that it is well again.
#[derive(Default)]
struct Health {
    broken: bool,
}

impl Health {
    fn failed(&mut self, feed: &'static str, fault: &domain::Fault) {
        if !self.broken {
            tracing::error!(feed, detail = fault.detail(), "a live feed is interrupted");
        }
        self.broken = true;
    }

    fn worked(&mut self, feed: &'static str) {
        if self.broken {
            tracing::info!(feed, "a live feed goes on");
        }
        self.broken = false;
    }
}
