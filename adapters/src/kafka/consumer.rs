//! Reading: a member of a group, or a reader that only follows what comes from now on.
//!
//! The library reads ahead on its own threads and says when there is something; whoever polls takes
//! it from there without waiting. So nothing is ever in hand between two polls, and a poll may be
//! cut off anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::message::{Offset, Partition};
use domain::ports::log::{Consumer, Delivery, Group, Polled, Unreadable};
use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{self, TopicPartitionList};
use tokio::time::{sleep, sleep_until};

use super::client::{blocking, fault, pause};
use super::commits::{self, Commits};
use super::membership::{Change, Membership, Reader};
use super::names::Names;
use super::settings::KafkaSettings;
use super::trace;

/// How long a poll waits for something to come.
const WAIT: Duration = Duration::from_secs(1);
/// How long the library may take to go to another offset, and how often it is asked.
const SEEK: Duration = Duration::from_secs(2);
const SEEKS: u32 = 5;

pub(super) struct KafkaConsumer {
    names: Arc<Names>,
    reader: Arc<Reader>,
    /// Whether a group remembers what it stores.
    is_member: bool,
    owned: BTreeSet<Partition>,
    /// What the caller was told last and is done with when it polls again.
    told: Option<Change>,
    /// Where the caller wants partitions to begin that it was just told of.
    sought: BTreeMap<Partition, Offset>,
    commits: Commits,
    failed: Option<Fault>,
}

impl KafkaConsumer {
    /// Joins a group that reads these topics.
    pub fn join(
        settings: &KafkaSettings,
        names: Arc<Names>,
        group: Group,
        topics: &[&str],
    ) -> Result<Self, Fault> {
        let gather = match group {
            Group::OrderWriter => settings.gather_orders,
            Group::Payment | Group::Cancellation | Group::Mail => settings.gather_events,
        };
        let config = settings.member(&names.group(group), gather);
        let consumer = Self::new(&config, settings, names, true)?;
        let subscribed = consumer.reader.subscribe(topics);
        subscribed.map_err(fault("joining a group"))?;
        Ok(consumer)
    }

    /// Reads these partitions alone, each from the given offset on.
    pub fn alone(
        settings: &KafkaSettings,
        names: Arc<Names>,
        from: &[(Partition, Offset)],
    ) -> Result<Self, Fault> {
        let config = settings.member(&names.alone(), settings.gather_events);
        let mut consumer = Self::new(&config, settings, names, false)?;
        let places = commits::places(&consumer.names, from);
        let assigned = places.and_then(|places| consumer.reader.assign(&places));
        assigned.map_err(fault("following the log"))?;
        consumer.owned = from.iter().map(|(partition, _)| *partition).collect();
        Ok(consumer)
    }

    fn new(
        config: &ClientConfig,
        settings: &KafkaSettings,
        names: Arc<Names>,
        is_member: bool,
    ) -> Result<Self, Fault> {
        let membership = Membership::default();
        let woken = membership.woken.clone();
        let reader = config.create_with_context(membership);
        let mut reader: Reader = reader.map_err(fault("starting a consumer of the log"))?;
        reader.set_nonempty_callback(move || woken.notify_one());
        let reader = Arc::new(reader);
        let commits = Commits::new(reader.clone(), names.clone(), settings.commit_period);
        Ok(Self {
            names,
            reader,
            is_member,
            owned: BTreeSet::new(),
            told: None,
            sought: BTreeMap::new(),
            commits,
            failed: None,
        })
    }

    /// Makes the change that the caller was told of, now that it had time to act on it.
    async fn conclude(&mut self) -> Result<(), Fault> {
        match self.told.clone() {
            None => return Ok(()),
            Some(Change::Assign(mut partitions)) => {
                for (partition, next) in &self.sought {
                    let name = self.names.of(partition.topic);
                    let at = topic_partition_list::Offset::Offset(next.0);
                    let placed = partitions.set_partition_offset(name, partition.number, at);
                    placed.map_err(fault("taking partitions"))?;
                }
                let made = Change::Assign(partitions).make(&self.reader);
                made.map_err(fault("taking partitions"))?;
            }
            Some(Change::Revoke(partitions)) => {
                self.commits.now().await;
                self.commits.forget(&self.partitions(&partitions));
                let made = Change::Revoke(partitions).make(&self.reader);
                made.map_err(fault("giving partitions up"))?;
            }
        }
        self.told = None;
        self.sought.clear();
        Ok(())
    }

    /// What the caller has to know of a change; nothing, where it concerns no partition.
    fn tell(&mut self, change: Change) -> Option<Polled> {
        let (Change::Assign(partitions) | Change::Revoke(partitions)) = &change;
        let partitions = self.partitions(partitions);
        let told = match change {
            Change::Assign(_) => {
                self.owned.extend(&partitions);
                Polled::Assigned(partitions.clone())
            }
            Change::Revoke(_) => {
                self.owned.retain(|owned| !partitions.contains(owned));
                Polled::Revoked(partitions.clone())
            }
        };
        self.told = Some(change);
        (!partitions.is_empty()).then_some(told)
    }

    fn partitions(&self, partitions: &TopicPartitionList) -> Vec<Partition> {
        let elements = partitions.elements();
        let known = elements.iter().filter_map(|element| {
            let topic = self.names.topic(element.topic())?;
            let number = element.partition();
            Some(Partition { topic, number })
        });
        known.collect()
    }

    /// Takes what the library has read ahead.
    fn take(&mut self, most: usize) -> Result<Vec<Delivery>, Fault> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let mut deliveries = Vec::new();
        let reader = self.reader.clone();
        while deliveries.len() < most && !reader.context().has_change() {
            match reader.poll(Duration::ZERO) {
                Some(Ok(message)) => deliveries.extend(self.delivery(&message)),
                Some(Err(KafkaError::MessageConsumptionFatal(error))) => {
                    let failed = Fault::unavailable("reading the log", error);
                    if deliveries.is_empty() {
                        return Err(failed);
                    }
                    self.failed = Some(failed);
                    break;
                }
                // Logged where it came in; the library goes on by itself.
                Some(Err(_)) => {}
                None if reader.context().was_served() => {}
                None => break,
            }
        }
        Ok(deliveries)
    }

    fn delivery(&self, message: &BorrowedMessage<'_>) -> Option<Delivery> {
        let topic = self.names.topic(message.topic())?;
        let number = message.partition();
        let partition = Partition { topic, number };
        if !self.owned.contains(&partition) {
            return None;
        }
        let content = match message.payload() {
            Some(payload) => {
                crate::wire::message::decode(topic, payload).map_err(|error| error.to_string())
            }
            None => Err("a record without content".to_owned()),
        };
        Some(Delivery {
            partition,
            offset: Offset(message.offset()),
            content: content.map_err(|reason| Unreadable { reason }),
            trace: trace::of_record(message.headers()),
        })
    }
}

#[async_trait]
impl Consumer for KafkaConsumer {
    async fn poll(&mut self, most: usize) -> Result<Polled, Fault> {
        self.conclude().await?;
        let woken = self.reader.context().woken.clone();
        let mut over = pin!(sleep(WAIT));
        loop {
            self.commits.tend().await;
            while let Some(change) = self.reader.context().next_change() {
                if let Some(told) = self.tell(change) {
                    return Ok(told);
                }
                self.conclude().await?;
            }
            let deliveries = self.take(most.max(1))?;
            if !deliveries.is_empty() {
                return Ok(Polled::Records(deliveries));
            }
            if self.reader.context().has_change() {
                continue;
            }
            let due_at = self.commits.due_at();
            tokio::select! {
                () = woken.notified() => {}
                done = self.commits.end() => self.commits.ended(done),
                () = async { if let Some(at) = due_at { sleep_until(at).await } },
                    if due_at.is_some() => {}
                () = &mut over => return Ok(Polled::Idle),
            }
        }
    }

    async fn store(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        if !self.is_member {
            return Ok(());
        }
        // What is no longer its own is the next owner's to store.
        let is_leaving = || match &self.told {
            Some(Change::Revoke(partitions)) => self.partitions(partitions).contains(&partition),
            Some(Change::Assign(_)) | None => false,
        };
        if self.owned.contains(&partition) || is_leaving() {
            self.commits.store(partition, next);
            self.commits.tend().await;
        }
        Ok(())
    }

    async fn seek(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        if !self.owned.contains(&partition) {
            return Ok(());
        }
        if let Some(Change::Assign(partitions)) = &self.told
            && self.partitions(partitions).contains(&partition)
        {
            self.sought.insert(partition, next);
            return Ok(());
        }
        let (reader, names) = (self.reader.clone(), self.names.clone());
        blocking("going to another place in the log", move || {
            seek(&reader, names.of(partition.topic), partition.number, next)
        })
        .await
    }
}

/// Goes on from another offset. A partition that has just been taken can't be sought in until the
/// library has found where to begin.
fn seek(reader: &Reader, topic: &str, number: i32, next: Offset) -> Result<(), KafkaError> {
    let at = topic_partition_list::Offset::Offset(next.0);
    let mut tries = 0;
    loop {
        tries += 1;
        match reader.seek(topic, number, at, SEEK) {
            Err(_) if tries < SEEKS => pause(Duration::from_millis(100)),
            sought => return sought,
        }
    }
}

/// Leaves the group, once what was stored is committed. That takes a few round trips, on a thread of
/// its own.
impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        let (reader, names) = (self.reader.clone(), self.names.clone());
        let (told, open) = (self.told.take(), self.commits.open());
        let leave = move || {
            // A call that was cut off, or the last commit, may still be under way; and the last to
            // let go of the reader closes it, which takes as long as the rest.
            while Arc::strong_count(&reader) > 1 {
                pause(Duration::from_millis(1));
            }
            commits::commit_last(&reader, &names, &open);
            reader.context().leave();
            let changes = std::iter::from_fn(|| reader.context().next_change());
            for change in told.into_iter().chain(changes) {
                if let Err(error) = change.make(&reader) {
                    tracing::debug!(%error, "a member that leaves could not make a last change");
                }
            }
            drop(reader);
        };
        match tokio::runtime::Handle::try_current() {
            // Which waits for it when it ends.
            Ok(runtime) => drop(runtime.spawn_blocking(leave)),
            Err(_) => drop(std::thread::spawn(leave)),
        }
    }
}
