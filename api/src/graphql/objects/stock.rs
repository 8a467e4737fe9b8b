//! Live stock, and where a deal stands.

use async_graphql::{Context, Enum, Object};
use domain::Timestamp;
use domain::deal::Deal;
use domain::gate::{Level, LevelVersion, Terms};
use domain::item::Item;

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::scalars::{DateTime, Version, count};

/// The stock of an item at one moment.
pub struct Stock {
    pub level: Level,
    /// The total, where it is known already.
    pub total: Option<i64>,
}

/// The stock of an item at one moment. A level, not a log: the one with the highest version
/// replaces all others.
#[Object]
impl Stock {
    /// Units there are, sold ones included; null while the catalogue can't be reached. It may be up
    /// to a second behind `available`.
    async fn total(&self, ctx: &Context<'_>) -> Option<i32> {
        if self.total.is_some() {
            return self.total.map(count);
        }
        let item = Graph::of(ctx).loaders.items.load_one(self.level.item).await;
        let total = item.map(|item| item.map(|item| count(item.stock.total)));
        nullable(ctx, total.map_err(Fault::from))
    }

    /// Units that nobody has taken. Whether they can be ordered yet is for the deal's `phase` to say,
    /// and an order may find fewer: others order too.
    async fn available(&self) -> i32 {
        count(self.level.available())
    }

    /// Rises with every change. Drop whatever has a lower version than what you have.
    async fn version(&self) -> Version {
        Version(self.level.version.as_u64())
    }

    /// When the stock was so, by the clock that opens deals.
    async fn as_of(&self) -> DateTime {
        self.level.as_of.into()
    }
}

impl Stock {
    /// The stock of an item: live, or by the ledger while the gate has not loaded it.
    pub async fn of(graph: &Graph, item: &Item) -> Result<Self, Fault> {
        let level = level(graph, item).await?;
        Ok(Self {
            level,
            total: Some(item.stock.total),
        })
    }
}

/// The live level of an item, or the ledger's while the gate has not loaded it.
pub async fn level(graph: &Graph, item: &Item) -> Result<Level, Fault> {
    let live = graph.loaders.levels.load_one(item.id).await?;
    Ok(live.unwrap_or_else(|| ledger_level(item, graph.ports.clock.now())))
}

/// What the ledger knows of an item, as the level that the gate will have once it has loaded it.
pub fn ledger_level(item: &Item, now: Timestamp) -> Level {
    let terms = item.terms();
    let admitted = item.stock.admitted;
    Level {
        item: item.id,
        admitted,
        terms,
        version: LevelVersion {
            epoch: 0,
            count: admitted.saturating_add(terms.version),
        },
        as_of: now,
    }
}

/// Where a deal stands. Derived from its window by one clock; nobody flips it.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::deal::Phase")]
pub enum DealPhase {
    /// Before `opensAt`: nothing can be ordered yet.
    Upcoming,
    /// It sells, while there is stock.
    Open,
    /// Its seller has stopped it for now.
    Paused,
    /// From `closesAt` on: nothing can be ordered any more.
    Closed,
}

/// Where the deal of a level stands, at the moment of the level; nothing for a general item.
pub fn phase(level: &Level) -> Option<DealPhase> {
    deal(&level.terms).map(|deal| deal.phase(level.as_of).into())
}

/// The next instant, after the level's, at which its deal's phase may change by itself.
pub fn next_turn(level: &Level) -> Option<Timestamp> {
    let instants = [level.terms.opens_at, level.terms.closes_at];
    instants
        .into_iter()
        .flatten()
        .filter(|at| *at > level.as_of)
        .min()
}

/// The deal that the gate goes by.
fn deal(terms: &Terms) -> Option<Deal> {
    terms.opens_at.map(|opens_at| Deal {
        opens_at,
        closes_at: terms.closes_at,
        limit_per_buyer: terms.limit,
        paused: terms.paused,
    })
}
