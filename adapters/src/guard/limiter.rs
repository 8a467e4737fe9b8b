//! Rates behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::limiter::Taken;
use domain::ports::{Clock, Limiter};
use domain::rate::{Bucket, Rate, Reach};

use super::GuardSettings;
use super::breaker::Breaker;
use crate::embedded::limiter::MemoryLimiter;

/// Counts over the shop what is to be counted so, and while that can't be done each node counts for
/// itself: nobody is kept out because Redis is away, and nobody gets in unlimited.
pub struct GuardedLimiter {
    shared: Arc<dyn Limiter>,
    own: MemoryLimiter,
    breaker: Breaker,
    call: Duration,
}

impl GuardedLimiter {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(
        shared: Arc<dyn Limiter>,
        clock: Arc<dyn Clock>,
        settings: &GuardSettings,
    ) -> Result<Self, Fault> {
        let doing = "counting how often something is done";
        Ok(Self {
            shared,
            own: MemoryLimiter::new(clock),
            breaker: Breaker::new("redis (rates)", doing, settings.failures, settings.pause)?,
            call: settings.gate,
        })
    }
}

#[async_trait]
impl Limiter for GuardedLimiter {
    async fn take(&self, bucket: &Bucket, rate: Rate) -> Result<Taken, Fault> {
        if bucket.reach() == Reach::Node {
            return Ok(self.own.take_now(bucket, rate));
        }
        let call = self.shared.take(bucket, rate);
        match self.breaker.run(self.call, call).await {
            Ok(taken) => Ok(taken),
            Err(fault) => {
                tracing::debug!(
                    cause = fault.detail(),
                    "a rate is counted on this node alone"
                );
                Ok(self.own.take_now(bucket, rate))
            }
        }
    }
}
