//! The stock gate: a fast filter in front of the ledger.

use async_trait::async_trait;

use crate::gate::{EdgeEntry, EntryId, Level, Receipt, Reservation, Reserved, Shard, Telling};
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

    /// The receipt of an order, if it is remembered.
    async fn receipt(&self, order: OrderId) -> Result<Option<Receipt>, Fault>;

    /// Writes what is not there yet; for an item that is loaded it is a [`Gate::sync`].
    async fn load(&self, tellings: &[Telling]) -> Result<(), Fault>;

    /// Tells what the ledger knows. An item that is not loaded stays so.
    async fn sync(&self, tellings: &[Telling]) -> Result<(), Fault>;

    /// Tells receipts that may have been forgotten; those remembered stay as they are.
    async fn tell_receipts(&self, receipts: &[Receipt]) -> Result<(), Fault>;

    /// Forgets receipts accepted before `before`.
    async fn forget_receipts(&self, before: Timestamp) -> Result<(), Fault>;

    /// The live levels of those that are loaded, in any order.
    async fn levels(&self, items: &[ItemId]) -> Result<Vec<Level>, Fault>;

    /// What the gate counts of every buyer of an item; for the audit.
    async fn buyers(&self, item: ItemId) -> Result<Vec<crate::gate::BuyerCount>, Fault>;

    /// Waits until a level has changed since `after`, and returns the changed ones with where to go
    /// on from. A slow reader skips to the newest.
    async fn changes(&self, after: FeedCursor) -> Result<(FeedCursor, Vec<Level>), Fault>;

    /// Makes the caller the one loader of an item, or waits (without spinning) until another has
    /// finished.
    async fn begin_loading(&self, item: ItemId) -> Result<Loading, Fault>;

    /// Ends a loading that was won; a token that is no longer the item's does nothing.
    async fn end_loading(&self, item: ItemId, token: LoadToken) -> Result<(), Fault>;

    /// Writes the growing beat of a shard. `false` when it went back: writes were lost.
    async fn beat(&self, shard: Shard, beat: u64) -> Result<bool, Fault>;

    /// Ends the time in which refusals are answered as *try again*.
    async fn healed(&self, shard: Shard) -> Result<(), Fault>;
}

/// Where a reader of level changes stands. The default one starts with everything there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct FeedCursor(pub u64);

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
