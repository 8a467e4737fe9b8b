//! How the workers are doing, for readiness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::Timestamp;

use crate::name::WorkerName;

/// How all workers of this process are doing. Cheap to clone; it stays valid after they are gone.
#[derive(Clone, Debug)]
pub struct Health {
    workers: Arc<[Arc<Progress>]>,
}

/// How one worker is doing, as of one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerHealth {
    /// Under which name it was asked for.
    pub worker: WorkerName,
    /// What of it: some do two things at a time.
    pub part: &'static str,
    pub state: WorkerState,
    pub started_at: Timestamp,
    /// When it last got through a round: a poll, a batch, a sweep.
    pub last_round: Option<Timestamp>,
    /// Faults and panics since its last successful round.
    pub faults_in_a_row: u32,
    /// From [`Pace::late_after_ms`](crate::Pace::late_after_ms).
    pub late_after_ms: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerState {
    Working,
    /// The last thing it met was a fault; it tries again by itself.
    Retrying,
    /// It stopped for good and needs an operator; why, in a fixed sentence.
    Halted(&'static str),
    /// It left after the shutdown signal.
    Left,
}

impl Health {
    pub(crate) fn new(workers: impl IntoIterator<Item = Arc<Progress>>) -> Self {
        Self {
            workers: workers.into_iter().collect(),
        }
    }

    /// Every worker, in the order they were started.
    #[must_use]
    pub fn report(&self) -> Vec<WorkerHealth> {
        self.workers
            .iter()
            .map(|progress| progress.health().clone())
            .collect()
    }

    /// The parts that do not get their work done at `now`; empty when all is well.
    #[must_use]
    pub fn unwell(&self, now: Timestamp) -> Vec<&'static str> {
        self.report()
            .into_iter()
            .filter(|worker| !worker.is_well(now))
            .map(|worker| worker.part)
            .collect()
    }
}

impl WorkerHealth {
    /// Whether it gets its work done. A fault alone is no illness: it may be over at the next try.
    #[must_use]
    pub fn is_well(&self, now: Timestamp) -> bool {
        match self.state {
            WorkerState::Working | WorkerState::Retrying => {
                let since = self.last_round.unwrap_or(self.started_at);
                now - since <= TimeDelta::milliseconds(self.late_after_ms)
            }
            WorkerState::Halted(_) | WorkerState::Left => false,
        }
    }
}

/// Where one worker notes how it is doing.
#[derive(Debug)]
pub(crate) struct Progress {
    health: Mutex<WorkerHealth>,
}

impl Progress {
    pub fn new(
        worker: WorkerName,
        part: &'static str,
        late_after_ms: i64,
        started_at: Timestamp,
    ) -> Self {
        let health = WorkerHealth {
            worker,
            part,
            state: WorkerState::Working,
            started_at,
            last_round: None,
            faults_in_a_row: 0,
            late_after_ms,
        };
        Self {
            health: Mutex::new(health),
        }
    }

    pub fn round(&self, now: Timestamp) {
        let mut health = self.health();
        health.state = WorkerState::Working;
        health.last_round = Some(now);
        health.faults_in_a_row = 0;
    }

    /// Notes a fault, and returns how many there were in a row.
    pub fn fault(&self) -> u32 {
        let mut health = self.health();
        health.state = WorkerState::Retrying;
        health.faults_in_a_row = health.faults_in_a_row.saturating_add(1);
        health.faults_in_a_row
    }

    pub fn end(&self, state: WorkerState) {
        self.health().state = state;
    }

    pub fn health(&self) -> MutexGuard<'_, WorkerHealth> {
        // Every write is a few plain stores, whole even if their thread panicked.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn a_worker_is_unwell_when_it_is_late_or_stopped() {
        let progress = Arc::new(Progress::new(WorkerName::Expiry, "expiry", 10_000, at(0)));
        let health = Health::new([progress.clone()]);
        assert_eq!(health.unwell(at(10)), [""; 0]);
        assert_eq!(health.unwell(at(11)), ["expiry"]);
        progress.round(at(11));
        progress.fault();
        assert_eq!(progress.fault(), 2);
        assert_eq!(health.unwell(at(21)), [""; 0]);
        assert_eq!(health.report()[0].state, WorkerState::Retrying);
        assert_eq!(health.unwell(at(22)), ["expiry"]);
        progress.round(at(22));
        assert_eq!(health.report()[0].faults_in_a_row, 0);
        progress.end(WorkerState::Halted("a reason"));
        assert_eq!(health.unwell(at(22)), ["expiry"]);
    }
}
