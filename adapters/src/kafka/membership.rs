//! What the group does to a member: partitions come and go.
//!
//! The library hands these over while it is polled and then waits to be told that a change was
//! made: nobody else gets a partition before. So nothing is done here but to take note; the
//! consumer tells its caller first and makes the change at the next poll.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::consumer::{Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::Notify;

use super::client::{log, log_error};

/// The library's consumer.
pub(super) type Reader = BaseConsumer<Membership>;

/// A change of who has which partitions, to be made by the consumer.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Assign(TopicPartitionList),
    Revoke(TopicPartitionList),
}

impl Change {
    /// Makes it.
    pub fn make(&self, consumer: &Reader) -> KafkaResult<()> {
        let cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        match self {
            Self::Assign(partitions) if cooperative => consumer.incremental_assign(partitions),
            Self::Assign(partitions) => consumer.assign(partitions),
            Self::Revoke(partitions) if cooperative => consumer.incremental_unassign(partitions),
            Self::Revoke(_) => consumer.unassign(),
        }
    }
}

#[derive(Default)]
pub(super) struct Membership {
    changes: Mutex<VecDeque<Change>>,
    /// Whether something was handed over since it was last asked.
    served: AtomicBool,
    /// Whether the consumer is leaving, and nobody is there to be told.
    leaving: AtomicBool,
    /// Woken when there is something to poll for.
    pub woken: Arc<Notify>,
}

impl Membership {
    pub fn next_change(&self) -> Option<Change> {
        self.changes().pop_front()
    }

    pub fn has_change(&self) -> bool {
        !self.changes().is_empty()
    }

    /// Whether a poll that brought no record brought anything else, so that there may be more.
    pub fn was_served(&self) -> bool {
        self.served.swap(false, Ordering::AcqRel)
    }

    /// From now on changes are made as they come.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        // Nothing under it can panic half way.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn served(&self) {
        self.served.store(true, Ordering::Release);
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.served();
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.served();
        log_error(&error, reason);
    }

    fn stats_raw(&self, _: &[u8]) {
        self.served();
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        self.served();
        let change = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                Change::Assign(partitions.clone())
            }
            _ => Change::Revoke(partitions.clone()),
        };
        if !self.leaving.load(Ordering::Acquire) {
            self.changes().push_back(change);
        } else if let Err(error) = change.make(consumer) {
            tracing::debug!(%error, "a member that leaves could not let its partitions go");
        }
    }
}
