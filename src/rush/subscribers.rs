//! Those who watch: live subscribers of the deal's stock, each on a WebSocket of its own
//! (graphql-transport-ws), reading from before the rush until they have seen its end.

mod watcher;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::endpoint::Endpoint;
use super::requests::Stock;
use watcher::{End, Watcher};

/// Connections being made at once.
const CONNECTING: usize = 64;
/// How long all of them may take to have their first snapshot.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// What subscribers saw.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Subscribed {
    pub subscribers: u64,
    /// Of them, those who never got a snapshot.
    pub without_snapshot: u64,
    /// First values: one for each connection that was made.
    pub snapshots: u64,
    /// Values after the first.
    pub updates: u64,
    /// Connections that broke off and were made again.
    pub reconnections: u64,
    /// Values with a lower version than one before.
    pub fallen_versions: u64,
    /// Subscribers whose last value was not the final stock, though they had the time.
    pub stale: u64,
}

impl Subscribed {
    /// Whether everybody saw what they should have.
    pub fn is_clean(&self) -> bool {
        self.without_snapshot == 0 && self.fallen_versions == 0 && self.stale == 0
    }

    fn add(&mut self, other: &Self) {
        self.subscribers += other.subscribers;
        self.without_snapshot += other.without_snapshot;
        self.snapshots += other.snapshots;
        self.updates += other.updates;
        self.reconnections += other.reconnections;
        self.fallen_versions += other.fallen_versions;
        self.stale += other.stale;
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let Self {
            subscribers,
            snapshots,
            updates,
            reconnections,
            ..
        } = self;
        let mut lines = vec![format!(
            "{subscribers} subscribers: {snapshots} snapshots, {updates} updates, {reconnections} connections made again"
        )];
        for (count, wrong) in [
            (self.without_snapshot, "subscribers never got a snapshot"),
            (
                self.fallen_versions,
                "values had a lower version than one before",
            ),
            (self.stale, "subscribers never saw the final stock"),
        ] {
            if count > 0 {
                lines.push(format!("BROKEN: {count} {wrong}"));
            }
        }
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "subscribers": self.subscribers,
            "snapshots": self.snapshots,
            "updates": self.updates,
            "reconnections": self.reconnections,
            "withoutSnapshot": self.without_snapshot,
            "fallenVersions": self.fallen_versions,
            "stale": self.stale,
        })
    }
}

/// Subscribers at their sockets.
pub struct Audience {
    watchers: JoinSet<Subscribed>,
    end: watch::Sender<End>,
}

impl Audience {
    /// Connects them all, and waits until each has its first snapshot or has had its time. The last
    /// value may take as long as `patience` to reach them.
    pub async fn gather(
        endpoint: &Arc<Endpoint>,
        item_id: &str,
        subscribers: usize,
        patience: Duration,
    ) -> Self {
        let (end, ended) = watch::channel(End::NotYet);
        let (ready, mut snapshots) = mpsc::channel(subscribers.max(1));
        let connecting = Arc::new(Semaphore::new(CONNECTING));
        let mut watchers = JoinSet::new();
        for seed in 0..subscribers {
            let watcher = Watcher::new(
                Arc::clone(endpoint),
                item_id,
                Arc::clone(&connecting),
                ended.clone(),
                ready.clone(),
                patience,
            );
            watchers.spawn(watcher.watch(seed as u64));
        }
        drop(ready);
        let deadline = Instant::now() + READY_TIMEOUT;
        for _ in 0..subscribers {
            if !matches!(timeout_at(deadline, snapshots.recv()).await, Ok(Some(()))) {
                break;
            }
        }
        Self { watchers, end }
    }

    /// Waits until they have seen the final stock, or had the time for it; where nobody knows the
    /// final stock, they just go.
    pub async fn dismiss(self, last: Option<Stock>) -> Subscribed {
        self.end.send_replace(last.map_or(End::Unknown, End::At));
        let mut sum = Subscribed::default();
        for seen in self.watchers.join_all().await {
            sum.add(&seen);
        }
        sum
    }
}
