//! A handler that does as a test says.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::{Duration, sleep};

use super::*;

const AT_ONCE: usize = 4;

/// Does tasks as the test's rules say, all of a group or none.
#[derive(Clone)]
pub struct Script(Arc<Mutex<State>>);

pub struct State {
    pub log: FakeLog,
    pub rules: HashMap<u64, Rule>,
    /// Nothing works at all.
    pub is_down: bool,
    /// How long everything takes.
    pub takes_ms: u64,
    pub attempts: BTreeMap<u64, u32>,
    /// The trace that each was last handled in.
    pub traces: BTreeMap<u64, Option<u128>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    Away,
    AwayTimes(u32),
    Nonsense,
    Panics,
}

impl Script {
    pub fn new(world: &World) -> Self {
        Self(Arc::new(Mutex::new(State {
            log: world.log.clone(),
            rules: HashMap::new(),
            is_down: false,
            takes_ms: 0,
            attempts: BTreeMap::new(),
            traces: BTreeMap::new(),
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn rule(&self, task: u64, rule: Rule) -> &Self {
        self.state().rules.insert(task, rule);
        self
    }

    /// Starts a consumer that does what the script says.
    pub fn start(&self, world: &World) -> Workers {
        self.start_with(world, AT_ONCE)
    }

    pub fn start_with(&self, world: &World, at_once: usize) -> Workers {
        let (script, log) = (self.clone(), world.log.clone());
        let topics = &[Topic::OrderAccepted];
        let subscription = Subscription {
            group: Group::Mail,
            topics,
            most: 20,
            at_once,
        };
        world.start("script", move || {
            Consuming::new(Arc::new(log.clone()), subscription, script.clone())
        })
    }
}

#[async_trait]
impl Handler for Script {
    type Task = u64;

    fn task(&self, message: &Message) -> Option<u64> {
        task_of(message)
    }

    async fn handle(&self, tasks: &[u64]) -> Result<(), Fault> {
        let takes_ms = self.state().takes_ms;
        sleep(Duration::from_millis(takes_ms)).await;
        let mut state = self.state();
        for task in tasks {
            state.traces.insert(*task, trace::current());
            *state.attempts.entry(*task).or_default() += 1;
        }
        if state.is_down {
            return Err(away());
        }
        for task in tasks {
            match state.rules.get(task).copied() {
                Some(Rule::Away) => return Err(away()),
                Some(Rule::AwayTimes(0)) | None => {}
                Some(Rule::AwayTimes(times)) => {
                    state.rules.insert(*task, Rule::AwayTimes(times - 1));
                    return Err(away());
                }
                Some(Rule::Nonsense) => return Err(nonsense()),
                Some(Rule::Panics) => {
                    drop(state);
                    panic!("as the test wants it");
                }
            }
        }
        for task in tasks {
            state.log.note(Deed::Handled(*task));
        }
        Ok(())
    }
}

pub fn handled(world: &World) -> Vec<u64> {
    let state = world.log.state();
    let tasks = state.deeds.iter().filter_map(|deed| match deed {
        Deed::Handled(task) => Some(*task),
        _ => None,
    });
    tasks.collect()
}

pub fn state_of(workers: &Workers) -> WorkerState {
    workers.health().report()[0].state
}
