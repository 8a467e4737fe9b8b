//! How often a socket may say something.

use std::time::Duration;

use domain::rate::Rate;
use tokio::time::Instant;

use super::connection::End;

/// Counts the messages of one socket.
pub(super) struct Pace {
    rate: Option<Rate>,
    since: Instant,
    /// When the bucket will be full, in microseconds of the socket's life.
    full_us: u64,
}

impl Pace {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            since: Instant::now(),
            full_us: 0,
        }
    }

    /// Counts one more message; one too many ends the socket.
    pub(super) fn one_more(&mut self) -> Result<(), End> {
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let now = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let taken = rate.take(self.full_us, now);
        self.full_us = taken.map_err(|_| {
            let (times, per) = (rate.times(), Duration::from_millis(rate.per_ms()));
            End::close(
                4429,
                format!("Too many messages: {times} in {per:?} are taken"),
            )
        })?;
        Ok(())
    }
}
