//! Which member of a group has which partition.
//!
//! Cooperative, as Kafka's: a member that has to give a partition up is told, finishes, and only
//! then may another take it. Nobody else's partitions stop.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::message::Partition;
use domain::ports::log::Group;
use tokio::sync::watch;

/// The groups of this process.
#[derive(Default)]
pub(super) struct Groups {
    groups: Mutex<HashMap<Group, Members>>,
    /// Changes whenever a member comes, goes, or lets a partition go.
    pub changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Members {
    last: u64,
    present: BTreeSet<u64>,
    owners: HashMap<Partition, u64>,
}

/// What a member has to do to get from what it has to what it should have.
pub(super) enum Step {
    Nothing,
    GiveUp(Vec<Partition>),
    Take(Vec<Partition>),
}

impl Groups {
    pub fn join(&self, group: Group) -> u64 {
        let mut groups = self.lock();
        let members = groups.entry(group).or_default();
        members.last += 1;
        let member = members.last;
        members.present.insert(member);
        drop(groups);
        self.tell();
        member
    }

    pub fn leave(&self, group: Group, member: u64) {
        let mut groups = self.lock();
        let members = groups.entry(group).or_default();
        members.present.remove(&member);
        members.owners.retain(|_, owner| *owner != member);
        drop(groups);
        self.tell();
    }

    /// Lets partitions go that were given up.
    pub fn release(&self, group: Group, member: u64, partitions: &[Partition]) {
        let mut groups = self.lock();
        let owners = &mut groups.entry(group).or_default().owners;
        owners.retain(|partition, owner| *owner != member || !partitions.contains(partition));
        drop(groups);
        self.tell();
    }

    /// The next step of a member that has `owned`. What it takes is its own when this returns.
    pub fn step(
        &self,
        group: Group,
        member: u64,
        all: &[Partition],
        owned: &BTreeSet<Partition>,
    ) -> Step {
        let mut groups = self.lock();
        let members = groups.entry(group).or_default();
        let target = members.share_of(member, all);
        let surplus: Vec<_> = owned.difference(&target).copied().collect();
        if !surplus.is_empty() {
            return Step::GiveUp(surplus);
        }
        // Its own again, where a poll was cut off after it took them.
        let is_free = |partition: &&Partition| match members.owners.get(partition) {
            Some(owner) => *owner == member,
            None => true,
        };
        let free: Vec<_> = target.difference(owned).filter(is_free).copied().collect();
        if free.is_empty() {
            return Step::Nothing;
        }
        members
            .owners
            .extend(free.iter().map(|partition| (*partition, member)));
        Step::Take(free)
    }

    fn tell(&self) {
        self.changed.send_modify(|change| *change += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Group, Members>> {
        // Nothing in here can panic half way.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    /// Partitions dealt out in turn, in the order in which members came.
    fn share_of(&self, member: u64, all: &[Partition]) -> BTreeSet<Partition> {
        let count = self.present.len().max(1);
        let Some(place) = self.present.iter().position(|other| *other == member) else {
            return BTreeSet::new();
        };
        all.iter().copied().skip(place).step_by(count).collect()
    }
}
