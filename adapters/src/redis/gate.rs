//! The stock gate in Redis, over the scripts in `lua/`.

mod edge;
mod feed;
mod keeper;
mod levels;
mod loading;
mod receipts;
mod requirements;
mod reserve;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::gate::{
    BuyerCount, EdgeEntry, EdgePlace, EntryId, Level, Recall, Receipt, Reservation, Reserved,
    Shard, Telling,
};
use domain::ports::gate::{Beat, FeedCursor, HealingItem, LoadToken, Loading, News};
use domain::ports::{Clock, Entropy, Gate};
use domain::{Fault, ItemId, OrderId};

use self::edge::{Replicating, Settling};
use self::feed::Feed;
use self::keeper::Seen;
use super::connection::{Connection, Copies, Listening};
use super::keys::ShardKeys;
use super::scripts::Scripts;
use super::settings::RedisSettings;
use crate::batcher::Batcher;
use crate::spread::place_of;

/// How the gate is cut and bounded.
#[derive(Clone, Copy, Debug)]
pub struct GateSettings {
    /// Shards, at least 1: one is enough for one Redis, a Cluster spreads many. For ever: another
    /// number would look for items where they are not.
    pub shards: u16,
    /// Entries that may wait in the edge queue of a shard, 1 to ten million.
    pub edge_queue_max: usize,
    /// How long a receipt is remembered, a second to 31 days; at least as long as a client may ask
    /// again with its key.
    pub receipt_life: Duration,
    /// How long a loader may take before another one may try.
    pub load_lease: Duration,
    /// How long refusals are trusted after a beat, 200 ms to a minute: shorter than any failover or
    /// restart of Redis takes, longer than a keeper may be late.
    pub trust: Duration,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            shards: 1,
            edge_queue_max: 100_000,
            receipt_life: Duration::from_hours(24),
            load_lease: Duration::from_secs(5),
            trust: Duration::from_secs(2),
        }
    }
}

/// The gate of a shop that runs in several processes. Whatever connection it needs comes back by
/// itself; until then every call fails within its time limit.
pub struct RedisGate {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settling: Batcher<Settling>,
    replicating: Batcher<Replicating>,
    seen: Vec<Seen>,
    feed: Arc<Feed>,
    /// Ends the listening with the gate.
    _listening: tokio_util::sync::DropGuard,
}

/// What every verb needs.
struct Shared {
    shards: Vec<ShardKeys>,
    scripts: Scripts,
    settings: GateSettings,
    primary: Connection,
    /// For what may be a moment old.
    display: Connection,
}

impl RedisGate {
    /// Connects, looks whether this Redis can be trusted with the gate, and loads the scripts.
    ///
    /// # Errors
    /// Redis is away, too old, or set up so that it may forget what it confirmed.
    pub async fn connect(
        redis: &RedisSettings,
        settings: GateSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Fault> {
        let shards: Vec<ShardKeys> = (0..settings.shards.max(1))
            .map(|shard| ShardKeys::new(&redis.namespace, Shard(shard)))
            .collect();
        let shared = Shared {
            scripts: Scripts::new(),
            settings,
            primary: Connection::open(redis, Copies::Primary).await?,
            display: Connection::open(redis, Copies::Replica).await?,
            shards,
        };
        let is_durable = requirements::check(&shared).await?;
        shared
            .scripts
            .load(&shared.primary, &shared.display)
            .await?;
        let shared = Arc::new(shared);
        let replicating = Replicating {
            shared: shared.clone(),
            // Waiting holds up whatever is behind it on a connection.
            waiting: Connection::open(redis, Copies::Primary).await?,
            wait_ms: u64::try_from(redis.command_timeout.as_millis() / 2).unwrap_or(u64::MAX),
            is_durable,
        };
        let feed = Arc::new(Feed::default());
        let listening = feed::listen(shared.clone(), feed.clone(), Listening::new(redis)?).await?;
        Ok(Self {
            clock,
            entropy,
            settling: Batcher::start(
                Settling(shared.clone()),
                "taking entries off the edge queue",
            ),
            replicating: Batcher::start(replicating, "asking the gate's replicas"),
            seen: shared.shards.iter().map(|_| Seen::default()).collect(),
            feed,
            _listening: listening,
            shared,
        })
    }
}

impl Shared {
    fn shard(&self, shard: Shard) -> Result<&ShardKeys, Fault> {
        let unknown = || Fault::corrupt("asking a shard of the gate", "there is no such shard");
        self.shards.get(usize::from(shard.0)).ok_or_else(unknown)
    }

    fn of_item(&self, item: ItemId) -> &ShardKeys {
        // `place_of` stays below the number of shards, of which there is at least one.
        &self.shards[usize::from(place_of(item.0, self.settings.shards))]
    }

    fn receipt_ms(&self) -> u64 {
        ms(self.settings.receipt_life)
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Gate for RedisGate {
    fn shard_of(&self, item: ItemId) -> Shard {
        self.shared.of_item(item).shard
    }

    fn shards(&self) -> Vec<Shard> {
        self.shared.shards.iter().map(|keys| keys.shard).collect()
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<Reserved, Fault> {
        reserve::reserve(&self.shared, reservation).await
    }

    async fn is_replicated(&self, entry: &EntryId) -> Result<bool, Fault> {
        self.replicating.run(*entry).await
    }

    async fn settle(&self, entries: &[EntryId]) -> Result<(), Fault> {
        self.settling.run(entries.to_vec()).await
    }

    async fn claim_stale(&self, age_ms: u64, most: usize) -> Result<Vec<EdgeEntry>, Fault> {
        edge::claim_stale(&self.shared, age_ms, most).await
    }

    async fn edge_length(&self) -> Result<u64, Fault> {
        edge::length(&self.shared).await
    }

    async fn edge_span(&self, shard: Shard) -> Result<Option<(EdgePlace, EdgePlace)>, Fault> {
        edge::span(&self.shared, shard).await
    }

    async fn receipt(&self, order: OrderId) -> Result<Recall, Fault> {
        receipts::recall(&self.shared, order).await
    }

    async fn load(&self, tellings: &[Telling]) -> Result<(), Fault> {
        telling::load(&self.shared, tellings).await
    }

    async fn sync(&self, tellings: &[Telling]) -> Result<Vec<ItemId>, Fault> {
        telling::sync(&self.shared, tellings).await
    }

    async fn tell_receipts(&self, shard: Shard, receipts: &[Receipt]) -> Result<(), Fault> {
        receipts::tell(&self.shared, shard, receipts).await
    }

    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        levels::for_display(&self.shared, items).await
    }

    async fn exact_levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
        levels::read(&self.shared, &self.shared.primary, items).await
    }

    async fn buyers(&self, item: ItemId) -> Result<Vec<BuyerCount>, Fault> {
        levels::buyers(&self.shared, item).await
    }

    async fn changes(&self, after: FeedCursor) -> Result<News, Fault> {
        Ok(self.feed.changes(after).await)
    }

    async fn begin_loading(&self, item: ItemId) -> Result<Loading, Fault> {
        let token = loading::token(&*self.entropy);
        loading::begin(&self.shared, &self.feed, &*self.clock, item, token).await
    }

    async fn end_loading(&self, item: ItemId, token: LoadToken) -> Result<(), Fault> {
        loading::end(&self.shared, item, token).await
    }

    async fn beat(&self, shard: Shard) -> Result<Beat, Fault> {
        let keys = self.shared.shard(shard)?;
        keeper::beat(&self.shared, keys, &self.seen[usize::from(shard.0)]).await
    }

    async fn healing_items(&self, shard: Shard) -> Result<Vec<HealingItem>, Fault> {
        keeper::healing_items(&self.shared, shard).await
    }

    async fn heal(
        &self,
        shard: Shard,
        since: Beat,
        whole: bool,
        items: &[HealingItem],
    ) -> Result<bool, Fault> {
        keeper::heal(&self.shared, shard, since, whole, items).await
    }
}
