//! How a concern reads the log: poll, handle, and only then store how far it came.
//!
//! Every record ends in one of three words. *Done*: it was handled, or it asks for nothing. *Retry*:
//! it is handled again after a wait, a bounded number of times. *Dead letter*: it is put aside for an
//! operator, so that it does not hold up its partition: at once when it can't be read or makes no
//! sense, and after the last attempt when others got through meanwhile. When *nothing* got through
//! it is not the records' fault but an outage: nothing is put aside, the worker leaves the group,
//! waits, and starts from what is stored.
//!
//! A poll's records are finished and stored before the next poll. So revocation and shutdown need
//! no path of their own: there is never anything in hand when they are heard.

mod attempts;
mod batch;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::message::{Message, Topic};
use domain::ports::log::{Consumer, DeadLetter, Delivery, Group, Log, Polled};

use crate::consume::batch::{Batch, Dead, Fate, Watermarks};
use crate::context::{Context, End, Worker};

/// What one concern does with what it reads. It must be able to do it twice.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    /// What a message asks of this concern.
    type Task: Clone + Send + Sync;

    /// What this message asks for; most ask for nothing.
    fn task(&self, message: &Message) -> Option<Self::Task>;

    /// Does these tasks, all or as good as none.
    ///
    /// # Errors
    /// A fault: all of them count as not done. An unavailable one is retried.
    async fn handle(&self, tasks: &[Self::Task]) -> Result<(), Fault>;
}

/// What a concern reads, and how much of it at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    pub group: Group,
    pub topics: &'static [Topic],
    /// Records taken at once.
    pub most: usize,
    /// Tasks handled at once.
    pub at_once: usize,
}

/// A worker that does what records ask for.
pub(crate) struct Consuming<H> {
    log: Arc<dyn Log>,
    subscription: Subscription,
    handler: H,
    /// Dead letters since something was last handled.
    dead_in_a_row: u32,
}

/// Why a consumer stops for good.
pub(crate) const TOO_MANY_DEAD: &str = "too many dead letters in a row";

impl<H> Consuming<H> {
    pub fn new(log: Arc<dyn Log>, subscription: Subscription, handler: H) -> Self {
        Self {
            log,
            subscription,
            handler,
            dead_in_a_row: 0,
        }
    }
}

#[async_trait]
impl<H: Handler> Worker for Consuming<H> {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        let Subscription {
            group,
            topics,
            most,
            ..
        } = self.subscription;
        let mut consumer = self.log.join(group, topics).await?;
        while let Some(polled) = context.unless_stopping(consumer.poll(most)).await {
            match polled? {
                Polled::Assigned(partitions) => {
                    tracing::info!(partitions = partitions.len(), "partitions were assigned");
                    continue;
                }
                Polled::Revoked(partitions) => {
                    tracing::info!(partitions = partitions.len(), "partitions were revoked");
                    continue;
                }
                Polled::Idle => {}
                Polled::Records(deliveries) => {
                    let end = self.take(context, &mut *consumer, &deliveries).await?;
                    if let Some(end) = end {
                        return Ok(end);
                    }
                }
            }
            context.round_done();
        }
        Ok(End::Shutdown)
    }
}

impl<H: Handler> Consuming<H> {
    /// Finishes what a poll brought and stores how far it came. Returns how the worker ends, if it
    /// does.
    async fn take(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
        deliveries: &[Delivery],
    ) -> Result<Option<End>, Fault> {
        let mut batch = Batch::new(deliveries, |message| self.handler.task(message));
        let handled =
            attempts::handle(context, &self.handler, &self.subscription, &mut batch).await;
        let mut done = Watermarks::default();
        let settled = self.settle(context, batch, &mut done).await;
        for (partition, next) in done.stored() {
            consumer.store(partition, next).await?;
        }
        let end = settled?;
        handled?;
        Ok(end)
    }

    /// Puts aside what has to be, in order, and notes what is finished.
    async fn settle(
        &mut self,
        context: &Context,
        batch: Batch<H::Task>,
        done: &mut Watermarks,
    ) -> Result<Option<End>, Fault> {
        for record in batch.records {
            match record.fate {
                Fate::Open(_) => {
                    done.open(record.partition);
                    continue;
                }
                Fate::Passed => {}
                Fate::Done => self.dead_in_a_row = 0,
                Fate::Dead(Dead {
                    reason,
                    cause,
                    attempts,
                }) => {
                    let letter = DeadLetter {
                        group: self.subscription.group,
                        partition: record.partition,
                        offset: record.offset,
                        reason,
                        attempts,
                    };
                    self.log.put_aside(&letter).await?;
                    alarm(&letter, cause.as_deref());
                    self.dead_in_a_row += 1;
                }
            }
            done.finished(record.partition, record.offset);
            if self.dead_in_a_row >= context.pace.dead_letters_in_a_row {
                return Ok(Some(End::Halted(TOO_MANY_DEAD)));
            }
        }
        Ok(None)
    }
}

/// Tells the operator of a dead letter.
fn alarm(letter: &DeadLetter, cause: Option<&str>) {
    tracing::error!(
        group = letter.group.name(),
        topic = letter.partition.topic.name(),
        partition = letter.partition.number,
        offset = letter.offset.0,
        attempts = letter.attempts,
        reason = letter.reason,
        cause,
        "ALARM: a record was put aside as a dead letter"
    );
}

#[cfg(test)]
mod tests;
