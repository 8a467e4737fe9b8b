//! Takes stock for an order and queues it, all lines or none.

mod from_wishlist;

use std::collections::HashMap;
use std::sync::Arc;

use crate::gate::{Fingerprint, Obstacle};
use crate::item::Item;
use crate::message::{Draft, DraftLine};
use crate::ports::Ports;
use crate::refusal::{Reason, Refusal, Rule};
use crate::use_cases::accept_edge::{self, Accepted, Turned};
use crate::{
    AccountId, Failure, IdempotencyKey, ItemId, Money, OrderId, Quantity, WishlistEntryId,
};

/// What a buyer asks for.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub wanted: Wanted,
}

/// How a buyer says what to order.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// An item may stand on several lines; its units are added up.
    Lines(Vec<(ItemId, Quantity)>),
    /// Entries of the buyer's wishlist, a line each. They go in the transaction that gives the order
    /// its units.
    Entries(Vec<WishlistEntryId>),
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
    let PlaceOrder { buyer, key, wanted } = command;
    let order = OrderId::derive(buyer, key);
    let most = ports.policies.max_lines;
    match wanted {
        Wanted::Lines(lines) => {
            check_count("lines", lines.len(), most)?;
            let asked = Asked {
                order,
                buyer,
                fingerprint: fingerprint(&lines),
                lines,
                wishlist_entries: Vec::new(),
            };
            let draft = Arc::new(asked.draft(ports).await?);
            let placed = take(ports, &draft).await?;
            placed.ok_or_else(key_reused)
        }
        Wanted::Entries(ids) => {
            check_count("wishlistEntryIds", ids.len(), most)?;
            from_wishlist::place(ports, buyer, order, &ids).await
        }
    }
}

fn check_count(field: &str, count: usize, most: usize) -> Result<(), Failure> {
    let rule = if count == 0 {
        Rule::TooShort { least: 1 }
    } else if count > most {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Rule::TooLong { most }
    } else {
        return Ok(());
    };
    Err(Reason::from(rule).at([field]).into())
}

fn key_reused() -> Failure {
    Reason::IdempotencyKeyReused.at(["idempotencyKey"]).into()
}

/// Brings an order through the gate and into the log; nothing when its key is another request's.
async fn take(ports: &Ports, draft: &Arc<Draft>) -> Result<Option<Placement>, Failure> {
    let order = draft.order;
    match accept_edge::accept(ports, draft).await? {
        Accepted::Now => Ok(Some(Placement {
            order,
            draft: Some(draft.clone()),
            replayed: false,
        })),
        Accepted::Before { fingerprint, .. } if fingerprint != draft.fingerprint => Ok(None),
        Accepted::Before { draft, .. } => Ok(Some(Placement {
            order,
            draft,
            replayed: true,
        })),
        Accepted::Not(Turned::TryAgain { after_ms }) => Err(Reason::TryAgain { after_ms }.into()),
        Accepted::Not(Turned::Away(obstacles)) => {
            let refusals = obstacles.iter().map(|obstacle| refusal(obstacle, draft));
            Err(Failure::Refused(refusals.collect()))
        }
    }
}

/// What an order is made from.
struct Asked {
    order: OrderId,
    buyer: AccountId,
    fingerprint: Fingerprint,
    /// At least one.
    lines: Vec<(ItemId, Quantity)>,
    /// Where the lines come from, if not from the request itself.
    wishlist_entries: Vec<WishlistEntryId>,
}

impl Asked {
    fn input(&self) -> Input {
        Input::of(&self.wishlist_entries)
    }

    /// The order with the prices of this moment.
    async fn draft(self, ports: &Ports) -> Result<Draft, Failure> {
        let mut ids: Vec<ItemId> = self.lines.iter().map(|(item, _)| *item).collect();
        ids.sort_unstable();
        ids.dedup();
        let items = ports.items.items(&ids).await?;
        let items: HashMap<ItemId, Arc<Item>> =
            items.into_iter().map(|item| (item.id, item)).collect();

        let input = self.input();
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut missing = Vec::new();
        let mut total: Option<Money> = None;
        for (at, (id, quantity)) in self.lines.iter().enumerate() {
            let Some(item) = items.get(id) else {
                missing.push(Reason::NotFound.at(input.field(at, "itemId")));
                continue;
            };
            let unit_price = item.details.price;
            let so_far = total.unwrap_or(Money::zero(unit_price.currency));
            if so_far.currency != unit_price.currency {
                return Err(Reason::CurrencyMismatch
                    .at(input.field(at, "itemId"))
                    .into());
            }
            let sum = unit_price
                .times(quantity.get())
                .and_then(|line| so_far.plus(line));
            let too_large = || Reason::TotalTooLarge.at(input.field(at, "quantity"));
            total = Some(sum.ok_or_else(too_large)?);
            lines.push(DraftLine {
                item: *id,
                quantity: *quantity,
                unit_price,
            });
        }
        // Without a total there is no line, so some item is missing.
        let (Some(total), true) = (total, missing.is_empty()) else {
            return Err(Failure::Refused(missing));
        };
        Ok(Draft {
            order: self.order,
            buyer: self.buyer,
            fingerprint: self.fingerprint,
            lines,
            total,
            accepted_at: ports.clock.now(),
            wishlist_entries: self.wishlist_entries,
        })
    }
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

fn refusal(obstacle: &Obstacle, draft: &Draft) -> Refusal {
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
    let mut lines = draft.lines.iter();
    match lines.position(|line| line.item == obstacle.item()) {
        Some(at) => reason.at(Input::of(&draft.wishlist_entries).field(at, "quantity")),
        None => reason.into(),
    }
}

/// The part of the input that a line is in.
#[derive(Clone, Copy)]
enum Input {
    Lines,
    Entries,
}

impl Input {
    fn of(wishlist_entries: &[WishlistEntryId]) -> Self {
        match wishlist_entries {
            [] => Self::Lines,
            _ => Self::Entries,
        }
    }

    /// The path to a field of a line; an entry has none.
    fn field(self, at: usize, field: &str) -> Vec<String> {
        match self {
            Self::Lines => vec!["lines".to_owned(), at.to_string(), field.to_owned()],
            Self::Entries => entry_field(at),
        }
    }
}

fn entry_field(at: usize) -> Vec<String> {
    vec!["wishlistEntryIds".to_owned(), at.to_string()]
}
