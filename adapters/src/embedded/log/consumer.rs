//! A reader of the log: a member of a group, or one that only follows what comes from now on.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::message::{Offset, Partition};
use domain::ports::log::{Consumer, Delivery, Group, Polled, Unreadable};
use tokio::time::sleep;

use super::Shared;
use super::groups::Step;
use super::store::{Ends, Stored};
use super::writer::Job;

/// How long a poll waits for something to come.
const WAIT: Duration = Duration::from_secs(1);

pub(super) struct LogConsumer {
    shared: Arc<Shared>,
    /// Group and member; none for one that follows the end.
    member: Option<(Group, u64)>,
    all: Vec<Partition>,
    /// Where it goes on in each partition that it has.
    positions: BTreeMap<Partition, Offset>,
    /// Told to be revoked; let go at the next poll.
    revoked: Vec<Partition>,
    /// The partition that is looked at first, so that a busy one does not starve the others.
    turn: usize,
}

impl LogConsumer {
    pub fn new(shared: Arc<Shared>, group: Option<Group>, all: Vec<Partition>) -> Self {
        let member = group.map(|group| (group, shared.groups.join(group)));
        let mut positions = BTreeMap::new();
        if member.is_none() {
            let ends = shared.store.ends.borrow();
            positions.extend(
                all.iter()
                    .map(|partition| (*partition, ends.of(*partition))),
            );
        }
        Self {
            shared,
            member,
            all,
            positions,
            revoked: Vec::new(),
            turn: 0,
        }
    }

    /// What changed for this member of its group, if anything did.
    async fn rebalance(&mut self) -> Result<Option<Polled>, Fault> {
        let Some((group, member)) = self.member else {
            return Ok(None);
        };
        if !self.revoked.is_empty() {
            let revoked = std::mem::take(&mut self.revoked);
            self.shared.groups.release(group, member, &revoked);
        }
        let owned: BTreeSet<Partition> = self.positions.keys().copied().collect();
        match self.shared.groups.step(group, member, &self.all, &owned) {
            Step::Nothing => Ok(None),
            Step::GiveUp(partitions) => {
                self.positions
                    .retain(|partition, _| !partitions.contains(partition));
                self.revoked.clone_from(&partitions);
                Ok(Some(Polled::Revoked(partitions)))
            }
            Step::Take(partitions) => {
                let mut positions = Vec::with_capacity(partitions.len());
                for partition in &partitions {
                    let from = self.shared.store.stored(group, *partition).await?;
                    positions.push((*partition, from));
                }
                // At once: a poll that is cut off has taken all of them or none.
                self.positions.extend(positions);
                Ok(Some(Polled::Assigned(partitions)))
            }
        }
    }

    fn is_behind(&self, ends: &Ends) -> bool {
        let mut positions = self.positions.iter();
        positions.any(|(partition, from)| *from < ends.of(*partition))
    }

    /// Records of the first partition, in turn, that has any.
    async fn read(&mut self, most: usize) -> Result<Vec<Delivery>, Fault> {
        let partitions: Vec<_> = self.positions.iter().map(|(p, from)| (*p, *from)).collect();
        for step in 0..partitions.len() {
            let (partition, from) = partitions[(self.turn + step) % partitions.len()];
            let end = self.shared.store.ends.borrow().of(partition);
            if from >= end {
                continue;
            }
            let records = self.shared.store.read(partition, from, most).await?;
            let Some(last) = records.last() else {
                // All of them were trimmed.
                self.positions.insert(partition, end);
                continue;
            };
            self.positions.insert(partition, Offset(last.offset.0 + 1));
            self.turn = self.turn.wrapping_add(step + 1);
            let deliver = |record| delivery(partition, &record);
            return Ok(records.into_iter().map(deliver).collect());
        }
        Ok(Vec::new())
    }
}

fn delivery(partition: Partition, record: &Stored) -> Delivery {
    let content = crate::wire::message::decode(partition.topic, &record.payload).map_err(|error| {
        Unreadable {
            reason: error.to_string(),
        }
    });
    Delivery {
        partition,
        offset: record.offset,
        content,
        trace: record.trace.as_deref().and_then(crate::wire::trace::decode),
    }
}

#[async_trait]
impl Consumer for LogConsumer {
    async fn poll(&mut self, most: usize) -> Result<Polled, Fault> {
        // Before looking, so that no change that comes in between is slept through.
        let mut ends = self.shared.store.ends.subscribe();
        let mut groups = self.shared.groups.changed.subscribe();
        let mut over = pin!(sleep(WAIT));
        loop {
            if let Some(change) = self.rebalance().await? {
                return Ok(change);
            }
            let records = self.read(most.max(1)).await?;
            if !records.is_empty() {
                return Ok(Polled::Records(records));
            }
            tokio::select! {
                _ = ends.wait_for(|ends| self.is_behind(ends)) => {}
                _ = groups.changed(), if self.member.is_some() => {}
                () = &mut over => return Ok(Polled::Idle),
            }
        }
    }

    async fn store(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        let Some((group, _)) = self.member else {
            return Ok(());
        };
        // What is no longer its own is the next owner's to store.
        if !self.positions.contains_key(&partition) && !self.revoked.contains(&partition) {
            return Ok(());
        }
        self.shared
            .writer
            .run(Job::Store(group, partition, next))
            .await
    }

    async fn seek(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        if let Some(position) = self.positions.get_mut(&partition) {
            *position = next;
        }
        Ok(())
    }
}

impl Drop for LogConsumer {
    fn drop(&mut self) {
        if let Some((group, member)) = self.member {
            self.shared.groups.leave(group, member);
        }
    }
}
