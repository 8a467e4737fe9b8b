//! Where the writer stands in one partition, and how much it dares to write at once.

use domain::message::Offset;
use domain::ports::log::{Delivery, Unreadable};
use domain::{Fault, FaultKind};

use crate::order_writer::RECORDS_AT_ONCE;

/// How often a record is tried alone, when the ledger says that it makes no sense, before it counts
/// as unreadable.
const TRIES_ALONE: u32 = 3;

#[derive(Debug)]
pub(super) struct Place {
    /// Where the ledger stands; absent until it is read from there.
    pub next: Option<Offset>,
    /// Records written at once: halved after a fault, doubled after a success.
    most: usize,
    /// Where records were missing when they last came.
    missing_at: Option<Offset>,
    /// A record that was tried alone, how often, and what it failed on.
    spoiled: Option<(Offset, u32, &'static str)>,
}

/// Records to be written together, without gaps.
pub(super) struct Batch {
    pub from: Offset,
    pub deliveries: Vec<Delivery>,
    /// Whether more came than may be written now.
    pub is_cut: bool,
}

/// What should have come did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// It may be a poll from before the last seek.
    LookAgain(Offset),
    /// It is not there any more.
    Gone(Offset),
}

impl Place {
    pub fn new() -> Self {
        Self {
            next: None,
            most: RECORDS_AT_ONCE,
            missing_at: None,
            spoiled: None,
        }
    }

    /// What is to be written of `deliveries`: from where the ledger stands, up to the first gap.
    pub fn batch(&mut self, mut deliveries: Vec<Delivery>) -> Result<Option<Batch>, Missing> {
        let Some(from) = self.next else {
            return Ok(None);
        };
        deliveries.retain(|delivery| delivery.offset >= from);
        let came = deliveries.len();
        if came == 0 {
            return Ok(None);
        }
        let gapless = deliveries
            .iter()
            .zip(from.0..)
            .take_while(|(delivery, offset)| delivery.offset.0 == *offset);
        let length = gapless.take(self.most).count();
        if length == 0 {
            if self.missing_at == Some(from) {
                return Err(Missing::Gone(from));
            }
            self.missing_at = Some(from);
            return Err(Missing::LookAgain(from));
        }
        deliveries.truncate(length);
        if let Some(reason) = self.given_up(from) {
            deliveries.truncate(1);
            deliveries[0].content = Err(Unreadable {
                reason: reason.to_owned(),
            });
        }
        let is_cut = deliveries.len() < came;
        Ok(Some(Batch {
            from,
            deliveries,
            is_cut,
        }))
    }

    /// Why the record at `from` counts as unreadable, if it does.
    fn given_up(&self, from: Offset) -> Option<&'static str> {
        let (offset, tries, doing) = self.spoiled?;
        (offset == from && tries >= TRIES_ALONE).then_some(doing)
    }

    pub fn written(&mut self, next: Offset) {
        self.next = Some(next);
        self.most = (self.most * 2).min(RECORDS_AT_ONCE);
        self.missing_at = None;
        self.spoiled = None;
    }

    /// Somebody else moved the position.
    pub fn lost(&mut self) {
        self.next = None;
    }

    /// A batch of so many records met a fault.
    pub fn failed(&mut self, fault: &Fault, records: usize) {
        if let Some(from) = self.next.take()
            && records == 1
            && fault.kind == FaultKind::Corrupt
        {
            let tries = match self.spoiled {
                Some((offset, tries, _)) if offset == from => tries,
                Some(_) | None => 0,
            };
            self.spoiled = Some((from, tries.saturating_add(1), fault.doing));
        }
        self.most = (records / 2).max(1);
    }
}
