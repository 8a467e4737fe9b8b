//! What makes certain that the gate hears of everything: the keeper goes round all the time, and
//! notices when the gate lost writes.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::gate::Shard;
use crate::ports::Ports;
use crate::use_cases::load_gate;
use crate::{Fault, Timestamp};

/// How far a round looks back beyond the start of the one before, in milliseconds: longer than any
/// commit takes to become visible after it read the ledger's clock.
const OVERLAP_MS: i64 = 10_000;
/// How often everything is told again, changed or not, in milliseconds.
const FULL_ROUND_MS: i64 = 60_000;
/// Items told at once.
const PAGE: usize = 500;

/// What a keeper remembers from round to round.
#[derive(Default, Debug)]
pub struct Keeper {
    beats: HashMap<Shard, u64>,
    changes_from: Option<Timestamp>,
    last_full: Option<Timestamp>,
}

/// Writes the beat of every shard. Where it went back, the shard lost writes: what the ledger knows
/// is told again, and once the writer has passed all that was then in flight, the receipts; only
/// then are refusals final again.
///
/// # Errors
/// A fault of the gate or the ledger; the next beat tries again.
pub async fn beat(ports: &Ports, keeper: &mut Keeper) -> Result<(), Fault> {
    for shard in ports.gate.shards() {
        let beat = keeper.beats.entry(shard).or_default();
        // The wall clock keeps it growing over restarts of the keeper.
        let now = u64::try_from(ports.clock.now().timestamp_millis()).unwrap_or(0);
        *beat = now.max(*beat + 1);
        if !ports.gate.beat(shard, *beat).await? {
            heal(ports, shard).await?;
        }
    }
    Ok(())
}

async fn heal(ports: &Ports, shard: Shard) -> Result<(), Fault> {
    tell_changes(ports, None).await?;
    load_gate::wait_for_writer(ports).await?;
    tell_changes(ports, None).await?;
    load_gate::tell_receipts(ports).await?;
    ports.gate.healed(shard).await
}

/// One round: tells what changed since the one before; everything, now and then; and forgets
/// receipts nobody may ask for any more.
///
/// # Errors
/// A fault of the gate or the ledger; the next round begins where this one did.
pub async fn keep_gate(ports: &Ports, keeper: &mut Keeper) -> Result<(), Fault> {
    let now = ports.clock.now();
    let full_due = keeper
        .last_full
        .is_none_or(|last| now - last >= TimeDelta::milliseconds(FULL_ROUND_MS));
    let since = if full_due { None } else { keeper.changes_from };
    tell_changes(ports, since).await?;
    keeper.changes_from = Some(now - TimeDelta::milliseconds(OVERLAP_MS));
    if full_due {
        let before = now - TimeDelta::milliseconds(ports.policies.receipt_ms);
        ports.gate.forget_receipts(before).await?;
        keeper.last_full = Some(now);
    }
    Ok(())
}

async fn tell_changes(ports: &Ports, since: Option<Timestamp>) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let tellings = ports.catalogue.tellings_since(since, after, PAGE).await?;
        let Some(last) = tellings.last() else {
            return Ok(());
        };
        after = Some(last.item);
        ports.gate.sync(&tellings).await?;
    }
}
