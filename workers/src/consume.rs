//! How a concern reads the log: poll, handle, and only then store how far it came.
//!
//! Every record ends in one of three words. *Done*: it was handled, or it asks for nothing. *Retry*:
//! it is handled again after a wait, a bounded number of times. *Dead letter*: it is put aside for an
//! operator, so that it does not hold up its partition: at once when it can't be read or makes no
//! sense, and after the last attempt when others got through. While *nothing* gets through it is
//! not the records' fault but an outage: nothing is put aside, other partitions have their turn, and
//! the record is taken again after a longer wait.
//!
//! A poll's records are finished and stored before the next poll. So revocation and shutdown need
//! no path of their own: there is never anything in hand when they are heard.

mod attempts;
mod batch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::log::{Consumer, DeadLetter, Delivery, Group, Log, Polled};

use crate::backoff::Backoff;
use crate::consume::attempts::{Exhausted, Left};
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
    /// Tasks done so far.
    done: u64,
    /// The record that each partition waits for, where it waits.
    stuck: BTreeMap<Partition, Stuck>,
}

/// A record that did not work when nothing else did either.
#[derive(Clone, Copy, Debug)]
struct Stuck {
    offset: Offset,
    /// Tasks done until it had failed for the first time.
    done_before: u64,
}

/// What the records of a poll came to.
enum Took {
    /// All of them are finished.
    All,
    /// Some wait for an outage to end; what stopped the first.
    HeldUp(Fault),
    /// Some were left because of the shutdown signal, or nothing more may be taken.
    Ended(End),
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
            done: 0,
            stuck: BTreeMap::new(),
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
        let mut backoff = Backoff::new(context.pace.restart);
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
                    match self.take(context, &mut *consumer, &deliveries).await? {
                        Took::All => {}
                        Took::HeldUp(fault) => {
                            context.report(&fault);
                            context.back_off(&mut backoff).await;
                            continue;
                        }
                        Took::Ended(end) => return Ok(end),
                    }
                }
            }
            backoff.reset();
            context.round_done();
        }
        Ok(End::Shutdown)
    }
}

impl<H: Handler> Consuming<H> {
    /// Finishes what a poll brought, as far as it can be, and stores how far it came.
    async fn take(
        &mut self,
        context: &Context,
        consumer: &mut dyn Consumer,
        deliveries: &[Delivery],
    ) -> Result<Took, Fault> {
        let mut batch = Batch::new(deliveries, |message| self.handler.task(message));
        let left = attempts::handle(context, &self.handler, &self.subscription, &mut batch).await;
        let held_up = self.judge(&mut batch, left, context.pace.attempts);
        let mut marks = Watermarks::default();
        let settled = self.settle(context, batch, &mut marks).await;
        for (partition, next) in marks.finished_to() {
            consumer.store(partition, next).await?;
        }
        if let Some(end) = settled? {
            return Ok(Took::Ended(end));
        }
        for (partition, first) in marks.open_from() {
            consumer.seek(partition, first).await?;
        }
        Ok(match held_up {
            Some(fault) => Took::HeldUp(fault),
            None if context.is_stopping() => Took::Ended(End::Shutdown),
            None => Took::All,
        })
    }

    /// Gives up the records that are to blame themselves: others got through between two of their
    /// failures. What was done before the first may have been before an outage, what was done beside
    /// the last may be the end of one. Returns what holds up the rest.
    fn judge(&mut self, batch: &mut Batch<H::Task>, left: Left, attempts: u32) -> Option<Fault> {
        let done_before_last = self.done + left.done_before_last;
        self.done += batch.done();
        let mut held_up = None;
        let mut waiting = BTreeSet::new();
        for Exhausted { place, fault } in left.exhausted {
            let (partition, offset) = batch.at(place);
            let seen = self.stuck.get(&partition);
            let seen = seen.filter(|stuck| stuck.offset == offset);
            if seen.is_some_and(|stuck| stuck.done_before < done_before_last) {
                batch.give_up(place, &fault, attempts);
                continue;
            }
            if waiting.insert(partition) && seen.is_none() {
                let done_before = self.done;
                let stuck = Stuck {
                    offset,
                    done_before,
                };
                self.stuck.insert(partition, stuck);
            }
            held_up.get_or_insert(fault);
        }
        held_up
    }

    /// Puts aside what has to be, in order, and notes what is finished.
    async fn settle(
        &mut self,
        context: &Context,
        batch: Batch<H::Task>,
        marks: &mut Watermarks,
    ) -> Result<Option<End>, Fault> {
        for record in batch.records {
            match record.fate {
                Fate::Open(_) => {
                    marks.open(record.partition, record.offset);
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
            marks.finished(record.partition, record.offset);
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
