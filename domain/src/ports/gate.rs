//! The stock gate: a fast filter in front of the ledger.

use async_trait::async_trait;

use crate::gate::{
    BuyerCount, Change, EdgeEntry, EdgePlace, EntryId, Level, Recall, Receipt, Reservation,
    Reserved, Shard, Telling,
};
use crate::{Fault, ItemId, OrderId, Timestamp};

/// Counters that only grow, receipts, and the edge queue. Nothing in it is ever lowered.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Where an item lives.
    fn shard_of(&self, item: ItemId) -> Shard;

    /// Every shard there is.
    fn shards(&self) -> Vec<Shard>;

    /// Takes the units of one shard, for every line or for none, leaves a receipt and queues the
    /// order at the edge, in one step. The receipt is looked at before everything else.
    async fn reserve(&self, reservation: &Reservation) -> Result<Reserved, Fault>;

    /// Whether every replica has the entry, so that it survives the loss of the primary. False
    /// where there is none and the gate itself is not durable.
    async fn is_replicated(&self, entry: &EntryId) -> Result<bool, Fault>;

    /// Takes entries off the edge queue, once the log has them. Unknown ones are no error.
    async fn settle(&self, entries: &[EntryId]) -> Result<(), Fault>;

    /// Entries that have waited for at least `age_ms`, claimed for the caller: nobody else gets
    /// them for another `age_ms`.
    async fn claim_stale(&self, age_ms: u64, most: usize) -> Result<Vec<EdgeEntry>, Fault>;

    /// How many entries wait, over all shards.
    async fn edge_length(&self) -> Result<u64, Fault>;

    /// The places of the oldest and of the newest entry that wait in a shard.
    async fn edge_span(&self, shard: Shard) -> Result<Option<(EdgePlace, EdgePlace)>, Fault>;

    /// What any shard remembers of an order.
    async fn receipt(&self, order: OrderId) -> Result<Recall, Fault>;

    /// Writes what is not there yet; for an item that is loaded it is a [`Gate::sync`].
    async fn load(&self, tellings: &[Telling]) -> Result<(), Fault>;

    /// Tells what the ledger knows. An item that is not loaded stays so; those are returned.
    async fn sync(&self, tellings: &[Telling]) -> Result<Vec<ItemId>, Fault>;

    /// Tells a shard receipts that it may have forgotten; those it remembers stay as they are. One
    /// of an order that it was never asked for does no harm.
    async fn tell_receipts(&self, shard: Shard, receipts: &[Receipt]) -> Result<(), Fault>;

    /// The live levels of those that are loaded, in any order, for display: they may be a moment
    /// old.
    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault>;

    /// The same as they are right now; for the audit.
    async fn exact_levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault>;

    /// What the gate counts of every buyer of an item; for the audit.
    async fn buyers(&self, item: ItemId) -> Result<Vec<BuyerCount>, Fault>;

    /// Waits until a level has changed since `after`, and tells of those that have. A slow reader
    /// skips to the newest.
    async fn changes(&self, after: FeedCursor) -> Result<News, Fault>;

    /// Makes the caller the one loader of an item, or waits (without spinning) until another has
    /// finished.
    async fn begin_loading(&self, item: ItemId) -> Result<Loading, Fault>;

    /// Ends a loading that was won; a token that is no longer the item's does nothing.
    async fn end_loading(&self, item: ItemId, token: LoadToken) -> Result<(), Fault>;

    /// Gives a shard the keeper's sign of life, by which a loss is noticed and the shard's refusals
    /// stay trusted.
    async fn beat(&self, shard: Shard) -> Result<Beat, Fault>;

    /// Items of a shard that were loaded while orders of them may have been on their way, some of
    /// them when there are many.
    async fn healing_items(&self, shard: Shard) -> Result<Vec<HealingItem>, Fault>;

    /// Makes refusals final again, of the items told and with `whole` of the shard. `since` is a
    /// beat given after everything was told; `false`, and nothing is done, when writes have been
    /// lost since.
    async fn heal(
        &self,
        shard: Shard,
        since: Beat,
        whole: bool,
        items: &[HealingItem],
    ) -> Result<bool, Fault>;
}

/// What a beat found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beat {
    /// Grows with every beat; a loss takes it back.
    pub number: u64,
    /// Rises with every loss.
    pub epoch: u32,
    /// While the shard heals: since when writes may be missing, by the gate's clock. The beginning
    /// of time when everything may be.
    pub missing_since: Option<Timestamp>,
}

/// An item that heals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealingItem {
    pub item: ItemId,
    /// When it was loaded, by the gate's clock; tells this healing from a later one.
    pub loaded_at: Timestamp,
}

/// Where a reader of level changes stands. The default one knows nothing yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct FeedCursor(pub u64);

/// What a reader of level changes hears.
#[derive(Clone, Debug)]
pub struct News {
    /// Where to go on from.
    pub cursor: FeedCursor,
    /// Changes may have gone unheard, as at the very beginning: whoever shows levels reads them.
    pub gap: bool,
    /// Each item once, at its newest.
    pub changes: Vec<Change>,
}

/// Who loads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loading {
    /// The caller does, and says when it is done.
    Won(LoadToken),
    /// Another did, or gave up, in the meantime.
    AnotherHas,
}

/// Proves that a loader still is the one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadToken(pub u64);
