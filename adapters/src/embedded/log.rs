//! The log in a SQLite file: partitions without gaps, groups that share them among the consumers of
//! this process, offsets that survive it.

mod consumer;
mod groups;
mod store;
mod trim;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::dead_letter::RawRecord;
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::Clock;
use domain::ports::log::{Consumer, DeadLetter, Group, Kept, Log};
use domain::trace::TraceContext;

use consumer::LogConsumer;
use groups::Groups;
use store::Store;
use writer::{Job, Record, Writer};

use crate::batcher::Batcher;
use crate::spread::place_of;

/// A durable log in one file, for one process that writes it.
pub struct SqliteLog {
    shared: Arc<Shared>,
}

/// What the log and its consumers share.
struct Shared {
    store: Store,
    writer: Batcher<Writer>,
    groups: Groups,
    partitions: u16,
    clock: Arc<dyn Clock>,
}

impl SqliteLog {
    /// Opens the log of a file, or makes it, with this many partitions a topic. The number is for
    /// ever: another one would send a key's records elsewhere.
    ///
    /// # Errors
    /// A file that can't be opened.
    pub async fn open(path: &Path, partitions: u16, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let partitions = partitions.max(1);
        let mut file = super::file::open(path, store::SCHEMA, "opening the log").await?;
        store::bring_up(&mut file.writer).await?;
        let store = Store::open(file.readers, partitions).await?;
        let writer = Writer {
            connection: file.writer,
            ends: store.ends.clone(),
            in_doubt: false,
        };
        let writer = Batcher::start(writer, "writing to the log");
        let groups = Groups::default();
        let shared = Shared {
            store,
            writer,
            groups,
            partitions,
            clock,
        };
        let shared = Arc::new(shared);
        trim::start(&shared);
        Ok(Self { shared })
    }

    fn partitions(&self, topics: &[Topic]) -> Vec<Partition> {
        let numbers = 0..i32::from(self.shared.partitions);
        let of = |topic| {
            numbers
                .clone()
                .map(move |number| Partition { topic, number })
        };
        topics.iter().copied().flat_map(of).collect()
    }

    fn consumer(&self, group: Option<Group>, topics: &[Topic]) -> Box<dyn Consumer> {
        let partitions = self.partitions(topics);
        Box::new(LogConsumer::new(self.shared.clone(), group, partitions))
    }

    fn record(
        &self,
        message: &Message,
        current: Option<&TraceContext>,
        at_ms: i64,
    ) -> Result<Record, Fault> {
        let (key, payload) = crate::wire::message::encode(message)
            .map_err(|error| Fault::corrupt("encoding a message", error))?;
        let number = place_of(key, self.shared.partitions).into();
        Ok(Record {
            partition: Partition {
                topic: message.topic(),
                number,
            },
            payload,
            trace: message.trace().or(current).map(crate::wire::trace::encode),
            at_ms,
        })
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn publish(&self, messages: &[Message]) -> Result<(), Fault> {
        if messages.is_empty() {
            return Ok(());
        }
        let at_ms = self.shared.clock.now().timestamp_millis();
        let current = crate::telemetry::trace::current();
        let records: Result<Vec<_>, _> = messages
            .iter()
            .map(|message| self.record(message, current.as_ref(), at_ms))
            .collect();
        self.shared.writer.run(Job::Append(records?)).await
    }

    async fn ends(&self, topic: Topic) -> Result<Vec<(Partition, Offset)>, Fault> {
        let ends = self.shared.store.ends.borrow();
        let partitions = self.partitions(&[topic]);
        Ok(partitions
            .into_iter()
            .map(|partition| (partition, ends.of(partition)))
            .collect())
    }

    async fn join(&self, group: Group, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        Ok(self.consumer(Some(group), topics))
    }

    async fn tail(&self, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        Ok(self.consumer(None, topics))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, Fault> {
        let mut lag = 0;
        for partition in self.partitions(topics) {
            let stored = self.shared.store.stored(group, partition).await?;
            let end = self.shared.store.ends.borrow().of(partition);
            lag += u64::try_from(end.0 - stored.0).unwrap_or(0);
        }
        Ok(lag)
    }

    async fn put_aside(&self, letter: &DeadLetter) -> Result<(), Fault> {
        let at_ms = self.shared.clock.now().timestamp_millis();
        self.shared
            .writer
            .run(Job::PutAside(letter.clone(), at_ms))
            .await
    }

    async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault> {
        self.shared.store.kept(from, most).await
    }

    async fn dead_letters(&self, from: Offset) -> Result<u64, Fault> {
        self.shared.store.dead_letters(from).await
    }

    async fn publish_again(&self, to: Partition, record: &RawRecord) -> Result<(), Fault> {
        let record = Record {
            partition: to,
            payload: record.payload.clone(),
            trace: record.trace.as_deref().map(crate::wire::trace::encode),
            at_ms: self.shared.clock.now().timestamp_millis(),
        };
        self.shared.writer.run(Job::Append(vec![record])).await
    }
}

#[cfg(test)]
mod tests;
