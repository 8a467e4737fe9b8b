//! The log: durable, partitioned, read by groups that each remember how far they came.

use async_trait::async_trait;

use crate::Fault;
use crate::dead_letter::{KeptLetter, RawRecord};
use crate::message::{Message, Offset, Partition, Topic};
use crate::trace::TraceContext;

#[async_trait]
pub trait Log: Send + Sync {
    /// Appends all messages, each to the partition of its key and with its [trace](Message::trace),
    /// and returns once they are durable.
    /// After a fault any of them may be there or not.
    async fn publish(&self, messages: &[Message]) -> Result<(), Fault>;

    /// The next offset of every partition of a topic.
    async fn ends(&self, topic: Topic) -> Result<Vec<(Partition, Offset)>, Fault>;

    /// Joins a group. A group that never stored an offset starts at the beginning.
    async fn join(&self, group: Group, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault>;

    /// Reads alone, from the present end, without storing anything: for live feeds.
    async fn tail(&self, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault>;

    /// Records that a group has not stored yet.
    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, Fault>;

    /// Keeps a record that could not be handled, as it is and with the reason, for an operator. The
    /// same one again may be kept and counted again.
    async fn put_aside(&self, letter: &DeadLetter) -> Result<(), Fault>;

    /// Up to `most` dead letters from a place among them on, in the order they were kept. `from` is
    /// the beginning or where an earlier answer ended; what lies before the first that is still
    /// there, or beyond the last, is taken for the beginning.
    async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault>;

    /// How many dead letters [`kept`](Self::kept) has from there on.
    async fn dead_letters(&self, from: Offset) -> Result<u64, Fault>;

    /// Appends a record as it once came, to the partition it came from: there are the others of its
    /// key. Returns once it is durable.
    async fn publish_again(&self, to: Partition, record: &RawRecord) -> Result<(), Fault>;
}

/// One member of a group. Dropping it leaves the group, which may take the log a moment.
#[async_trait]
pub trait Consumer: Send {
    /// Waits for what comes next, at most about a second.
    async fn poll(&mut self, most: usize) -> Result<Polled, Fault>;

    /// Stores that everything before `next` is done. The log hears of it at the latest in the course
    /// of the next polls, before partitions are given up, and before the group is left; a crash
    /// before that lets records come again.
    async fn store(&mut self, partition: Partition, next: Offset) -> Result<(), Fault>;

    /// Goes on from `next` instead of what the group stored.
    async fn seek(&mut self, partition: Partition, next: Offset) -> Result<(), Fault>;
}

/// What a poll brings.
#[derive(Debug)]
pub enum Polled {
    /// These partitions are the caller's from now on. Nothing of them is read before the next poll,
    /// so that it may [`seek`](Consumer::seek) first.
    Assigned(Vec<Partition>),
    /// These are not any more; what was done must be stored before the next poll, and only then
    /// another member gets them. Who does not poll for too long loses them without being asked.
    Revoked(Vec<Partition>),
    /// In order per partition; never empty.
    Records(Vec<Delivery>),
    Idle,
}

/// A record as it came.
#[derive(Debug)]
pub struct Delivery {
    pub partition: Partition,
    pub offset: Offset,
    pub content: Result<Message, Unreadable>,
    /// What it was published in the course of, where that is known.
    pub trace: Option<Box<TraceContext>>,
}

/// A record nobody can read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// What is wrong with it, without its content.
    pub reason: String,
}

/// Dead letters as the log keeps them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub letters: Vec<KeptLetter>,
    /// Where the next ones begin; where it was asked from, when there are none.
    pub next: Offset,
}

/// A group of consumers that shares the partitions of its topics: one for each concern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Group {
    OrderWriter,
    Payment,
    Cancellation,
    Mail,
}

impl Group {
    pub const ALL: [Self; 4] = [
        Self::OrderWriter,
        Self::Payment,
        Self::Cancellation,
        Self::Mail,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderWriter => "order-writer",
            Self::Payment => "payment",
            Self::Cancellation => "cancellation",
            Self::Mail => "mail",
        }
    }
}

/// A record that was put aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    pub group: Group,
    pub partition: Partition,
    pub offset: Offset,
    /// Why, for the operator; without personal data.
    pub reason: String,
    pub attempts: u32,
}
