//! The log over Kafka.
//!
//! Every topic and group has a name of its own ([`KafkaSettings::namespace`]); topics are made by
//! [`create_topics`] and never by the way. What records hold and what their headers say stands in
//! `docs/events/`.

mod client;
mod commits;
mod consumer;
mod dead_letters;
mod inquiry;
mod membership;
mod names;
mod offsets;
mod producer;
mod settings;
mod topics;
mod trace;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::dead_letter::RawRecord;
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::Clock;
use domain::ports::log::{Consumer, DeadLetter, Group, Kept, Log};
use moka::sync::Cache;
use uuid::Uuid;

use consumer::KafkaConsumer;
use inquiry::{Inquiry, Span};
use names::Names;
use producer::{Outgoing, Producer};

pub use settings::{Compression, KafkaSettings};
pub use topics::{Difference, Topics, create_topics, delete_topics};

/// Dead letters that are remembered, so that who tries again does not keep them again.
const LETTERS_REMEMBERED: u64 = 1_000;

/// A durable log that any number of processes share.
pub struct KafkaLog {
    settings: KafkaSettings,
    names: Arc<Names>,
    producer: Producer,
    inquiry: Inquiry,
    clock: Arc<dyn Clock>,
    kept: Cache<(Group, Partition, Offset), ()>,
}

impl KafkaLog {
    /// Connects to the brokers.
    ///
    /// # Errors
    /// Brokers that can't be reached, or a topic that is missing: `firstcome migrate` makes them.
    pub async fn connect(settings: KafkaSettings, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        settings.check()?;
        let names = Arc::new(Names::new(&settings.namespace));
        let inquiry = Inquiry::new(settings.clone(), names.clone())?;
        let missing = inquiry.missing().await?;
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let text = format!("it has no {missing}: run `firstcome migrate` first");
            return Err(Fault::corrupt("opening the log", text));
        }
        let producer = Producer::new(settings.clone())?;
        Ok(Self {
            settings,
            names,
            producer,
            inquiry,
            clock,
            kept: Cache::new(LETTERS_REMEMBERED),
        })
    }

    async fn send(&self, messages: &[Message]) -> Result<(), Fault> {
        let current = crate::telemetry::trace::current();
        let mut encoded = Vec::with_capacity(messages.len());
        for message in messages {
            let (key, payload) = crate::wire::message::encode(message)
                .map_err(|error| Fault::corrupt("encoding a message", error))?;
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            write_key(key, &mut text);
            let trace = message.trace().or(current.as_ref());
            encoded.push((message.topic(), text, payload, trace));
        }
        let records = encoded.iter().map(|(topic, key, payload, trace)| Outgoing {
            topic: self.names.of(*topic),
            partition: None,
            key,
            payload,
            headers: trace.map(trace::headers),
        });
        self.producer.send(encoded.len(), records).await
    }
}

/// Keys are text, as in the payloads, so that whoever else writes finds the same partition.
fn write_key(key: Uuid, text: &mut [u8; uuid::fmt::Hyphenated::LENGTH]) {
    key.hyphenated().encode_lower(text);
}

#[async_trait]
impl Log for KafkaLog {
    async fn publish(&self, messages: &[Message]) -> Result<(), Fault> {
        if messages.is_empty() {
            return Ok(());
        }
        fail::fail_point!("kafka-publish", |_| Err(Fault::unavailable(
            "publishing to the log",
            "a fail point"
        )));
        self.send(messages).await?;
        fail::fail_point!("kafka-published", |_| Err(Fault::unavailable(
            "publishing to the log",
            "a fail point"
        )));
        Ok(())
    }

    async fn ends(&self, topic: Topic) -> Result<Vec<(Partition, Offset)>, Fault> {
        self.inquiry.ends(&[topic]).await
    }

    async fn join(&self, group: Group, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        let topics: Vec<_> = topics.iter().map(|topic| self.names.of(*topic)).collect();
        let consumer = KafkaConsumer::join(&self.settings, self.names.clone(), group, &topics)?;
        Ok(Box::new(consumer))
    }

    async fn tail(&self, topics: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        let ends = self.inquiry.ends(topics).await?;
        let consumer = KafkaConsumer::alone(&self.settings, self.names.clone(), &ends)?;
        Ok(Box::new(consumer))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, Fault> {
        self.inquiry.lag(group, topics).await
    }

    async fn put_aside(&self, letter: &DeadLetter) -> Result<(), Fault> {
        let place = (letter.group, letter.partition, letter.offset);
        if self.kept.contains_key(&place) {
            return Ok(());
        }
        let (settings, clock) = (&self.settings, &*self.clock);
        dead_letters::keep(settings, &self.names, &self.producer, clock, letter).await?;
        self.kept.insert(place, ());
        Ok(())
    }

    async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault> {
        let span = self.inquiry.dead_letters().await?;
        let from_here = span.place_or_beginning(from);
        if from_here >= span.end {
            let letters = Vec::new();
            return Ok(Kept {
                letters,
                next: from,
            });
        }
        let span = Span {
            first: from_here,
            ..span
        };
        dead_letters::read(&self.settings, &self.names, span, most).await
    }

    async fn dead_letters(&self, from: Offset) -> Result<u64, Fault> {
        let span = self.inquiry.dead_letters().await?;
        let count = span.end.0 - span.place_or_beginning(from).0;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn publish_again(&self, to: Partition, record: &RawRecord) -> Result<(), Fault> {
        let record = Outgoing {
            topic: self.names.of(to.topic),
            partition: Some(to.number),
            key: &record.key,
            payload: &record.payload,
            headers: record.trace.as_deref().map(trace::headers),
        };
        self.producer.send(1, std::iter::once(record)).await
    }
}

#[cfg(test)]
mod tests;
