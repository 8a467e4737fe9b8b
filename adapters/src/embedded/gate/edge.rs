//! Accepted orders that wait until the log has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::gate::{EdgeEntry, EdgePlace, EntryId, Reservation, Shard};
use domain::message::Draft;
use domain::stock::Units;
use domain::{AdmissionId, Timestamp};

/// The edge queue of one shard, oldest first.
#[derive(Clone, Default)]
pub(super) struct EdgeQueue {
    entries: BTreeMap<EdgePlace, Waiting>,
    last: Option<EdgePlace>,
}

#[derive(Clone)]
struct Waiting {
    draft: Arc<Draft>,
    admission: AdmissionId,
    units: Vec<Units>,
    claimed_at: Option<Timestamp>,
}

impl EdgeQueue {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The places of the oldest and of the newest entry.
    pub fn span(&self) -> Option<(EdgePlace, EdgePlace)> {
        let (oldest, _) = self.entries.first_key_value()?;
        let (newest, _) = self.entries.last_key_value()?;
        Some((*oldest, *newest))
    }

    pub fn push(&mut self, reservation: &Reservation, now: Timestamp) -> EntryId {
        let first = EdgePlace {
            at_ms: u64::try_from(now.timestamp_millis()).unwrap_or(0),
            number: 0,
        };
        let place = match self.last.filter(|last| first <= *last) {
            Some(last) => EdgePlace {
                number: last.number + 1,
                ..last
            },
            None => first,
        };
        self.last = Some(place);
        let admission = reservation.admission;
        let queued = Waiting {
            draft: reservation.draft.clone(),
            admission,
            units: reservation.units.clone(),
            claimed_at: None,
        };
        self.entries.insert(place, queued);
        EntryId {
            shard: reservation.shard,
            place,
            admission,
        }
    }

    pub fn has(&self, entry: &EntryId) -> bool {
        self.entries
            .get(&entry.place)
            .is_some_and(|queued| queued.admission == entry.admission)
    }

    /// Takes an entry off; one that is gone, or never was, is no error.
    pub fn settle(&mut self, entry: &EntryId) {
        if self.has(entry) {
            self.entries.remove(&entry.place);
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
        let waited_ms = |place: &EdgePlace| {
            let now_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
            now_ms.saturating_sub(place.at_ms)
        };
        let age_ms = u64::try_from(age.num_milliseconds()).unwrap_or(0);
        self.entries
            .iter_mut()
            .take_while(|(place, _)| waited_ms(place) >= age_ms)
            .filter(|(_, queued)| queued.claimed_at.is_none_or(|at| now - at >= age))
            .take(most)
            .map(|(place, queued)| {
                queued.claimed_at = Some(now);
                EdgeEntry {
                    id: EntryId {
                        shard,
                        place: *place,
                        admission: queued.admission,
                    },
                    draft: queued.draft.clone(),
                    units: queued.units.clone(),
                    waited_ms: waited_ms(place),
                }
            })
            .collect()
    }
}
