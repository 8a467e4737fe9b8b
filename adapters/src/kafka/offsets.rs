//! How far a member's partitions are done, and what of that the group knows.
//!
//! The first store after a quiet moment is committed at once, what follows is gathered and
//! committed together: a busy member would otherwise ask for a commit a batch. Nothing counts as
//! committed before the brokers said so.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::message::{Offset, Partition};
use tokio::time::Instant;

pub(super) struct Offsets {
    /// Stored, and not known to be committed.
    open: BTreeMap<Partition, Offset>,
    /// Whether a commit is on its way.
    in_flight: bool,
    period: Duration,
    next_at: Instant,
}

impl Offsets {
    pub fn new(period: Duration) -> Self {
        Self {
            open: BTreeMap::new(),
            in_flight: false,
            period,
            next_at: Instant::now(),
        }
    }

    pub fn store(&mut self, partition: Partition, next: Offset) {
        self.open.insert(partition, next);
    }

    /// What is to be committed now; it counts as on its way.
    pub fn due(&mut self) -> Option<Vec<(Partition, Offset)>> {
        if self.in_flight || self.open.is_empty() || Instant::now() < self.next_at {
            return None;
        }
        self.in_flight = true;
        self.next_at = Instant::now() + self.period;
        Some(self.open())
    }

    /// When the next commit is due, if one waits for nothing but that.
    pub fn due_at(&self) -> Option<Instant> {
        (!self.in_flight && !self.open.is_empty()).then_some(self.next_at)
    }

    /// A commit was answered; what failed stays open.
    pub fn answered(&mut self) {
        self.in_flight = false;
    }

    /// These are committed.
    pub fn committed(&mut self, offsets: impl IntoIterator<Item = (Partition, Offset)>) {
        for (partition, next) in offsets {
            if self.open.get(&partition) == Some(&next) {
                self.open.remove(&partition);
            }
        }
    }

    /// Everything that is not known to be committed.
    pub fn open(&self) -> Vec<(Partition, Offset)> {
        self.open.iter().map(|(p, next)| (*p, *next)).collect()
    }

    /// Partitions that are somebody else's now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        self.open.retain(|of, _| !partitions.contains(of));
    }
}

#[cfg(test)]
mod tests {
    use domain::message::Topic;

    use super::*;

    const PERIOD: Duration = Duration::from_millis(100);
    const FIRST: Partition = Partition {
        topic: Topic::Orders,
        number: 0,
    };

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_at_once_and_the_next_together() {
        let mut offsets = Offsets::new(PERIOD);
        assert_eq!(offsets.due(), None);
        offsets.store(FIRST, Offset(1));
        let due = offsets.due().unwrap();
        assert_eq!(due, [(FIRST, Offset(1))]);
        offsets.store(FIRST, Offset(2));
        offsets.answered();
        offsets.committed(due);
        assert_eq!(offsets.due(), None, "too soon");
        offsets.store(FIRST, Offset(3));
        tokio::time::sleep_until(offsets.due_at().unwrap()).await;
        assert_eq!(offsets.due(), Some(vec![(FIRST, Offset(3))]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_tried_again() {
        let mut offsets = Offsets::new(PERIOD);
        offsets.store(FIRST, Offset(1));
        offsets.due().unwrap();
        tokio::time::sleep(PERIOD).await;
        assert_eq!(offsets.due(), None, "one at a time");
        offsets.answered();
        assert_eq!(offsets.due(), Some(vec![(FIRST, Offset(1))]));
        offsets.committed([(FIRST, Offset(1))]);
        assert_eq!(offsets.open(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_somebody_elses_is_not_stored() {
        let mut offsets = Offsets::new(PERIOD);
        offsets.store(FIRST, Offset(1));
        offsets.forget(&[FIRST]);
        assert_eq!((offsets.due(), offsets.due_at()), (None, None));
    }
}
