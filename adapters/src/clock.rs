//! The machine's clock, and one that stands still until it is told to go on.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::ports::Clock;
use tokio::sync::watch;

/// What the machine says, to the millisecond.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else asks"
    )]
    fn now(&self) -> Timestamp {
        to_millis(std::time::SystemTime::now().into())
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

/// A clock for tests: it stands still until [`ManualClock::advance_ms`], which wakes everybody whose
/// time has come.
#[derive(Debug)]
pub struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(watch::Sender::new(to_millis(now)))
    }

    /// Moves the clock on.
    pub fn advance_ms(&self, ms: u64) {
        self.0.send_modify(|now| *now = later(*now, ms));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_ms(&self, ms: u64) {
        let until = later(self.now(), ms);
        // It fails only when the sender is gone, and the sender is `self`.
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}

fn to_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

fn later(now: Timestamp, ms: u64) -> Timestamp {
    let delta = i64::try_from(ms).ok().and_then(TimeDelta::try_milliseconds);
    delta
        .and_then(|delta| now.checked_add_signed(delta))
        .unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_manual_clock_wakes_those_whose_time_has_come() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_ms(100).await }
        });
        tokio::task::yield_now().await;
        clock.advance_ms(99);
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance_ms(1);
        sleeper.await.unwrap();
        assert_eq!(clock.now().timestamp_millis(), 100);
    }

    #[test]
    fn the_system_clock_counts_whole_milliseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
