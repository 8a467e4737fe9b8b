//! Telling the group how far a member came.
//!
//! A commit runs on a thread of its own and is waited for: the library has no other answer to one
//! than its end. There is one at a time, so that none overtakes another.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Offset, Partition};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{self, TopicPartitionList};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout};

use super::client::{blocking, pause};
use super::membership::Reader;
use super::names::Names;
use super::offsets::Offsets;

/// How long the last commit before partitions are given up may take; what it misses comes again.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// How often a commit is tried while the group is being rearranged, and how long between.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What a member has stored, on its way to the group.
pub(super) struct Commits {
    reader: Arc<Reader>,
    names: Arc<Names>,
    offsets: Offsets,
    running: Option<JoinHandle<Commit>>,
}

/// What became of a commit.
pub(super) struct Commit {
    offsets: Vec<(Partition, Offset)>,
    result: Result<(), KafkaError>,
}

impl Commits {
    pub fn new(reader: Arc<Reader>, names: Arc<Names>, period: Duration) -> Self {
        Self {
            reader,
            names,
            offsets: Offsets::new(period),
            running: None,
        }
    }

    pub fn store(&mut self, partition: Partition, next: Offset) {
        self.offsets.store(partition, next);
    }

    /// Partitions that are somebody else's now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        self.offsets.forget(partitions);
    }

    /// Everything that is not known to be committed.
    pub fn open(&self) -> Vec<(Partition, Offset)> {
        self.offsets.open()
    }

    /// When there is something to do, if that is not the end of the running commit.
    pub fn due_at(&self) -> Option<Instant> {
        self.offsets.due_at()
    }

    /// Takes note of a commit that has ended, and begins one if it is due.
    pub async fn tend(&mut self) {
        if let Some(running) = &mut self.running
            && running.is_finished()
        {
            let done = running.await;
            self.ended(done);
        }
        if let Some(offsets) = self.offsets.due() {
            let (reader, names) = (self.reader.clone(), self.names.clone());
            self.running = Some(tokio::task::spawn_blocking(move || {
                let result = commit(&reader, &names, &offsets);
                Commit { offsets, result }
            }));
        }
    }

    /// Waits for the end of the running commit, for ever where there is none.
    pub async fn end(&mut self) -> Result<Commit, JoinError> {
        match &mut self.running {
            Some(running) => running.await,
            None => std::future::pending().await,
        }
    }

    /// The running commit has ended.
    pub fn ended(&mut self, done: Result<Commit, JoinError>) {
        self.running = None;
        self.offsets.answered();
        match done {
            Ok(Commit {
                offsets,
                result: Ok(()),
            }) => self.offsets.committed(offsets),
            Ok(Commit {
                result: Err(error), ..
            }) => tracing::debug!(%error, "a commit failed and is tried again"),
            Err(error) => tracing::debug!(%error, "a commit was cut off and is tried again"),
        }
    }

    /// Commits everything that is open and waits for it. What can't be committed comes again.
    pub async fn now(&mut self) {
        if let Err(late) = timeout(LAST_COMMIT, self.all()).await {
            lost(&late.to_string());
        }
    }

    async fn all(&mut self) {
        if self.running.is_some() {
            let done = self.end().await;
            self.ended(done);
        }
        let open = self.offsets.open();
        let (reader, names) = (self.reader.clone(), self.names.clone());
        let offsets = open.clone();
        let committed = blocking("storing how far a group came", move || {
            commit(&reader, &names, &offsets)
        });
        match committed.await {
            Ok(()) => self.offsets.committed(open),
            Err(fault) => lost(&fault.detail()),
        }
    }
}

/// Commits for the last time, on a thread that may wait.
pub(super) fn commit_last(reader: &Reader, names: &Names, offsets: &[(Partition, Offset)]) {
    if let Err(error) = commit(reader, names, offsets) {
        lost(&error.to_string());
    }
}

/// Commits and waits.
fn commit(
    reader: &Reader,
    names: &Names,
    offsets: &[(Partition, Offset)],
) -> Result<(), KafkaError> {
    if offsets.is_empty() {
        return Ok(());
    }
    let places = places(names, offsets)?;
    let mut tries = 0;
    loop {
        tries += 1;
        match reader.commit(&places, CommitMode::Sync) {
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::RebalanceInProgress))
                if tries < TRIES =>
            {
                pause(BETWEEN_TRIES);
            }
            committed => return committed,
        }
    }
}

fn lost(cause: &str) {
    tracing::warn!(
        cause,
        "how far partitions were done could not be stored before they were given up"
    );
}

/// Offsets as the library takes them.
pub(super) fn places(
    names: &Names,
    offsets: &[(Partition, Offset)],
) -> Result<TopicPartitionList, KafkaError> {
    let mut places = TopicPartitionList::with_capacity(offsets.len());
    for (partition, next) in offsets {
        let name = names.of(partition.topic);
        let at = topic_partition_list::Offset::Offset(next.0);
        places.add_partition_offset(name, partition.number, at)?;
    }
    Ok(places)
}
