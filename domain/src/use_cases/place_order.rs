//! Takes stock for an order and queues it, all lines or none.

use std::collections::HashMap;
use std::sync::Arc;

use crate::gate::{Fingerprint, Obstacle};
use crate::item::Item;
use crate::message::{Draft, DraftLine};
use crate::ports::Ports;
use crate::refusal::{Reason, Refusal, Rule};
use crate::use_cases::accept_edge::{self, Accepted, Turned};
use crate::{AccountId, Failure, IdempotencyKey, ItemId, Money, OrderId, Quantity};

/// What a buyer asks for.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    /// An item may stand on several lines; its units are added up.
    pub lines: Vec<(ItemId, Quantity)>,
}

/// An order that was accepted, now or before.
#[derive(Clone, Debug)]
pub struct Placement {
    pub order: OrderId,
    /// What was accepted; absent when only the ledger still has it.
    pub draft: Option<Arc<Draft>>,
    /// Whether the same key had placed it before.
    pub replayed: bool,
}

/// Places an order. ACCEPTED means that it is written down durably; the order writer makes it
/// payable. The same buyer and key always name the same order, and take stock once.
///
/// # Errors
/// Refusals by line: not found, out of stock, limit reached, deal not open, closed or paused; of
/// the whole: currencies that differ, a key used for something else, *try again*.
pub async fn place_order(ports: &Ports, command: PlaceOrder) -> Result<Placement, Failure> {
    let count = command.lines.len();
    let most = ports.policies.max_lines;
    if count == 0 {
        return Err(Reason::from(Rule::TooShort { least: 1 })
            .at(["lines"])
            .into());
    }
    if count > most {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        return Err(Reason::from(Rule::TooLong { most }).at(["lines"]).into());
    }
    let draft = Arc::new(draft(ports, &command).await?);
    match accept_edge::accept(ports, &draft).await? {
        Accepted::Now => Ok(Placement {
            order: draft.order,
            draft: Some(draft),
            replayed: false,
        }),
        Accepted::Before {
            fingerprint,
            draft: earlier,
        } => {
            if fingerprint != draft.fingerprint {
                return Err(Reason::IdempotencyKeyReused.at(["idempotencyKey"]).into());
            }
            Ok(Placement {
                order: draft.order,
                draft: earlier,
                replayed: true,
            })
        }
        Accepted::Not(Turned::TryAgain { after_ms }) => Err(Reason::TryAgain { after_ms }.into()),
        Accepted::Not(Turned::Away(obstacles)) => {
            let refusals = obstacles
                .iter()
                .map(|obstacle| refusal(obstacle, &command.lines));
            Err(Failure::Refused(refusals.collect()))
        }
    }
}

/// The order with the prices of this moment.
async fn draft(ports: &Ports, command: &PlaceOrder) -> Result<Draft, Failure> {
    let mut ids: Vec<ItemId> = command.lines.iter().map(|(item, _)| *item).collect();
    ids.sort_unstable();
    ids.dedup();
    let items = ports.items.items(&ids).await?;
    let items: HashMap<ItemId, Arc<Item>> = items.into_iter().map(|item| (item.id, item)).collect();

    let mut lines = Vec::with_capacity(command.lines.len());
    let mut missing = Vec::new();
    let mut total: Option<Money> = None;
    for (at, (id, quantity)) in command.lines.iter().enumerate() {
        let Some(item) = items.get(id) else {
            missing.push(Reason::NotFound.at(line_field(at, "itemId")));
            continue;
        };
        let unit_price = item.details.price;
        let so_far = total.unwrap_or(Money::zero(unit_price.currency));
        if so_far.currency != unit_price.currency {
            return Err(Reason::CurrencyMismatch.at(line_field(at, "itemId")).into());
        }
        let sum = unit_price
            .times(quantity.get())
            .and_then(|line| so_far.plus(line));
        total = Some(sum.ok_or_else(|| Reason::TotalTooLarge.at(line_field(at, "quantity")))?);
        lines.push(DraftLine {
            item: *id,
            quantity: *quantity,
            unit_price,
        });
    }
    if !missing.is_empty() {
        return Err(Failure::Refused(missing));
    }
    let Some(total) = total else {
        return Err(Reason::from(Rule::TooShort { least: 1 })
            .at(["lines"])
            .into());
    };
    Ok(Draft {
        order: OrderId::derive(command.buyer, command.key),
        buyer: command.buyer,
        fingerprint: fingerprint(&command.lines),
        lines,
        total,
        accepted_at: ports.clock.now(),
        wishlist_entries: Vec::new(),
    })
}

/// What the request asks for, prices aside: a retry after a change of price is still the same.
fn fingerprint(lines: &[(ItemId, Quantity)]) -> Fingerprint {
    let mut bytes = Vec::with_capacity(lines.len() * 20);
    for (item, quantity) in lines {
        bytes.extend_from_slice(item.0.as_bytes());
        bytes.extend_from_slice(&quantity.get().to_be_bytes());
    }
    Fingerprint::of(&bytes)
}

fn refusal(obstacle: &Obstacle, lines: &[(ItemId, Quantity)]) -> Refusal {
    let reason = match *obstacle {
        Obstacle::SoldOut { item, available } => Reason::OutOfStock { item, available },
        Obstacle::NotOpen { item, opens_at } => Reason::DealNotOpen { item, opens_at },
        Obstacle::Closed { item, closed_at } => Reason::DealClosed { item, closed_at },
        Obstacle::Paused { item } => Reason::DealPaused { item },
        Obstacle::Limit {
            item,
            limit,
            held,
            remaining,
        } => Reason::PurchaseLimitReached {
            item,
            limit,
            held,
            remaining,
        },
    };
    match lines.iter().position(|(item, _)| *item == obstacle.item()) {
        Some(at) => reason.at(line_field(at, "quantity")),
        None => reason.into(),
    }
}

fn line_field(at: usize, field: &str) -> [String; 3] {
    ["lines".to_owned(), at.to_string(), field.to_owned()]
}
