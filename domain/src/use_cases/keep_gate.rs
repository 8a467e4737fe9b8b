//! What makes certain that the gate hears of everything: the keeper goes round all the time.

use std::collections::HashSet;

use chrono::TimeDelta;

use crate::gate::{Telling, Terms};
use crate::ports::Ports;
use crate::use_cases::load_gate;
use crate::{Fault, ItemId, Timestamp};

/// How far a telling looks back beyond what it is about, in milliseconds: longer than any commit
/// takes to become visible after it read the ledger's clock, and than clocks differ.
pub(super) const OVERLAP_MS: i64 = 10_000;
/// How often everything is told again, changed or not, in milliseconds.
const FULL_ROUND_MS: i64 = 60_000;
/// Items told at once.
const PAGE: usize = 500;
/// Deals loaded at once, each with all its buyers.
const LOADED_AT_ONCE: usize = 20;

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

/// One round: tells what changed since the one before; everything, now and then; and loads deals
/// before their crowd comes.
///
/// # Errors
/// A fault of the gate or the ledger; the next round begins where this one did.
pub async fn keep_gate(ports: &Ports, keeper: &mut Keeper) -> Result<(), Fault> {
    let now = ports.clock.now();
    let full_due = keeper
        .last_full
        .is_none_or(|last| now - last >= TimeDelta::milliseconds(FULL_ROUND_MS));
    let since = if full_due { None } else { keeper.changes_from };
    let deals = tell_changes(ports, since).await?;
    load_deals(ports, deals, now).await?;
    keeper.changes_from = Some(now - TimeDelta::milliseconds(OVERLAP_MS));
    if full_due {
        keeper.last_full = Some(now);
    }
    Ok(())
}

/// Tells every item that changed since then, or every item; returns the time deals among them.
pub(super) async fn tell_changes(
    ports: &Ports,
    since: Option<Timestamp>,
) -> Result<Vec<(ItemId, Terms)>, Fault> {
    let (mut after, mut deals) = (None, Vec::new());
    loop {
        let tellings = ports.catalogue.tellings_since(since, after, PAGE).await?;
        let Some(last) = tellings.last() else {
            return Ok(deals);
        };
        after = Some(last.item);
        ports.gate.sync(&tellings).await?;
        let of_deal = |telling: &&Telling| telling.terms.opens_at.is_some();
        let found = tellings.iter().filter(of_deal);
        deals.extend(found.map(|telling| (telling.item, telling.terms)));
    }
}

/// Loads the deals that can still be bought. Any other item is loaded by its first order; a deal
/// has its first ones all at once, and those it turns away then must be able to rely on it.
async fn load_deals(
    ports: &Ports,
    deals: Vec<(ItemId, Terms)>,
    now: Timestamp,
) -> Result<(), Fault> {
    let is_over = |terms: &Terms| terms.closes_at.is_some_and(|closes_at| closes_at <= now);
    let mut deals: Vec<ItemId> = deals
        .into_iter()
        .filter(|(_, terms)| !is_over(terms))
        .map(|(item, _)| item)
        .collect();
    let loaded: HashSet<ItemId> = ports
        .gate
        .exact_levels(&deals)
        .await?
        .into_iter()
        .map(|level| level.item)
        .collect();
    deals.retain(|item| !loaded.contains(item));
    for deals in deals.chunks(LOADED_AT_ONCE) {
        load_gate::load_items(ports, deals).await?;
    }
    Ok(())
}
