//! Which levels have changed, for readers that wait. A level, not a log: an item stands in it once,
//! at its newest change.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ItemId;
use tokio::sync::Notify;

/// What all shards share: the numbers of changes, and who waits for the next. Changes are numbered
/// from 2 on, so that whoever has heard of none stands elsewhere than who knows nothing.
pub(super) struct Feed {
    last: AtomicU64,
    pub waiting: Notify,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            last: AtomicU64::new(1),
            waiting: Notify::default(),
        }
    }
}

impl Feed {
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }
}

/// The items of one shard by their newest change.
#[derive(Default)]
pub(super) struct Recent {
    by_change: BTreeMap<u64, ItemId>,
    /// The furthest that any reader has read in this shard.
    read_to: u64,
}

impl Recent {
    /// Notes that an item changed whose last change was `changed_at`. A change nobody has read yet
    /// stands for this one too, so a hot item costs nothing between two readings. Returns whether
    /// readers are to be woken.
    pub fn note(&mut self, feed: &Feed, item: ItemId, changed_at: &mut u64) -> bool {
        if *changed_at > self.read_to {
            return false;
        }
        self.by_change.remove(changed_at);
        *changed_at = feed.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.by_change.insert(*changed_at, item);
        true
    }

    /// The items that changed after `after`, for a reader that goes on from `next`.
    pub fn read(&mut self, after: u64, next: u64) -> impl Iterator<Item = ItemId> {
        self.read_to = self.read_to.max(next);
        self.by_change.range(after + 1..).map(|(_, item)| *item)
    }

    pub fn clear(&mut self) {
        self.by_change.clear();
    }
}
