//! The Redis between the processes, which may be away: then it is as if nothing were shared.

use std::sync::Arc;
use std::time::Duration;

use domain::item::Item;
use domain::{Fault, ItemId};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::known::{Entry, Known};
use crate::guard::Breaker;
use crate::redis::{RedisItems, SharedItem};

/// How long a call may take: the ledger answers about as fast.
const LIMIT: Duration = Duration::from_millis(250);
/// Calls in a row without an answer after which nothing is asked for a while, and how long.
const FAILURES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

pub struct Shared {
    items: RedisItems,
    breaker: Breaker,
    /// Hears what is forgotten for as long as this lives.
    _listening: AbortOnDropHandle<()>,
}

impl Shared {
    /// Starts to hear which items have changed, and has them forgotten here.
    pub fn new(items: RedisItems, known: &Known) -> Result<Self, Fault> {
        let known = known.clone();
        let listening = items.listen(move |id| known.forget(id))?;
        let breaker = Breaker::new("items' cache", "sharing items", FAILURES, PAUSE)?;
        Ok(Self {
            items,
            breaker,
            _listening: listening,
        })
    }

    /// What the others know, as entries of this process, in the order of `ids`.
    pub async fn look_up(&self, ids: &[ItemId]) -> Vec<Option<Arc<Entry>>> {
        let found = self.breaker.run(LIMIT, self.items.look_up(ids)).await;
        let now = Instant::now();
        let entry = |shared: SharedItem| {
            let read_at = now.checked_sub(shared.age)?;
            Some(Entry::new(shared.item.map(Arc::new), read_at))
        };
        match found {
            Ok(found) => found.into_iter().map(|one| one.and_then(entry)).collect(),
            Err(_) => ids.iter().map(|_| None).collect(),
        }
    }

    /// The items whose loading is this process', and those of which another's is.
    pub async fn claim(&self, ids: Vec<ItemId>) -> (Vec<ItemId>, Vec<ItemId>) {
        if ids.is_empty() {
            return (ids, Vec::new());
        }
        let Ok(won) = self.breaker.run(LIMIT, self.items.claim(&ids)).await else {
            return (ids, Vec::new());
        };
        let (mine, others): (Vec<_>, Vec<_>) = ids.into_iter().zip(won).partition(|(_, won)| *won);
        let bare = |ids: Vec<(ItemId, bool)>| ids.into_iter().map(|(id, _)| id).collect();
        (bare(mine), bare(others))
    }

    /// Shares what the ledger said to a question of `read_at`.
    pub async fn share(&self, items: Vec<(ItemId, Option<Arc<Item>>)>, read_at: Instant) {
        let age = Instant::now() - read_at;
        let _ = self.breaker.run(LIMIT, self.items.share(items, age)).await;
    }

    /// Has all processes forget an item; one that does not hear of it tells the old for a second.
    pub async fn forget(&self, id: ItemId) {
        let _ = self.breaker.run(LIMIT, self.items.forget(id)).await;
    }
}
