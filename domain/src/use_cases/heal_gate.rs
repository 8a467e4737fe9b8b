//! What brings a gate back to itself after it lost writes, or loaded items while orders of them were
//! on their way. Until then it answers what it would refuse with *try again*: whoever asks may hold
//! the unit already.

use chrono::TimeDelta;

use crate::gate::Shard;
use crate::ports::Ports;
use crate::ports::gate::{Beat, HealingItem};
use crate::use_cases::accept_edge::HAND_OVER_MS;
use crate::use_cases::keep_gate::{self, OVERLAP_MS};
use crate::use_cases::load_gate;
use crate::{Fault, ItemId, Timestamp};

/// How often the edge queue is looked at while a healing waits for it, in milliseconds.
const LOOK_AGAIN_MS: u64 = 50;

/// Heals a shard and its items, if they have to be. Once every order of before has come to the
/// ledger, the shard is told what the ledger knows; then its refusals are final again. Another loss
/// in between leaves everything as it is, for the next time.
///
/// # Errors
/// A fault of the gate, the log or the ledger; the next time begins again.
pub async fn heal_gate(ports: &Ports, shard: Shard) -> Result<(), Fault> {
    let begun = ports.gate.beat(shard).await?;
    let items = ports.gate.healing_items(shard).await?;
    if begun.missing_since.is_none() && items.is_empty() {
        return Ok(());
    }
    let since = ports.clock.now();
    wait_for_edge(ports, shard).await?;
    // An order whose entry was lost may still be in the hands of whoever took it.
    let waited = (ports.clock.now() - since).num_milliseconds();
    let left = HAND_OVER_MS.saturating_sub(u64::try_from(waited).unwrap_or(0));
    ports.clock.sleep_ms(left).await;
    load_gate::wait_for_writer(ports).await?;
    tell(ports, shard, begun, &items).await?;
    let beat = ports.gate.beat(shard).await?;
    if beat.epoch == begun.epoch {
        let whole = begun.missing_since.is_some();
        ports.gate.heal(shard, beat, whole, &items).await?;
    }
    Ok(())
}

/// Waits until the entries that are in the edge queue now are gone.
async fn wait_for_edge(ports: &Ports, shard: Shard) -> Result<(), Fault> {
    let Some((_, newest)) = ports.gate.edge_span(shard).await? else {
        return Ok(());
    };
    while let Some((oldest, _)) = ports.gate.edge_span(shard).await?
        && oldest <= newest
    {
        ports.clock.sleep_ms(LOOK_AGAIN_MS).await;
    }
    Ok(())
}

async fn tell(
    ports: &Ports,
    shard: Shard,
    begun: Beat,
    items: &[HealingItem],
) -> Result<(), Fault> {
    if let Some(missing_since) = begun.missing_since {
        let since = earlier(missing_since);
        keep_gate::tell_changes(ports, since).await?;
        return load_gate::tell_receipts(ports, shard, since).await;
    }
    // The shard has every receipt but those of orders that were on their way at a load.
    let Some(first) = items.iter().map(|item| item.loaded_at).min() else {
        return Ok(());
    };
    let ids: Vec<ItemId> = items.iter().map(|item| item.item).collect();
    ports
        .gate
        .sync(&ports.catalogue.tellings(&ids).await?)
        .await?;
    load_gate::tell_receipts(ports, shard, earlier(first)).await
}

/// From when on everything is to be told; `None` when all there is.
fn earlier(missing_since: Timestamp) -> Option<Timestamp> {
    let is_known = missing_since > Timestamp::UNIX_EPOCH;
    is_known.then(|| missing_since - TimeDelta::milliseconds(OVERLAP_MS))
}
