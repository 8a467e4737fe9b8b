//! A ledger of the tests'.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use super::*;

/// A ledger that notes what is written, and fails as the test wants it.
#[derive(Clone)]
pub struct Ledger(Arc<Mutex<State>>);

pub struct State {
    pub positions: BTreeMap<Partition, Offset>,
    /// Tasks in the order they were written, and offsets that were passed as unreadable.
    pub written: Vec<u64>,
    pub unreadable: Vec<i64>,
    pub batches: Vec<usize>,
    /// Where nobody can say how far it is.
    pub lost: Option<Partition>,
    /// Tasks that no batch can be written with.
    pub bad: HashMap<u64, Bad>,
    /// What the next writes come to.
    pub next: Vec<Trouble>,
    pub is_down: bool,
    pub takes_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    Nonsense,
    Panics,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    None,
    NothingWritten,
    /// It was committed, but the answer got lost.
    AnswerLost,
    /// Another writer has written the same batch.
    AnotherWriter,
}

impl Ledger {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            positions: BTreeMap::new(),
            written: Vec::new(),
            unreadable: Vec::new(),
            batches: Vec::new(),
            lost: None,
            bad: HashMap::new(),
            next: Vec::new(),
            is_down: false,
            takes_ms: 0,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn start(&self, world: &World) -> Workers {
        let (ledger, log) = (self.clone(), world.log.clone());
        world.start("order-writer", move || {
            OrderWriter::new(Arc::new(log.clone()), ledger.clone())
        })
    }

    pub fn position_of(&self, partition: i32) -> i64 {
        self.state().position(in_partition(partition)).0
    }
}

impl State {
    fn position(&self, partition: Partition) -> Offset {
        self.positions.get(&partition).copied().unwrap_or(Offset(0))
    }

    fn commit(&mut self, partition: Partition, deliveries: &[Delivery]) -> Offset {
        for delivery in deliveries {
            match &delivery.content {
                Ok(message) => self.written.extend(task_of(message)),
                Err(_) => self.unreadable.push(delivery.offset.0),
            }
        }
        self.batches.push(deliveries.len());
        let next = Offset(deliveries.last().unwrap().offset.0 + 1);
        self.positions.insert(partition, next);
        next
    }
}

#[async_trait]
impl Writing for Ledger {
    async fn position(&self, partition: Partition) -> Result<Offset, Fault> {
        let state = self.state();
        if state.is_down || state.lost == Some(partition) {
            Err(away())
        } else {
            Ok(state.position(partition))
        }
    }

    async fn write(
        &self,
        partition: Partition,
        from: Offset,
        deliveries: &[Delivery],
    ) -> Result<Written, Fault> {
        guarded("writing", self.try_write(partition, from, deliveries)).await
    }
}

impl Ledger {
    async fn try_write(
        &self,
        partition: Partition,
        from: Offset,
        deliveries: &[Delivery],
    ) -> Result<Written, Fault> {
        assert_eq!(deliveries[0].offset, from);
        assert!(deliveries.len() <= RECORDS_AT_ONCE);
        for (delivery, offset) in deliveries.iter().zip(from.0..) {
            assert_eq!((delivery.partition, delivery.offset.0), (partition, offset));
        }
        let takes_ms = self.state().takes_ms;
        sleep(Duration::from_millis(takes_ms)).await;
        let mut state = self.state();
        if state.is_down {
            return Err(away());
        }
        if state.position(partition) != from {
            return Ok(Written::NotMine);
        }
        let tasks = deliveries
            .iter()
            .filter_map(|d| d.content.as_ref().ok().and_then(task_of));
        match tasks
            .into_iter()
            .find_map(|task| state.bad.get(&task).copied())
        {
            Some(Bad::Nonsense) => return Err(nonsense()),
            Some(Bad::Panics) => {
                drop(state);
                panic!("as the test wants it");
            }
            None => {}
        }
        match state.next.pop().unwrap_or(Trouble::None) {
            Trouble::None => {}
            Trouble::NothingWritten => return Err(away()),
            Trouble::AnswerLost => {
                state.commit(partition, deliveries);
                return Err(away());
            }
            Trouble::AnotherWriter => {
                state.commit(partition, deliveries);
                return Ok(Written::NotMine);
            }
        }
        Ok(Written::Done {
            next: state.commit(partition, deliveries),
        })
    }
}
