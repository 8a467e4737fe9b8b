//! The log's producer behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::dead_letter::RawRecord;
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::Log;
use domain::ports::log::{Consumer, DeadLetter, Group, Kept};

use super::GuardSettings;
use super::breaker::Breaker;

/// A log that is away is not waited for by whoever publishes: an accepted order then waits at the
/// edge instead. What is still under way when the time is over may arrive later; a message that
/// comes twice is harmless. Readers wait for the log in their own way.
pub struct GuardedLog {
    inner: Arc<dyn Log>,
    breaker: Breaker,
    limit: Duration,
}

impl GuardedLog {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(inner: Arc<dyn Log>, settings: &GuardSettings) -> Result<Self, Fault> {
        let doing = "publishing to the log";
        Ok(Self {
            inner,
            breaker: Breaker::new("kafka", doing, settings.failures, settings.pause)?,
            limit: settings.log,
        })
    }
}

#[async_trait]
impl Log for GuardedLog {
    async fn publish(&self, messages: &[Message]) -> Result<(), Fault> {
        let call = self.inner.publish(messages);
        self.breaker.run(self.limit, call).await
    }

    async fn ends(&self, topic: Topic) -> Result<Vec<(Partition, Offset)>, Fault> {
        self.inner.ends(topic).await
    }

    async fn join(&self, group: Group, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        self.inner.join(group, topics).await
    }

    async fn tail(&self, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        self.inner.tail(topics).await
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, Fault> {
        self.inner.lag(group, topics).await
    }

    async fn put_aside(&self, letter: &DeadLetter) -> Result<(), Fault> {
        self.inner.put_aside(letter).await
    }

    async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault> {
        self.inner.kept(from, most).await
    }

    async fn dead_letters(&self, from: Offset) -> Result<u64, Fault> {
        self.inner.dead_letters(from).await
    }

    async fn publish_again(&self, to: Partition, record: &RawRecord) -> Result<(), Fault> {
        let call = self.inner.publish_again(to, record);
        self.breaker.run(self.limit, call).await
    }
}
