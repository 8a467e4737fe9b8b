//! A log in memory, whose faults and rebalancing are the test's to make.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::dead_letter::{KeptLetter, RawRecord};
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::log::{Consumer, DeadLetter, Delivery, Group, Kept, Log, Polled, Unreadable};
use domain::trace::TraceContext;
use domain::{Fault, Timestamp};
use tokio::time::{Duration, sleep};

use super::{away, task};

/// What happened at the log and at the tests' handlers, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    Joined,
    Polled,
    Handled(u64),
    Stored(i32, i64),
    PutAside(i32, i64),
}

/// A log in memory, whose faults and rebalancing are the test's to make.
#[derive(Clone, Default)]
pub(crate) struct FakeLog(Arc<Mutex<LogState>>);

#[derive(Default)]
pub(crate) struct LogState {
    pub records: BTreeMap<Partition, Vec<Option<Result<Message, Unreadable>>>>,
    /// Where it says its partitions end, if not where they do.
    pub ends: BTreeMap<Partition, Offset>,
    pub stored: BTreeMap<Partition, Offset>,
    pub dead: Vec<DeadLetter>,
    pub deeds: Vec<Deed>,
    /// A poll brings records of one partition, in turn, and not of all.
    pub one_partition_a_poll: bool,
    /// What the next polls bring before anything else.
    pub next_polls: VecDeque<Polled>,
    /// What records were published in the course of, by offset.
    pub traces: BTreeMap<i64, TraceContext>,
    pub failing_stores: u32,
    pub failing_polls: u32,
    pub failing_asides: u32,
}

impl FakeLog {
    pub fn state(&self) -> MutexGuard<'_, LogState> {
        self.0.lock().unwrap()
    }

    pub fn append(&self, partition: i32, content: Result<Message, Unreadable>) {
        let records = &mut self.state().records;
        records
            .entry(in_partition(partition))
            .or_default()
            .push(Some(content));
    }

    pub fn append_tasks(&self, partition: i32, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.append(partition, Ok(task(number)));
        }
    }

    pub fn note(&self, deed: Deed) {
        self.state().deeds.push(deed);
    }

    pub fn stored(&self, partition: i32) -> i64 {
        self.state()
            .stored
            .get(&in_partition(partition))
            .map_or(0, |next| next.0)
    }

    /// The offsets that were put aside, in order.
    pub fn dead(&self) -> Vec<i64> {
        self.state()
            .dead
            .iter()
            .map(|letter| letter.offset.0)
            .collect()
    }
}

/// The tests' partitions.
pub(crate) fn in_partition(number: i32) -> Partition {
    Partition {
        topic: Topic::OrderAccepted,
        number,
    }
}

pub(crate) fn unreadable() -> Result<Message, Unreadable> {
    Err(Unreadable {
        reason: "not a message".to_owned(),
    })
}

fn fails(count: &mut u32) -> Result<(), Fault> {
    if *count == 0 {
        return Ok(());
    }
    *count -= 1;
    Err(away())
}

#[async_trait]
impl Log for FakeLog {
    async fn publish(&self, _: &[Message]) -> Result<(), Fault> {
        unreachable!("workers publish through their use cases")
    }

    async fn ends(&self, _: Topic) -> Result<Vec<(Partition, Offset)>, Fault> {
        let state = self.state();
        let ends = state.records.iter().map(|(&partition, records)| {
            let end = Offset(i64::try_from(records.len()).unwrap());
            (
                partition,
                state.ends.get(&partition).copied().unwrap_or(end),
            )
        });
        Ok(ends.collect())
    }

    async fn join(&self, _: Group, _: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        self.note(Deed::Joined);
        let partitions = self.state().records.keys().copied().collect();
        let joined = Some(Polled::Assigned(partitions));
        Ok(Box::new(Member {
            log: self.clone(),
            joined,
            positions: BTreeMap::new(),
            turn: 0,
        }))
    }

    async fn tail(&self, _: &[Topic]) -> Result<Box<dyn Consumer>, Fault> {
        unreachable!("workers are in groups")
    }

    async fn lag(&self, _: Group, _: &[Topic]) -> Result<u64, Fault> {
        unreachable!("workers do not ask")
    }

    async fn put_aside(&self, letter: &DeadLetter) -> Result<(), Fault> {
        let mut state = self.state();
        fails(&mut state.failing_asides)?;
        state
            .deeds
            .push(Deed::PutAside(letter.partition.number, letter.offset.0));
        state.dead.push(letter.clone());
        Ok(())
    }

    async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault> {
        let state = self.state();
        let from = usize::try_from(from.0).unwrap();
        let letters = state.dead.iter().skip(from).take(most);
        let kept = letters.map(|letter| KeptLetter {
            letter: letter.clone(),
            at: Timestamp::UNIX_EPOCH,
            record: None,
        });
        let letters: Vec<_> = kept.collect();
        let next = Offset(i64::try_from(from + letters.len()).unwrap());
        Ok(Kept { letters, next })
    }

    async fn dead_letters(&self, _: Offset) -> Result<u64, Fault> {
        unreachable!("workers do not ask")
    }

    async fn publish_again(&self, _: Partition, _: &RawRecord) -> Result<(), Fault> {
        unreachable!("operators do")
    }
}

struct Member {
    log: FakeLog,
    joined: Option<Polled>,
    /// Of the partitions that are its own.
    positions: BTreeMap<Partition, Offset>,
    turn: usize,
}

impl Member {
    fn next(&mut self, most: usize) -> Result<Option<Polled>, Fault> {
        let mut state = self.log.state();
        state.deeds.push(Deed::Polled);
        fails(&mut state.failing_polls)?;
        let rebalanced = self.joined.take().or_else(|| state.next_polls.pop_front());
        match &rebalanced {
            Some(Polled::Assigned(partitions)) => {
                for partition in partitions {
                    let stored = state.stored.get(partition).copied().unwrap_or(Offset(0));
                    self.positions.insert(*partition, stored);
                }
            }
            Some(Polled::Revoked(partitions)) => {
                self.positions
                    .retain(|partition, _| !partitions.contains(partition));
            }
            Some(Polled::Records(_) | Polled::Idle) | None => {}
        }
        if rebalanced.is_some() {
            return Ok(rebalanced);
        }
        let mut came = Vec::new();
        self.turn += 1;
        let first = self.turn % self.positions.len().max(1);
        let mut in_turn: Vec<_> = self.positions.iter_mut().collect();
        in_turn.rotate_left(first);
        for (partition, position) in in_turn {
            if state.one_partition_a_poll && !came.is_empty() {
                break;
            }
            let Some(records) = state.records.get(partition) else {
                continue;
            };
            let from = usize::try_from(position.0).unwrap();
            for (place, record) in records.iter().enumerate().skip(from) {
                if came.len() == most {
                    break;
                }
                let offset = Offset(i64::try_from(place).unwrap());
                *position = Offset(offset.0 + 1);
                if let Some(content) = record.clone() {
                    came.push(Delivery {
                        trace: state.traces.get(&offset.0).cloned().map(Box::new),
                        partition: *partition,
                        offset,
                        content,
                    });
                }
            }
        }
        Ok(if came.is_empty() {
            None
        } else {
            Some(Polled::Records(came))
        })
    }
}

#[async_trait]
impl Consumer for Member {
    async fn poll(&mut self, most: usize) -> Result<Polled, Fault> {
        if let Some(polled) = self.next(most)? {
            return Ok(polled);
        }
        sleep(Duration::from_secs(1)).await;
        Ok(Polled::Idle)
    }

    async fn store(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        let mut state = self.log.state();
        fails(&mut state.failing_stores)?;
        assert!(
            self.positions.contains_key(&partition),
            "stored what is somebody else's"
        );
        state.deeds.push(Deed::Stored(partition.number, next.0));
        state.stored.insert(partition, next);
        Ok(())
    }

    async fn seek(&mut self, partition: Partition, next: Offset) -> Result<(), Fault> {
        assert!(
            self.positions.contains_key(&partition),
            "sought what is somebody else's"
        );
        self.positions.insert(partition, next);
        Ok(())
    }
}
