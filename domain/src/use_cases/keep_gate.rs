//! What makes certain that the gate hears of everything: the keeper goes round all the time.

use chrono::TimeDelta;

use crate::ports::Ports;
use crate::{Fault, Timestamp};

/// How far a telling looks back beyond what it is about, in milliseconds: longer than any commit
/// takes to become visible after it read the ledger's clock, and than clocks differ.
pub(super) const OVERLAP_MS: i64 = 10_000;
/// How often everything is told again, changed or not, in milliseconds.
const FULL_ROUND_MS: i64 = 60_000;
/// Items told at once.
const PAGE: usize = 500;

/// What a keeper remembers from round to round.
#[derive(Default, Debug)]
pub struct Keeper {
    changes_from: Option<Timestamp>,
    last_full: Option<Timestamp>,
}

/// Gives every shard its beat.
///
/// # Errors
/// A fault of the gate; the next beat tries again.
pub async fn beat(ports: &Ports) -> Result<(), Fault> {
    for shard in ports.gate.shards() {
        ports.gate.beat(shard).await?;
    }
    Ok(())
}

/// One round: tells what changed since the one before; everything, now and then.
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
        keeper.last_full = Some(now);
    }
    Ok(())
}

/// Tells every item that changed since then, or every item.
pub(super) async fn tell_changes(ports: &Ports, since: Option<Timestamp>) -> Result<(), Fault> {
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
