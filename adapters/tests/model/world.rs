//! Gate, log, ledger and everybody who moves between them, one small step at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use adapters::clock::ManualClock;
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings, Replica};
use domain::gate::{EntryId, Reservation, Reserved, Shard, Telling};
use domain::message::{Admission, Draft, OrderRecord, Verdict};
use domain::ports::{Clock, Gate};
use domain::stock::Units;
use domain::{AdmissionId, ItemId, OrderId, Timestamp};
use futures_util::FutureExt;
use uuid::Uuid;

use super::ledger::Ledger;

/// How long the gate remembers a receipt, in milliseconds.
pub const RECEIPT_LIFE_MS: u64 = 24 * 60 * 60 * 1_000;

pub struct World {
    pub clock: Arc<ManualClock>,
    pub gate: MemoryGate,
    pub log: Vec<OrderRecord>,
    /// How far the writer has come.
    pub written: usize,
    pub ledger: Ledger,
    pub attempts: Vec<Attempt>,
    /// What was said to the gate and is on its way: told late, again, or never.
    pub on_its_way: Vec<(How, Telling)>,
    replica: Option<Replica>,
    healing_from: Option<usize>,
    loading: BTreeMap<ItemId, usize>,
    pub answered: BTreeSet<OrderId>,
    /// Whether the ledger may have to refuse what the gate lets through.
    pub surplus_allowed: bool,
    last_admission: u128,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Sync,
    Load,
}

/// Somebody who brings one order from the gate into the log.
pub struct Attempt {
    draft: Arc<Draft>,
    /// What the entry took that a relay brings in; none for a buyer.
    own: Option<(Admission, EntryId)>,
    shards: Vec<(Shard, Vec<Units>)>,
    admissions: Vec<Admission>,
    entries: Vec<EntryId>,
    next: Next,
}

enum Next {
    Ask(usize),
    Publish(Verdict),
    Settle,
    Done,
}

/// What is ready at once: nothing in the gate waits but its feed and its loaders.
pub fn at_once<T>(future: impl Future<Output = Result<T, domain::Fault>>) -> T {
    future
        .now_or_never()
        .expect("no waiting")
        .expect("no fault")
}

impl World {
    pub fn new(shards: u16, ledger: Ledger) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let settings = MemoryGateSettings {
            shards,
            edge_queue_max: 6,
            receipt_life: Duration::from_millis(RECEIPT_LIFE_MS),
            ..Default::default()
        };
        let world = Self {
            gate: MemoryGate::new(clock.clone(), settings),
            clock,
            log: Vec::new(),
            written: 0,
            ledger,
            attempts: Vec::new(),
            on_its_way: Vec::new(),
            replica: None,
            healing_from: None,
            loading: BTreeMap::new(),
            answered: BTreeSet::new(),
            surplus_allowed: false,
            last_admission: 0,
        };
        for item in world.items() {
            at_once(world.gate.load(&[world.ledger.telling(item)]));
        }
        for shard in world.gate.shards() {
            let beat = at_once(world.gate.beat(shard));
            assert!(at_once(world.gate.heal(shard, beat, true, &[])));
        }
        world
    }

    pub fn items(&self) -> Vec<ItemId> {
        self.ledger.stock.keys().copied().collect()
    }

    pub fn start(&mut self, draft: Arc<Draft>, own: Option<(Admission, EntryId)>) {
        let mut shards = BTreeMap::<Shard, Vec<Units>>::new();
        for units in draft.units() {
            shards
                .entry(self.gate.shard_of(units.item))
                .or_default()
                .push(units);
        }
        self.attempts.push(Attempt {
            draft,
            own,
            shards: shards.into_iter().collect(),
            admissions: Vec::new(),
            entries: Vec::new(),
            next: Next::Ask(0),
        });
    }

    /// One step of an attempt; whoever runs it may die after any of them.
    pub fn step(&mut self, at: usize) {
        self.last_admission += 1;
        let id = AdmissionId(Uuid::from_u128(self.last_admission));
        let attempt = &mut self.attempts[at];
        attempt.next = match attempt.next {
            Next::Ask(number) => attempt.ask(number, id, &self.gate),
            Next::Publish(verdict) => {
                self.log.extend(attempt.records(verdict));
                if verdict == Verdict::Accepted {
                    self.answered.insert(attempt.draft.order);
                }
                Next::Settle
            }
            Next::Settle => {
                at_once(self.gate.settle(&attempt.entries));
                Next::Done
            }
            Next::Done => Next::Done,
        };
        if matches!(attempt.next, Next::Done) {
            self.attempts.remove(at);
        }
    }

    pub fn relay(&mut self) {
        for entry in at_once(self.gate.claim_stale(0, usize::MAX)) {
            let own = Admission {
                id: entry.id.admission,
                units: entry.units,
            };
            self.start(entry.draft, Some((own, entry.id)));
        }
    }

    pub fn write(&mut self, most: usize) {
        let end = self.log.len().min(self.written.saturating_add(most));
        let batch = &self.log[self.written..end];
        self.ledger.write(batch, self.clock.now());
        let items: BTreeSet<_> = batch.iter().flat_map(OrderRecord::admitted).collect();
        self.written = end;
        for (item, _) in items {
            self.say(How::Sync, item);
        }
    }

    pub fn say(&mut self, how: How, item: ItemId) {
        self.on_its_way.push((how, self.ledger.telling(item)));
    }

    pub fn tell(&self, how: How, telling: &Telling) {
        match how {
            How::Sync => drop(at_once(self.gate.sync(std::slice::from_ref(telling)))),
            How::Load => at_once(self.gate.load(std::slice::from_ref(telling))),
        }
    }

    /// A loader notes where the log ends; later, past that, it asks the ledger.
    pub fn load(&mut self, item: ItemId) {
        match self.loading.remove(&item) {
            None => {
                self.loading.insert(item, self.log.len());
            }
            Some(end) if end <= self.written => self.say(How::Load, item),
            Some(end) => {
                self.loading.insert(item, end);
            }
        }
    }

    pub fn follow(&mut self) {
        self.replica = Some(self.gate.replica());
    }

    /// Fails over to the replica if there is one, else everything is lost.
    pub fn fail_over(&mut self) {
        self.gate.fail_over(self.replica.take().unwrap_or_default());
        self.surplus_allowed = true;
    }

    /// One beat of the keeper; after a loss it heals once the writer has passed what was in flight.
    pub fn keep(&mut self) {
        let mut steady = true;
        for shard in self.gate.shards() {
            steady &= at_once(self.gate.beat(shard)).missing_since.is_none();
        }
        if steady {
            return;
        }
        let in_flight = *self.healing_from.get_or_insert(self.log.len());
        if self.written < in_flight {
            return;
        }
        self.healing_from = None;
        self.tell_all();
        for shard in self.gate.shards() {
            at_once(self.gate.tell_receipts(shard, &self.ledger.receipts()));
            let beat = at_once(self.gate.beat(shard));
            assert!(at_once(self.gate.heal(shard, beat, true, &[])));
        }
    }

    pub fn tell_all(&mut self) {
        for item in self.items() {
            self.tell(How::Sync, &self.ledger.telling(item));
        }
    }

    /// What the gate counts, by item and by buyer.
    pub fn counts(&self) -> HashMap<(ItemId, Option<Uuid>), (i64, i64)> {
        let mut counts = HashMap::new();
        for level in at_once(self.gate.levels(&self.items())) {
            counts.insert((level.item, None), (level.admitted, level.terms.version));
            for buyer in at_once(self.gate.buyers(level.item)) {
                let key = (level.item, Some(buyer.buyer.0));
                counts.insert(key, (buyer.admitted, buyer.released));
            }
        }
        counts
    }

    /// The gate never counts more than the ledger has counted and what is on its way there.
    pub fn check_gate(&self) {
        let mut on_the_way = HashMap::<AdmissionId, Vec<Units>>::new();
        for entry in at_once(self.gate.claim_stale(0, usize::MAX)) {
            on_the_way.insert(entry.id.admission, entry.units);
        }
        let unread = self.log[self.written..]
            .iter()
            .flat_map(|record| &record.admissions);
        let held = self.attempts.iter().flat_map(|attempt| &attempt.admissions);
        for admission in unread.chain(held) {
            on_the_way.insert(admission.id, admission.units.clone());
        }
        let mut most = HashMap::<ItemId, i64>::new();
        for (admission, units) in on_the_way {
            if !self.ledger.admissions.contains_key(&admission) {
                for units in units {
                    *most.entry(units.item).or_default() += i64::from(units.count);
                }
            }
        }
        for level in at_once(self.gate.levels(&self.items())) {
            let most = most.get(&level.item).copied().unwrap_or(0)
                + self.ledger.stock[&level.item].admitted;
            assert!(
                level.admitted <= most,
                "{} units are stuck at the gate",
                level.admitted - most
            );
        }
    }

    /// Lets everything that is under way come to its end.
    pub fn come_to_rest(&mut self) {
        for _ in 0..50 {
            self.write(usize::MAX);
            for item in self.items() {
                self.tell(How::Load, &self.ledger.telling(item));
            }
            self.keep();
            while !self.attempts.is_empty() {
                self.step(0);
            }
            self.relay();
            if self.attempts.is_empty() && self.written == self.log.len() {
                break;
            }
        }
        self.tell_all();
        assert_eq!(at_once(self.gate.edge_length()), 0);
        assert_eq!(self.written, self.log.len());
    }
}

impl Attempt {
    fn ask(&mut self, number: usize, id: AdmissionId, gate: &MemoryGate) -> Next {
        let Some((shard, units)) = self.shards.get(number).cloned() else {
            // With every entry gone the log has it all.
            let is_there = self.entries.is_empty() && self.own.is_none();
            return if is_there {
                Next::Done
            } else {
                Next::Publish(Verdict::Accepted)
            };
        };
        let draft = self.draft.clone();
        let asked = Reservation {
            draft,
            shard,
            admission: id,
            units: units.clone(),
        };
        match at_once(gate.reserve(&asked)) {
            Reserved::Taken { entry } => {
                self.admissions.push(Admission { id, units });
                self.entries.push(entry);
            }
            Reserved::Known { receipt, entry } => {
                self.admissions.push(Admission {
                    id: receipt.admission,
                    units,
                });
                self.entries.extend(entry);
            }
            // Its own place in the queue waits for nothing.
            Reserved::QueueFull | Reserved::Healing
                if self.own.as_ref().is_some_and(|own| own.1.shard == shard) =>
            {
                let (own, entry) = self.own.take().expect("just seen");
                self.admissions.push(own);
                self.entries.push(entry);
            }
            Reserved::Refused(_) if !self.admissions.is_empty() || self.own.is_some() => {
                return Next::Publish(Verdict::Withdrawn);
            }
            // A relay waits for nobody; here it is not even sure that nobody else has the order.
            Reserved::Healing if self.own.is_some() => {
                return Next::Publish(Verdict::Withdrawn);
            }
            Reserved::Refused(_)
            | Reserved::NotLoaded(_)
            | Reserved::QueueFull
            | Reserved::Healing => return Next::Done,
        }
        Next::Ask(number + 1)
    }

    /// What goes into the log. The entry a relay came with may be of a taking that no shard
    /// remembers: the ledger has to count that too.
    fn records(&mut self, verdict: Verdict) -> Vec<OrderRecord> {
        let record = |admissions, verdict| OrderRecord {
            draft: self.draft.clone(),
            admissions,
            verdict,
        };
        let mut admissions = self.admissions.clone();
        let mut stray = Vec::new();
        if let Some((own, entry)) = self.own.take() {
            self.entries.push(entry);
            if !admissions.iter().any(|admission| admission.id == own.id) {
                match verdict {
                    Verdict::Withdrawn => admissions.push(own),
                    Verdict::Accepted | Verdict::Void => stray.push(own),
                }
            }
        }
        let mut records = vec![record(admissions, verdict)];
        if !stray.is_empty() {
            records.push(record(stray, Verdict::Void));
        }
        records
    }
}
