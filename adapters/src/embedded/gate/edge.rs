//! Accepted orders that wait until the log has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::gate::{EdgeEntry, EntryId, Reservation, Shard};
use domain::message::Draft;
use domain::stock::Units;
use domain::{AdmissionId, Timestamp};
use uuid::Uuid;

/// The edge queue of one shard, oldest first.
#[derive(Clone, Default)]
pub(super) struct EdgeQueue {
    entries: BTreeMap<u64, Waiting>,
    next: u64,
}

#[derive(Clone)]
struct Waiting {
    draft: Arc<Draft>,
    admission: AdmissionId,
    units: Vec<Units>,
    queued_at: Timestamp,
    claimed_at: Option<Timestamp>,
}

/// An entry's place, and whose it is: after a failover another order can have got the place of an
/// entry that was lost.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    place: u64,
    admission: AdmissionId,
}

impl Ticket {
    pub fn named(self, shard: Shard) -> EntryId {
        EntryId {
            shard,
            id: format!("{}-{}", self.place, self.admission.0.simple()),
        }
    }

    fn parse(id: &str) -> Option<Self> {
        let (place, admission) = id.split_once('-')?;
        let admission = AdmissionId(Uuid::try_parse(admission).ok()?);
        Some(Self {
            place: place.parse().ok()?,
            admission,
        })
    }
}

impl EdgeQueue {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn push(&mut self, reservation: &Reservation, now: Timestamp) -> Ticket {
        let place = self.next;
        self.next += 1;
        let admission = reservation.admission;
        let queued = Waiting {
            draft: reservation.draft.clone(),
            admission,
            units: reservation.units.clone(),
            queued_at: now,
            claimed_at: None,
        };
        self.entries.insert(place, queued);
        Ticket { place, admission }
    }

    pub fn has(&self, ticket: Ticket) -> bool {
        self.entries
            .get(&ticket.place)
            .is_some_and(|queued| queued.admission == ticket.admission)
    }

    /// Takes an entry off; one that is gone, or never was, is no error.
    pub fn settle(&mut self, id: &str) {
        if let Some(ticket) = Ticket::parse(id).filter(|ticket| self.has(*ticket)) {
            self.entries.remove(&ticket.place);
        }
    }

    /// Claims up to `most` entries that have waited for `age`, and that nobody has claimed since.
    pub fn claim(
        &mut self,
        shard: Shard,
        age: TimeDelta,
        most: usize,
        now: Timestamp,
    ) -> Vec<EdgeEntry> {
        self.entries
            .iter_mut()
            .take_while(|(_, queued)| now - queued.queued_at >= age)
            .filter(|(_, queued)| queued.claimed_at.is_none_or(|at| now - at >= age))
            .take(most)
            .map(|(place, queued)| {
                queued.claimed_at = Some(now);
                let admission = queued.admission;
                EdgeEntry {
                    id: Ticket {
                        place: *place,
                        admission,
                    }
                    .named(shard),
                    draft: queued.draft.clone(),
                    admission,
                    units: queued.units.clone(),
                }
            })
            .collect()
    }
}
