//! Those who watch: live subscribers of the deal's stock, each on a WebSocket of its own
//! (graphql-transport-ws), reading from before the rush until they have seen its end.

mod watcher;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::endpoint::Nodes;
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
    fn is_clean(&self) -> bool {
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

    fn lines(&self) -> Vec<String> {
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

    fn to_json(&self) -> Value {
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

/// What the subscribers of each node saw, and what was to be seen last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watched {
    all: Subscribed,
    /// By URL, in the order of the nodes.
    nodes: Vec<(String, Subscribed)>,
    last: Option<Stock>,
}

impl Watched {
    /// Whether everybody saw what they should have, on every node.
    pub fn is_clean(&self) -> bool {
        self.all.is_clean()
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.all.lines();
        if let (Some(last), true) = (self.last, self.nodes.len() > 1) {
            let last = format!("{} available at version {}", last.available, last.version);
            lines.extend(self.nodes.iter().map(|(url, seen)| {
                let saw = seen.subscribers - seen.stale - seen.without_snapshot;
                format!(
                    "{saw:>9}  of {} at {url} saw the end: {last}",
                    seen.subscribers
                )
            }));
        }
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let nodes = self.nodes.iter().map(|(url, seen)| {
            let mut seen = seen.to_json();
            seen["url"] = json!(url);
            seen
        });
        let mut all = self.all.to_json();
        all["nodes"] = nodes.collect();
        all["last"] = self.last.map_or(
            Value::Null,
            |last| json!({ "available": last.available, "version": last.version }),
        );
        all
    }
}

/// Subscribers at their sockets.
pub struct Audience {
    nodes: Nodes,
    /// With the number of their node.
    watchers: JoinSet<(usize, Subscribed)>,
    end: watch::Sender<End>,
}

impl Audience {
    /// Connects them all, and waits until each has its first snapshot or has had its time. The last
    /// value may take as long as `patience` to reach them.
    pub async fn gather(
        nodes: &Nodes,
        item_id: &str,
        subscribers: usize,
        patience: Duration,
    ) -> Self {
        let (end, ended) = watch::channel(End::NotYet);
        let (ready, mut snapshots) = mpsc::channel(subscribers.max(1));
        let connecting = Arc::new(Semaphore::new(CONNECTING));
        let mut watchers = JoinSet::new();
        for number in 0..subscribers {
            let watcher = Watcher::new(
                Arc::clone(nodes.of(number)),
                item_id,
                Arc::clone(&connecting),
                ended.clone(),
                ready.clone(),
                patience,
            );
            let node = number % nodes.count();
            watchers.spawn(async move { (node, watcher.watch(number as u64).await) });
        }
        drop(ready);
        let deadline = Instant::now() + READY_TIMEOUT;
        for _ in 0..subscribers {
            if !matches!(timeout_at(deadline, snapshots.recv()).await, Ok(Some(()))) {
                break;
            }
        }
        Self {
            nodes: nodes.clone(),
            watchers,
            end,
        }
    }

    /// Waits until they have seen the final stock, or had the time for it; where nobody knows the
    /// final stock, they just go.
    pub async fn dismiss(self, last: Option<Stock>) -> Watched {
        self.end.send_replace(last.map_or(End::Unknown, End::At));
        let nodes = self.nodes.iter();
        let mut watched = Watched {
            all: Subscribed::default(),
            nodes: nodes
                .map(|node| (node.url(), Subscribed::default()))
                .collect(),
            last,
        };
        for (node, seen) in self.watchers.join_all().await {
            watched.all.add(&seen);
            watched.nodes[node].1.add(&seen);
        }
        watched
    }
}
