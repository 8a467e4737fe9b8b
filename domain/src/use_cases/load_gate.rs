//! Loads items into a gate that does not know them: after a start, or after it lost everything.

use chrono::TimeDelta;

use crate::gate::Shard;
use crate::message::{Offset, Partition, Topic};
use crate::ports::Ports;
use crate::ports::gate::{LoadToken, Loading};
use crate::{Fault, ItemId, Timestamp};

/// How often the writer's position is looked at while a loader waits for it, in milliseconds.
const LOOK_AGAIN_MS: u64 = 20;
/// How long a loader waits for the order writer, in milliseconds: its buyer waits with it.
const LOADER_WAITS_MS: i64 = 3_000;
/// Items and receipts told at once.
const PAGE: usize = 1_000;

/// Loads these items, one loader an item; the others wait for it. `false` when the order writer is
/// further behind than a loader waits.
///
/// # Errors
/// A fault of the gate, the log or the ledger.
pub async fn load_items(ports: &Ports, items: &[ItemId]) -> Result<bool, Fault> {
    // In order, so that two loaders of several items never wait for each other.
    let mut items = items.to_vec();
    items.sort_unstable();
    let mut won = Vec::with_capacity(items.len());
    let mut failed = None;
    for item in items {
        match ports.gate.begin_loading(item).await {
            Ok(Loading::Won(token)) => won.push((item, token)),
            Ok(Loading::AnotherHas) => {}
            Err(fault) => {
                failed = Some(fault);
                break;
            }
        }
    }
    let loaded = match failed {
        Some(fault) => Err(fault),
        None => load(ports, &won).await,
    };
    for (item, token) in won {
        ports.gate.end_loading(item, token).await?;
    }
    loaded
}

async fn load(ports: &Ports, won: &[(ItemId, LoadToken)]) -> Result<bool, Fault> {
    if won.is_empty() {
        return Ok(true);
    }
    // Orders that were let through before the gate forgot the items are in the log; the ledger has
    // to know them before its counts are a floor.
    let deadline = ports.clock.now() + TimeDelta::milliseconds(LOADER_WAITS_MS);
    if !writer_passes(ports, Some(deadline)).await? {
        return Ok(false);
    }
    let items: Vec<ItemId> = won.iter().map(|(item, _)| *item).collect();
    let tellings = ports.catalogue.tellings(&items).await?;
    ports.gate.load(&tellings).await?;
    Ok(true)
}

/// Loads every item and the receipts that may still be asked for, once the order writer has passed
/// what is in the log now. For a gate that starts empty and that nobody has asked yet.
///
/// # Errors
/// A fault of the gate, the log or the ledger.
pub async fn rebuild_gate(ports: &Ports) -> Result<(), Fault> {
    wait_for_writer(ports).await?;
    let mut after = None;
    loop {
        let tellings = ports.catalogue.tellings_since(None, after, PAGE).await?;
        let Some(last) = tellings.last() else { break };
        after = Some(last.item);
        ports.gate.load(&tellings).await?;
    }
    for shard in ports.gate.shards() {
        tell_receipts(ports, shard, None).await?;
        let beat = ports.gate.beat(shard).await?;
        ports.gate.heal(shard, beat, true, &[]).await?;
    }
    Ok(())
}

/// Tells a shard the receipts of orders placed from `since` on, of all that a client may still ask
/// for again without it.
///
/// # Errors
/// A fault of the gate or the ledger.
pub async fn tell_receipts(
    ports: &Ports,
    shard: Shard,
    since: Option<Timestamp>,
) -> Result<(), Fault> {
    let age = TimeDelta::milliseconds(ports.policies.receipt_ms);
    let oldest = ports.clock.now() - age;
    let since = since.map_or(oldest, |since| since.max(oldest));
    let mut after = None;
    loop {
        let receipts = ports.orders.receipts(since, after, PAGE).await?;
        let Some((placed_at, last)) = receipts.last() else {
            return Ok(());
        };
        after = Some((*placed_at, last.order));
        let receipts: Vec<_> = receipts.into_iter().map(|(_, receipt)| receipt).collect();
        ports.gate.tell_receipts(shard, &receipts).await?;
    }
}

/// Waits until the order writer has passed the ends of all partitions as they are now.
///
/// # Errors
/// A fault of the log or the ledger.
pub async fn wait_for_writer(ports: &Ports) -> Result<(), Fault> {
    writer_passes(ports, None).await.map(drop)
}

/// The same until a deadline, after which it is `false`.
async fn writer_passes(ports: &Ports, deadline: Option<Timestamp>) -> Result<bool, Fault> {
    let ends = ports.log.ends(Topic::OrderAccepted).await?;
    for (partition, end) in ends {
        while !has_passed(ports, partition, end).await? {
            if deadline.is_some_and(|deadline| ports.clock.now() > deadline) {
                return Ok(false);
            }
            ports.clock.sleep_ms(LOOK_AGAIN_MS).await;
        }
    }
    Ok(true)
}

async fn has_passed(ports: &Ports, partition: Partition, end: Offset) -> Result<bool, Fault> {
    Ok(ports.orders.writer_position(partition).await? >= end)
}
