//! The records of one poll, and what becomes of each.

use std::collections::BTreeMap;

use domain::Fault;
use domain::message::{Message, Offset, Partition};
use domain::ports::log::Delivery;
use domain::trace::TraceContext;

/// The records of one poll, in order per partition.
pub(super) struct Batch<T> {
    pub records: Vec<Record<T>>,
}

pub(super) struct Record<T> {
    pub partition: Partition,
    pub offset: Offset,
    /// What it was published in the course of.
    pub trace: Option<Box<TraceContext>>,
    pub fate: Fate<T>,
}

/// What became of a record.
pub(super) enum Fate<T> {
    /// It asks for nothing.
    Passed,
    /// Its task is still to be done.
    Open(T),
    Done,
    /// To be put aside.
    Dead(Dead),
}

/// Why a record has to be put aside.
pub(super) struct Dead {
    /// For the operator, without data.
    pub reason: String,
    /// The fault in full, for the log alone.
    pub cause: Option<String>,
    pub attempts: u32,
}

impl<T: Clone> Batch<T> {
    pub fn new(deliveries: &[Delivery], task: impl Fn(&Message) -> Option<T>) -> Self {
        let records = deliveries.iter().map(|delivery| {
            let fate = match &delivery.content {
                Ok(message) => task(message).map_or(Fate::Passed, Fate::Open),
                Err(unreadable) => {
                    let reason = unreadable.reason.clone();
                    Fate::Dead(Dead {
                        reason,
                        cause: None,
                        attempts: 1,
                    })
                }
            };
            Record {
                partition: delivery.partition,
                offset: delivery.offset,
                trace: delivery.trace.clone(),
                fate,
            }
        });
        Self {
            records: records.collect(),
        }
    }

    /// The places of the records that are open.
    pub fn open(&self) -> Vec<usize> {
        let is_open = |place: &usize| matches!(self.records[*place].fate, Fate::Open(_));
        (0..self.records.len()).filter(is_open).collect()
    }

    /// The tasks of those of the records that are open.
    pub fn tasks(&self, places: &[usize]) -> Vec<T> {
        let tasks = places
            .iter()
            .filter_map(|&place| match &self.records[place].fate {
                Fate::Open(task) => Some(task.clone()),
                Fate::Passed | Fate::Done | Fate::Dead(_) => None,
            });
        tasks.collect()
    }

    /// The trace that this record is part of, where somebody follows it.
    pub fn trace(&self, place: usize) -> Option<&TraceContext> {
        let trace = self.records[place].trace.as_deref();
        trace.filter(|trace| trace.is_sampled)
    }

    pub fn finish(&mut self, places: &[usize]) {
        for &place in places {
            self.records[place].fate = Fate::Done;
        }
    }

    /// Gives a record up. The operator reads the fault's fixed sentence; its cause may quote data.
    pub fn give_up(&mut self, place: usize, fault: &Fault, attempts: u32) {
        let (reason, cause) = (fault.doing.to_owned(), Some(fault.detail()));
        self.records[place].fate = Fate::Dead(Dead {
            reason,
            cause,
            attempts,
        });
    }

    /// How many tasks were done.
    pub fn done(&self) -> u64 {
        let done = self.records.iter();
        done.map(|record| u64::from(matches!(record.fate, Fate::Done)))
            .sum()
    }

    /// Where a record is in the log.
    pub fn at(&self, place: usize) -> (Partition, Offset) {
        let record = &self.records[place];
        (record.partition, record.offset)
    }
}

/// How far every partition is finished without a gap.
#[derive(Default)]
pub(super) struct Watermarks {
    partitions: BTreeMap<Partition, Watermark>,
}

#[derive(Default)]
struct Watermark {
    finished_to: Option<Offset>,
    open_from: Option<Offset>,
}

impl Watermarks {
    /// The record is finished, like all of its partition that were named before it and not open.
    pub fn finished(&mut self, partition: Partition, offset: Offset) {
        let mark = self.partitions.entry(partition).or_default();
        if mark.open_from.is_none() {
            mark.finished_to = Some(Offset(offset.0 + 1));
        }
    }

    /// The record is not finished: nothing at or after it may be stored.
    pub fn open(&mut self, partition: Partition, offset: Offset) {
        let mark = self.partitions.entry(partition).or_default();
        mark.open_from.get_or_insert(offset);
    }

    /// What can be stored.
    pub fn finished_to(&self) -> impl Iterator<Item = (Partition, Offset)> + Send {
        let marks = self.partitions.iter();
        marks.filter_map(|(partition, mark)| Some((*partition, mark.finished_to?)))
    }

    /// What has to be taken again.
    pub fn open_from(&self) -> impl Iterator<Item = (Partition, Offset)> + Send {
        let marks = self.partitions.iter();
        marks.filter_map(|(partition, mark)| Some((*partition, mark.open_from?)))
    }
}
