//! Steps of orders: each one guarded update that names all it saw, and what belongs to it; or
//! nothing of it.
//!
//! Everything a step saw is locked and looked at first; what the steps write is then put together,
//! so that a sweep of many orders is a few statements. The updates name what was seen once more and
//! must move exactly the rows that were looked at.

mod seen;
mod writes;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::act::Act;
use domain::event::{Event, What};
use domain::gate::Telling;
use domain::movement::{Cause, Movement};
use domain::order::{KeyUse, Transition};
use domain::ports::orders::Committed;
use domain::stock::StockMove;
use domain::{AccountId, Fault, ItemId, Timestamp};
use sea_orm::{ConnectionTrait, DbErr};

use crate::crypto::vault::Vault;
use crate::sql::engine::Engine;
use crate::sql::fault::Stop;
use crate::sql::stock::LockedStock;
use crate::sql::{keys, outbox, records};
use seen::Seen;
use writes::Writes;

/// Commits steps in order. Stock moves once an item, whatever number of steps release it.
pub async fn commit(
    (engine, vault): (&Engine, &Vault),
    on: &impl ConnectionTrait,
    steps: &[Transition],
) -> Result<Vec<Committed>, Stop> {
    let mut stock = lock_stock(on, steps).await?;
    let mut seen = Seen::lock(on, steps).await?;
    let mut taken = taken_keys(on, steps).await?;
    let now = engine.now(on).await?;
    let mut writes = Writes::default();
    let mut done = Done::default();
    let mut outcomes = Vec::with_capacity(steps.len());
    for step in steps {
        let key = step.key.as_ref().map(keys::name);
        let outcome = if key.is_some_and(|key| taken.contains(&key)) {
            Outcome::KeyTaken
        } else if seen.holds(step, now) {
            if writes.touches(step.next.id) {
                std::mem::take(&mut writes).flush(on).await?;
            }
            writes.add(vault, step)?;
            seen.take(step);
            taken.extend(key);
            done.note(step, &stock, now)?;
            Outcome::Done
        } else {
            Outcome::Conflict
        };
        outcomes.push(outcome);
    }
    writes.flush(on).await?;
    keys::insert(on, &done.keys, now).await?;
    outbox::insert(on, done.events.iter().copied()).await?;
    records::insert_acts(on, done.acts.iter().copied()).await?;
    records::insert_movements(on, &done.movements).await?;
    stock.apply(on, &done.stock, &done.buyers, now).await?;
    let steps = steps.iter().zip(outcomes);
    Ok(steps
        .map(|(step, outcome)| outcome.committed(step, &stock))
        .collect())
}

#[derive(Clone, Copy)]
enum Outcome {
    Done,
    Conflict,
    KeyTaken,
}

impl Outcome {
    /// With what the gate hears: the stock as it is after all steps.
    fn committed(self, step: &Transition, stock: &LockedStock) -> Committed {
        let telling = |item: ItemId| stock.telling(item, [step.next.buyer]);
        match self {
            Self::Done => {
                let tellings = step.released.iter().filter_map(|units| telling(units.item));
                Committed::Done(tellings.collect::<Vec<Telling>>())
            }
            Self::Conflict => Committed::Conflict,
            Self::KeyTaken => Committed::KeyTaken,
        }
    }
}

/// What the steps that went through have in common to write.
#[derive(Default)]
struct Done<'a> {
    keys: Vec<KeyUse>,
    events: Vec<&'a Event>,
    acts: Vec<&'a Act>,
    movements: Vec<Movement>,
    stock: BTreeMap<ItemId, StockMove>,
    buyers: BTreeMap<(ItemId, AccountId), StockMove>,
}

impl<'a> Done<'a> {
    fn note(
        &mut self,
        step: &'a Transition,
        stock: &LockedStock,
        now: Timestamp,
    ) -> Result<(), Stop> {
        self.keys.extend(step.key);
        self.events.push(&step.event);
        self.acts.extend(&step.act);
        if step.released.is_empty() {
            return Ok(());
        }
        let cause = match &step.event.what {
            What::Order { happened, .. } => Cause::of_release(happened),
            What::Account { .. } | What::Item { .. } | What::VerificationRequested { .. } => None,
        };
        let cause = cause.ok_or_else(|| {
            Fault::corrupt("releasing units", "nothing has happened that releases any")
        })?;
        for units in &step.released {
            self.stock
                .entry(units.item)
                .or_default()
                .release(units.count);
            if stock.counts_buyers(units.item) {
                let place = (units.item, step.next.buyer);
                self.buyers.entry(place).or_default().release(units.count);
            }
            let (what, of) = ((units.item, units.count), (step.event.id.0, step.next.id));
            self.movements
                .push(Movement::released(what, of, cause, now));
        }
        Ok(())
    }
}

/// Locks the stock rows of all steps, in item order, before anything else.
async fn lock_stock(on: &impl ConnectionTrait, steps: &[Transition]) -> Result<LockedStock, Stop> {
    let released = steps.iter().flat_map(|step| &step.released);
    let items: BTreeSet<ItemId> = released.map(|units| units.item).collect();
    let mut stock = LockedStock::lock(on, &items).await?;
    let places = steps.iter().flat_map(|step| {
        let units = step.released.iter();
        units.map(|units| (units.item, step.next.buyer))
    });
    stock.read_buyers(on, &places.collect()).await?;
    Ok(stock)
}

async fn taken_keys(
    on: &impl ConnectionTrait,
    steps: &[Transition],
) -> Result<HashSet<keys::KeyName>, DbErr> {
    let asked: Vec<_> = steps
        .iter()
        .filter_map(|step| step.key.as_ref())
        .map(keys::name)
        .collect();
    keys::taken(on, &asked).await
}
