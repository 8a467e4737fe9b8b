//! Loads what this process does not know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::item::Item;
use domain::ports::Catalogue;
use domain::{Fault, FaultKind, ItemId};
use tokio::time::{Instant, sleep};

use super::known::{Entry, Known};
use super::shared::Shared;
use crate::batcher::Work;
use crate::guard::Breaker;

/// How long the ledger may take: as long as what is known may still be told.
const LIMIT: Duration = Duration::from_secs(1);
/// Questions in a row without an answer after which none is asked for a while, and how long.
const FAILURES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// When to look whether another process has loaded what it claimed; afterwards this one does.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// Answers all that is missing at once. One batch at a time is what makes it the only loader of
/// this process.
pub struct Loader {
    catalogue: Arc<dyn Catalogue>,
    ledger: Arc<Breaker>,
    known: Known,
    shared: Option<Arc<Shared>>,
}

/// The breaker that a loader has before its ledger.
pub fn breaker() -> Result<Breaker, Fault> {
    Breaker::new("ledger's items", "reading items", FAILURES, PAUSE)
}

/// What is known after a load, or why nothing is.
type Loaded = HashMap<ItemId, Result<Arc<Entry>, Arc<Fault>>>;

impl Loader {
    pub fn new(
        catalogue: Arc<dyn Catalogue>,
        ledger: Arc<Breaker>,
        known: Known,
        shared: Option<Arc<Shared>>,
    ) -> Self {
        Self {
            catalogue,
            ledger,
            known,
            shared,
        }
    }

    async fn load(&self, wanted: Vec<ItemId>, loaded: &mut Loaded) {
        let Some(shared) = self.shared.clone() else {
            self.read(&wanted, &HashMap::new(), loaded).await;
            return;
        };
        let mut last = HashMap::new();
        let wanted = self.take_shared(&shared, wanted, &mut last, loaded).await;
        let (mine, mut others) = shared.claim(wanted).await;
        self.read(&mine, &last, loaded).await;
        for look in LOOKS {
            if others.is_empty() {
                return;
            }
            sleep(look).await;
            others = self.take_shared(&shared, others, &mut last, loaded).await;
        }
        self.read(&others, &last, loaded).await;
    }

    /// Takes what others have read lately; returns the rest, with what they last knew of it.
    async fn take_shared(
        &self,
        shared: &Shared,
        ids: Vec<ItemId>,
        last: &mut HashMap<ItemId, Arc<Entry>>,
        loaded: &mut Loaded,
    ) -> Vec<ItemId> {
        let found = shared.look_up(&ids).await;
        let now = Instant::now();
        let mut rest = Vec::new();
        for (id, entry) in ids.into_iter().zip(found) {
            match entry {
                Some(entry) if entry.is_young(now) => self.learn(id, entry, loaded),
                entry => {
                    rest.push(id);
                    last.extend(entry.map(|entry| (id, entry)));
                }
            }
        }
        rest
    }

    /// Asks the ledger; where it is away, the last that was known here or by others has to do.
    async fn read(&self, ids: &[ItemId], last: &HashMap<ItemId, Arc<Entry>>, loaded: &mut Loaded) {
        if ids.is_empty() {
            return;
        }
        let read_at = Instant::now();
        match self.ledger.run(LIMIT, self.catalogue.items(ids)).await {
            Ok(items) => {
                let items: HashMap<ItemId, Arc<Item>> = items
                    .into_iter()
                    .map(|item| (item.id, Arc::new(item)))
                    .collect();
                let items: Vec<_> = ids.iter().map(|id| (*id, items.get(id).cloned())).collect();
                for (id, item) in &items {
                    self.learn(*id, Entry::new(item.clone(), read_at), loaded);
                }
                if let Some(shared) = &self.shared {
                    shared.share(items, read_at).await;
                }
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                for id in ids {
                    self.do_without(*id, last.get(id), &fault, loaded);
                }
            }
        }
    }

    fn do_without(
        &self,
        id: ItemId,
        shared: Option<&Arc<Entry>>,
        fault: &Arc<Fault>,
        loaded: &mut Loaded,
    ) {
        let now = Instant::now();
        let own = self.known.last(id);
        let last = own.as_ref().or(shared);
        let last = match fault.kind {
            FaultKind::Unavailable => last.and_then(|entry| entry.as_last_known(now)),
            FaultKind::Corrupt => None,
        };
        match last {
            Some(entry) => self.learn(id, entry, loaded),
            None => {
                loaded.insert(id, Err(fault.clone()));
            }
        }
    }

    fn learn(&self, id: ItemId, entry: Arc<Entry>, loaded: &mut Loaded) {
        self.known.learn(id, entry.clone());
        loaded.insert(id, Ok(entry));
    }
}

impl Work for Loader {
    type Job = ItemId;
    type Done = Result<Option<Arc<Item>>, Arc<Fault>>;

    async fn run(&mut self, ids: &[ItemId]) -> Result<Vec<Self::Done>, Fault> {
        let now = Instant::now();
        let mut loaded = Loaded::new();
        let mut wanted = Vec::new();
        for id in ids {
            // The batch before may have been for it too.
            match self.known.last(*id).filter(|entry| entry.is_young(now)) {
                Some(entry) => {
                    loaded.insert(*id, Ok(entry));
                }
                None => wanted.push(*id),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if !wanted.is_empty() {
            self.load(wanted, &mut loaded).await;
        }
        let answer = |id: &ItemId| match loaded.get(id) {
            Some(Ok(entry)) => Ok(entry.item.clone()),
            Some(Err(fault)) => Err(fault.clone()),
            // Everything that was asked for was loaded or failed.
            None => Ok(None),
        };
        Ok(ids.iter().map(answer).collect())
    }
}
