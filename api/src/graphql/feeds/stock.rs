//! Live stock: follows the gate's levels, and tells each watcher of an item its newest.
//!
//! There is news at most ten times a second, so an item's watchers hear of it at most that often, and
//! what goes unheard is read again every second. A deal that opens or closes changes its phase
//! without any change at the gate: the feed knows from the level when that will be, and reads the
//! level again then.

use std::collections::HashMap;
use std::sync::Arc;

use domain::gate::Level;
use domain::ports::Ports;
use domain::ports::gate::{FeedCursor, News};
use domain::{Fault, ItemId, Timestamp};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::graphql::objects::stock::{ledger_level, next_turn, phase};

use super::watched::{Watched, Watching};
use super::{Health, RETRY_MS, pause};

/// The shortest time between two rounds of news, in milliseconds.
const PACE_MS: u64 = 100;
/// How often everything that is watched is read, in milliseconds: news may go unheard.
const READ_AGAIN_MS: u64 = 1_000;
const NAME: &str = "stock";

/// The levels that somebody watches.
pub struct StockFeed {
    ports: Ports,
    watched: Arc<Watched<ItemId, Option<Reading>>>,
    /// Something is watched that was not: its deal may turn before all others.
    joined: Notify,
}

/// A level, and when it came by the engine's clock.
#[derive(Clone, Copy)]
struct Reading {
    level: Level,
    at: Timestamp,
}

impl Reading {
    /// When the phase of its deal may change, by the engine's clock.
    fn turns_at(&self) -> Option<Timestamp> {
        next_turn(&self.level).map(|turn| self.at + (turn - self.level.as_of))
    }

    /// Whether who saw this has to see `level`.
    fn is_outdated_by(&self, level: &Level) -> bool {
        if level.version == self.level.version {
            level.as_of > self.level.as_of && phase(level) != phase(&self.level)
        } else {
            level.version > self.level.version
        }
    }
}

impl StockFeed {
    pub(in crate::graphql) fn new(ports: Ports) -> Self {
        Self {
            ports,
            watched: Watched::new(),
            joined: Notify::new(),
        }
    }

    /// The levels of these items, which must be there: each one's present level first, then whatever
    /// is newer. Versions never fall; one comes twice only when its deal's phase has changed.
    pub async fn watch(
        &self,
        items: &[ItemId],
    ) -> Result<impl Stream<Item = Level> + use<>, Fault> {
        let watching: Vec<_> = items.iter().map(|item| self.watched.watch(*item)).collect();
        let unread: Vec<ItemId> = watching
            .iter()
            .filter(|one| one.value().is_none())
            .map(|one| one.key)
            .collect();
        self.read(&unread).await?;
        if watching.iter().any(|one| one.first) {
            self.joined.notify_one();
        }
        Ok(stream::select_all(
            watching.into_iter().map(|one| levels(one).boxed()),
        ))
    }

    /// Takes what is heard of levels that are watched, and reads what can't be told from it.
    async fn hear(&self, news: &News) -> Result<(), Fault> {
        if news.gap {
            return self.read_all().await;
        }
        let mut unknown = Vec::new();
        for change in &news.changes {
            if let Some(seen) = self.watched.value(change.item) {
                match seen.and_then(|seen| change.of(&seen.level)) {
                    Some(level) => self.publish(level),
                    None => unknown.push(change.item),
                }
            }
        }
        self.read(&unknown).await
    }

    /// Reads the levels of everything that is watched.
    async fn read_all(&self) -> Result<(), Fault> {
        let items: Vec<ItemId> = self
            .watched
            .values()
            .into_iter()
            .map(|(item, _)| item)
            .collect();
        self.read(&items).await
    }

    /// Reads the levels of items that are watched, from the ledger where the gate has none.
    async fn read(&self, items: &[ItemId]) -> Result<(), Fault> {
        if items.is_empty() {
            return Ok(());
        }
        let levels = self.ports.gate.levels(items).await?;
        let loaded: HashMap<ItemId, Level> = levels
            .into_iter()
            .map(|level| (level.item, level))
            .collect();
        let others: Vec<ItemId> = items
            .iter()
            .copied()
            .filter(|item| !loaded.contains_key(item))
            .collect();
        if !others.is_empty() {
            let now = self.ports.clock.now();
            for item in self.ports.items.items(&others).await? {
                self.publish(ledger_level(&item, now));
            }
        }
        for level in loaded.into_values() {
            self.publish(level);
        }
        Ok(())
    }

    fn publish(&self, level: Level) {
        let reading = Reading {
            level,
            at: self.ports.clock.now(),
        };
        self.watched.change(level.item, |seen| match seen {
            None => {
                *seen = Some(reading);
                true
            }
            Some(seen) if seen.is_outdated_by(&level) => {
                *seen = reading;
                true
            }
            Some(seen) => {
                if level.version == seen.level.version && level.as_of > seen.level.as_of {
                    // The same again, but later: the next turn is reckoned from here.
                    *seen = reading;
                }
                false
            }
        });
    }

    /// Follows the gate until the end. Runs once a process.
    pub async fn follow(&self, shutdown: &CancellationToken) {
        let mut health = Health::default();
        let mut cursor = FeedCursor::default();
        let mut changes = self.ports.gate.changes(cursor);
        let mut silence = self.ports.clock.sleep_ms(READ_AGAIN_MS);
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => return,
                heard = &mut changes => {
                    let step = match heard {
                        Ok(news) => {
                            cursor = news.cursor;
                            self.hear(&news).await
                        }
                        Err(fault) => Err(fault),
                    };
                    changes = self.ports.gate.changes(cursor);
                    step
                }
                () = &mut silence => {
                    silence = self.ports.clock.sleep_ms(READ_AGAIN_MS);
                    self.read_all().await
                }
                turned = self.turn() => self.read(&turned).await,
            };
            let wait = match &step {
                Ok(()) => {
                    health.worked(NAME);
                    PACE_MS
                }
                Err(fault) => {
                    health.failed(NAME, fault);
                    RETRY_MS
                }
            };
            if !pause(&*self.ports.clock, wait, shutdown).await {
                return;
            }
        }
    }

    /// Waits until deals that are watched may have turned, and says of which items.
    async fn turn(&self) -> Vec<ItemId> {
        loop {
            let now = self.ports.clock.now();
            let turns: Vec<(ItemId, Timestamp)> = self
                .watched
                .values()
                .into_iter()
                .filter_map(|(item, reading)| Some((item, reading?.turns_at()?)))
                .collect();
            let Some(next) = turns.iter().map(|(_, at)| *at).min() else {
                self.joined.notified().await;
                continue;
            };
            if next <= now {
                return turns
                    .into_iter()
                    .filter(|(_, at)| *at <= now)
                    .map(|(item, _)| item)
                    .collect();
            }
            // A part of a millisecond is one: the clock has no smaller steps.
            let ms = (next - now).num_milliseconds().max(1);
            tokio::select! {
                () = self.ports.clock.sleep_ms(ms.unsigned_abs()) => {}
                () = self.joined.notified() => {}
            }
        }
    }
}

/// The levels that one watcher sees.
fn levels(watching: Watching<ItemId, Option<Reading>>) -> impl Stream<Item = Level> + Send + use<> {
    stream::unfold(watching, async |mut watching| {
        loop {
            if let Some(reading) = watching.next().await {
                return Some((reading.level, watching));
            }
        }
    })
}
