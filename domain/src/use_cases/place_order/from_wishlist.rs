//! An order from entries of a wishlist, which go with it.
//!
//! The buyer may change an entry between two attempts under one key, and the ledger takes the entries
//! away with the first one. So the fingerprint is of the entries *and* their quantities: whatever
//! has the same fingerprint takes the same units, as everywhere. A retry that no longer finds its
//! entries as they were looks for the order itself, whose lines are the entries of then.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Asked, Placement, entry_field, key_reused, take};
use crate::gate::Fingerprint;
use crate::ports::Ports;
use crate::refusal::{Reason, Refusal, Rule};
use crate::use_cases::view_order::{Found, OrderView, find};
use crate::wishlist::WishlistEntry;
use crate::{AccountId, Failure, Fault, OrderId, Quantity, WishlistEntryId};

/// How long to wait for what can't be said now, in milliseconds.
const TRY_AGAIN_MS: u32 = 500;

pub(super) async fn place(
    ports: &Ports,
    buyer: AccountId,
    order: OrderId,
    ids: &[WishlistEntryId],
) -> Result<Placement, Failure> {
    refuse_repeated(ids)?;
    let missing = match entries(ports, buyer, ids).await? {
        Ok(entries) => {
            let quantities = entries.iter().map(|entry| entry.quantity);
            let asked = Asked {
                order,
                buyer,
                fingerprint: fingerprint(ids, quantities),
                lines: entries
                    .iter()
                    .map(|entry| (entry.item, entry.quantity))
                    .collect(),
                wishlist_entries: ids.to_vec(),
            };
            let draft = Arc::new(asked.draft(ports).await?);
            if let Some(placed) = take(ports, &draft).await? {
                return Ok(placed);
            }
            // Another input, or these entries as they were before they were changed.
            Vec::new()
        }
        Err(missing) => missing,
    };
    match find(ports, buyer, order).await? {
        Found::Order(earlier) => again(ports, ids, earlier).await,
        Found::Nothing if !missing.is_empty() => Err(Failure::Refused(missing)),
        // What the gate knew a moment ago, or may have forgotten.
        Found::Nothing | Found::Unsure => Err(Reason::TryAgain {
            after_ms: TRY_AGAIN_MS,
        }
        .into()),
    }
}

/// The answer to a request that placed an order before; refused when that was another one.
async fn again(
    ports: &Ports,
    ids: &[WishlistEntryId],
    earlier: OrderView,
) -> Result<Placement, Failure> {
    match earlier {
        OrderView::Accepted(draft) => {
            let quantities = draft.lines.iter().map(|line| line.quantity);
            if !is_of(ids, quantities, draft.fingerprint) {
                return Err(key_reused());
            }
            // The log may not have it yet; it is the same order whatever the entries say now.
            let placed = take(ports, &draft).await?;
            placed.ok_or_else(key_reused)
        }
        OrderView::Written(order) => {
            let quantities = order.lines.iter().map(|line| line.quantity);
            if !is_of(ids, quantities, order.fingerprint) {
                return Err(key_reused());
            }
            Ok(Placement {
                order: order.id,
                draft: None,
                replayed: true,
            })
        }
    }
}

fn refuse_repeated(ids: &[WishlistEntryId]) -> Result<(), Failure> {
    let mut seen = HashSet::with_capacity(ids.len());
    let again = ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id));
    let refusals: Vec<Refusal> = again
        .map(|(at, _)| Reason::from(Rule::Repeated).at(entry_field(at)))
        .collect();
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Failure::Refused(refusals))
    }
}

/// The entries in the order of the input, or a refusal for each that is not there.
async fn entries(
    ports: &Ports,
    buyer: AccountId,
    ids: &[WishlistEntryId],
) -> Result<Result<Vec<WishlistEntry>, Vec<Refusal>>, Fault> {
    let found = ports.wishlists.entries(buyer, ids).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|entry| (entry.id, entry)).collect();
    let mut entries = Vec::with_capacity(ids.len());
    let mut missing = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        match found.remove(id) {
            Some(entry) => entries.push(entry),
            None => missing.push(Reason::NotFound.at(entry_field(at))),
        }
    }
    Ok(if missing.is_empty() {
        Ok(entries)
    } else {
        Err(missing)
    })
}

/// Whether lines of these quantities, with this fingerprint, were asked for by these entries.
fn is_of(
    ids: &[WishlistEntryId],
    quantities: impl ExactSizeIterator<Item = Quantity>,
    found: Fingerprint,
) -> bool {
    quantities.len() == ids.len() && fingerprint(ids, quantities) == found
}

/// What the request asks for, as the entries were: another than that of any lines.
fn fingerprint(ids: &[WishlistEntryId], quantities: impl Iterator<Item = Quantity>) -> Fingerprint {
    let mut bytes = b"wishlist entries".to_vec();
    for (id, quantity) in ids.iter().zip(quantities) {
        bytes.extend_from_slice(id.0.as_bytes());
        bytes.extend_from_slice(&quantity.get().to_be_bytes());
    }
    Fingerprint::of(&bytes)
}
