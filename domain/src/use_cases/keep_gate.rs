//! What makes certain that the gate hears of everything: the keeper goes round all the time.

mod told;

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::gate::{Telling, Terms};
use crate::ports::Ports;
use crate::use_cases::load_gate;
use crate::{Fault, ItemId, Timestamp};

use told::Told;

/// How far a telling looks back beyond what it is about, in milliseconds: longer than any commit
/// takes to become visible after it read the ledger's clock, and than clocks differ.
pub(super) const OVERLAP_MS: i64 = 10_000;
/// How often everything is told again, changed or not, in milliseconds.
const FULL_ROUND_MS: i64 = 600_000;
/// Items told at once.
const PAGE: usize = 500;
/// Deals loaded at once, each with all its buyers.
const LOADED_AT_ONCE: usize = 20;

/// What a keeper remembers from round to round.
#[derive(Default, Debug)]
pub struct Keeper {
    changes_from: Option<Timestamp>,
    last_full: Option<Timestamp>,
    told: Told,
}

/// Gives every shard its beat, at once: one that is away must not cost the others their trust.
///
/// # Errors
/// A fault of the gate; the next beat tries again.
pub async fn beat(ports: &Ports) -> Result<(), Fault> {
    let shards = ports.gate.shards().into_iter();
    let beats = join_all(shards.map(|shard| ports.gate.beat(shard))).await;
    beats.into_iter().try_for_each(|beat| beat.map(drop))
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
    let told = std::mem::take(&mut keeper.told);
    let before = if full_due { Told::default() } else { told };
    let mut round = Round::default();
    tell(ports, since, &before, &mut round).await?;
    load_deals(ports, &round.unknown, now).await?;
    if !full_due {
        keeper.told = round.told;
    }
    keeper.changes_from = Some(now - TimeDelta::milliseconds(OVERLAP_MS));
    if full_due {
        keeper.last_full = Some(now);
    }
    Ok(())
}

/// Tells every item that changed since then, or every item.
pub(super) async fn tell_changes(ports: &Ports, since: Option<Timestamp>) -> Result<(), Fault> {
    tell(ports, since, &Told::default(), &mut Round::default()).await
}

/// What a round did.
#[derive(Default)]
struct Round {
    told: Told,
    /// Items that the gate does not know.
    unknown: Vec<(ItemId, Terms)>,
}

/// Tells what changed since then, or everything, but for what was told before.
async fn tell(
    ports: &Ports,
    since: Option<Timestamp>,
    before: &Told,
    round: &mut Round,
) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let tellings = ports.catalogue.tellings_since(since, after, PAGE).await?;
        let Some(last) = tellings.last() else {
            return Ok(());
        };
        after = Some(last.item);
        let news: Vec<Telling> = tellings.iter().filter_map(|one| before.news(one)).collect();
        let unknown: HashSet<ItemId> = ports.gate.sync(&news).await?.into_iter().collect();
        for telling in &tellings {
            if unknown.contains(&telling.item) {
                round.unknown.push((telling.item, telling.terms));
            } else if since.is_some() {
                round.told.add(telling);
            }
        }
    }
}

/// Loads the deals among these that can still be bought. Any other item is loaded by its first
/// order; a deal has its first ones all at once, and those it turns away then must be able to rely
/// on it.
async fn load_deals(
    ports: &Ports,
    unknown: &[(ItemId, Terms)],
    now: Timestamp,
) -> Result<(), Fault> {
    let is_over = |terms: &Terms| terms.closes_at.is_some_and(|closes_at| closes_at <= now);
    let deals: Vec<ItemId> = unknown
        .iter()
        .filter(|(_, terms)| terms.opens_at.is_some() && !is_over(terms))
        .map(|(item, _)| *item)
        .collect();
    for deals in deals.chunks(LOADED_AT_ONCE) {
        if !load_gate::load_items(ports, deals).await? {
            break;
        }
    }
    Ok(())
}
