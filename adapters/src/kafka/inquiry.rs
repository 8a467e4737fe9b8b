//! Questions about the log: which partitions there are, where they end, how far groups came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Fault;
use domain::message::{Offset, Partition, Topic};
use domain::ports::log::Group;
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{self, TopicPartitionList};

use super::client::{Quiet, blocking, fault, pause};
use super::dead_letters::PARTITION as DEAD_LETTERS;
use super::names::Names;
use super::settings::KafkaSettings;

type Asker = BaseConsumer<Quiet>;

/// How often it is asked where a partition ends whose broker changes, and how long between.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A part of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub first: Offset,
    /// Not including it.
    pub end: Offset,
}

impl Span {
    /// A place in it; one that is not, or no longer, is taken for its beginning.
    pub fn place_or_beginning(self, from: Offset) -> Offset {
        if (self.first..=self.end).contains(&from) {
            from
        } else {
            self.first
        }
    }
}

/// One that asks; it is no member of any group.
pub(super) struct Inquiry {
    settings: KafkaSettings,
    names: Arc<Names>,
    asker: Arc<Asker>,
    /// A client is of one group only, even to ask about it.
    of_groups: Mutex<HashMap<Group, Arc<Asker>>>,
}

impl Inquiry {
    pub fn new(settings: KafkaSettings, names: Arc<Names>) -> Result<Self, Fault> {
        let asker = settings.inquirer().create_with_context(Quiet);
        let asker: Asker = asker.map_err(fault("starting a client of the log"))?;
        Ok(Self {
            settings,
            names,
            asker: Arc::new(asker),
            of_groups: Mutex::new(HashMap::new()),
        })
    }

    /// The topics of the shop that the brokers do not have.
    pub async fn missing(&self) -> Result<Vec<String>, Fault> {
        let (asker, names) = (self.asker.clone(), self.names.clone());
        let limit = self.settings.query_timeout;
        blocking("looking for the topics of the log", move || {
            let mut missing = Vec::new();
            for name in names.all() {
                if partition_count(&asker, name, limit)?.is_none() {
                    missing.push(name.to_owned());
                }
            }
            drain(&asker);
            Ok(missing)
        })
        .await
    }

    /// The next offset of every partition of a topic.
    pub async fn ends(&self, topics: &[Topic]) -> Result<Vec<(Partition, Offset)>, Fault> {
        let (asker, names) = (self.asker.clone(), self.names.clone());
        let (topics, limit) = (topics.to_vec(), self.settings.query_timeout);
        blocking("reading the ends of the log", move || {
            let mut ends = Vec::new();
            for topic in topics {
                let name = names.of(topic);
                let of = |number| Partition { topic, number };
                let found = offsets_at(&asker, name, topic_partition_list::Offset::End, limit)?;
                ends.extend(
                    found
                        .into_iter()
                        .map(|(number, end)| (of(number), Offset(end))),
                );
            }
            drain(&asker);
            Ok(ends)
        })
        .await
    }

    /// Records of topics that a group has not stored yet.
    pub async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, Fault> {
        let (asker, names) = (self.of_group(group)?, self.names.clone());
        let (topics, limit) = (topics.to_vec(), self.settings.query_timeout);
        blocking("reading how far a group came", move || {
            let mut lag = 0;
            for topic in topics {
                lag += lag_of(&asker, names.of(topic), limit)?;
            }
            drain(&asker);
            Ok(lag)
        })
        .await
    }

    /// Which dead letters are kept.
    pub async fn dead_letters(&self) -> Result<Span, Fault> {
        let (asker, names) = (self.asker.clone(), self.names.clone());
        let limit = self.settings.query_timeout;
        blocking("asking after dead letters", move || {
            let (first, end) = (
                topic_partition_list::Offset::Beginning,
                topic_partition_list::Offset::End,
            );
            let at = |place| -> Result<Offset, KafkaError> {
                let offsets = offsets_at(&asker, &names.dead_letters, place, limit)?;
                let only = offsets.iter().find(|(number, _)| *number == DEAD_LETTERS);
                Ok(Offset(only.map_or(0, |(_, offset)| *offset)))
            };
            let span = Span {
                first: at(first)?,
                end: at(end)?,
            };
            drain(&asker);
            Ok(span)
        })
        .await
    }

    fn of_group(&self, group: Group) -> Result<Arc<Asker>, Fault> {
        let mut of_groups = self
            .of_groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(asker) = of_groups.get(&group) {
            return Ok(asker.clone());
        }
        let config = self.settings.consumer(&self.names.group(group));
        let asker = config.create_with_context(Quiet);
        let asker: Asker = asker.map_err(fault("starting a client of the log"))?;
        let asker = Arc::new(asker);
        of_groups.insert(group, asker.clone());
        Ok(asker)
    }
}

/// How many partitions a topic has; none, where there is no such topic.
pub(super) fn partition_count(
    asker: &Asker,
    topic: &str,
    limit: Duration,
) -> Result<Option<usize>, KafkaError> {
    let metadata = asker.fetch_metadata(Some(topic), limit)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let count = found.map_or(0, |found| found.partitions().len());
    Ok((count > 0).then_some(count))
}

/// The offsets of all partitions of a topic at its beginning or its end. While a partition is on its
/// way to another broker it is asked again.
fn offsets_at(
    asker: &Asker,
    topic: &str,
    place: topic_partition_list::Offset,
    limit: Duration,
) -> Result<Vec<(i32, i64)>, KafkaError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match ask_offsets(asker, topic, place, limit) {
            Err(error) if is_moving(&error) && tries < TRIES => pause(BETWEEN_TRIES),
            answer => return answer,
        }
    }
}

fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::FencedLeaderEpoch
                | RDKafkaErrorCode::UnknownLeaderEpoch
        )
    )
}

fn ask_offsets(
    asker: &Asker,
    topic: &str,
    place: topic_partition_list::Offset,
    limit: Duration,
) -> Result<Vec<(i32, i64)>, KafkaError> {
    let places = all_partitions(asker, topic, place, limit)?;
    // One request a broker: the library takes these two places for instants.
    let found = asker.offsets_for_times(places, limit)?;
    let mut offsets = Vec::with_capacity(found.count());
    for element in found.elements() {
        element.error()?;
        offsets.push((element.partition(), element.offset().to_raw().unwrap_or(0)));
    }
    Ok(offsets)
}

fn all_partitions(
    asker: &Asker,
    topic: &str,
    place: topic_partition_list::Offset,
    limit: Duration,
) -> Result<TopicPartitionList, KafkaError> {
    let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
    let count = partition_count(asker, topic, limit)?.ok_or(unknown)?;
    let mut places = TopicPartitionList::with_capacity(count);
    for number in (0..).take(count) {
        places.add_partition_offset(topic, number, place)?;
    }
    Ok(places)
}

fn lag_of(asker: &Asker, topic: &str, limit: Duration) -> Result<u64, KafkaError> {
    let (first, end) = (
        topic_partition_list::Offset::Beginning,
        topic_partition_list::Offset::End,
    );
    // Before the ends, which only move away.
    let nowhere = all_partitions(asker, topic, topic_partition_list::Offset::Invalid, limit)?;
    let stored = asker.committed_offsets(nowhere, limit)?;
    let mut firsts: HashMap<i32, i64> = HashMap::new();
    let mut lag = 0;
    for (number, end) in offsets_at(asker, topic, end, limit)? {
        let stored = stored.find_partition(topic, number);
        let stored = stored.map(|stored| stored.offset());
        let done = if let Some(topic_partition_list::Offset::Offset(next)) = stored {
            next
        } else {
            // Never stored: everything that is there.
            if firsts.is_empty() {
                firsts.extend(offsets_at(asker, topic, first, limit)?);
            }
            firsts.get(&number).copied().unwrap_or(end)
        };
        lag += u64::try_from(end - done).unwrap_or(0);
    }
    Ok(lag)
}

/// Hears what the library has to say meanwhile, so that it does not pile up.
fn drain(asker: &Asker) {
    while asker.poll(Duration::ZERO).is_some() {}
}
