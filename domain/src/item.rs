//! What is sold.

use crate::deal::Deal;
use crate::gate::Terms;
use crate::money::{MAX_PRICE_MINOR, Money};
use crate::refusal::{Reason, Rule};
use crate::stock::Stock;
use crate::{AccountId, ItemId, Timestamp};

/// An item with its stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub id: ItemId,
    pub seller: AccountId,
    /// The shop's own code for it, unique per seller; kept from an imported catalogue.
    pub sku: Option<String>,
    pub details: Details,
    pub kind: Kind,
    pub stock: Stock,
    /// Rises with every edit; what `expectedVersion` is compared with.
    pub version: i64,
    pub created_at: Timestamp,
}

/// What a seller says about an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    pub name: String,
    pub description: String,
    pub category: Category,
    pub price: Money,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Category {
    Fashion,
    Beauty,
    Etc,
}

/// How an item sells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// As long as there is stock.
    General,
    /// Within a window.
    TimeDeal(Deal),
}

pub const MAX_NAME: usize = 100;
pub const MAX_DESCRIPTION: usize = 2_000;
pub const MAX_SKU: usize = 64;

impl Details {
    /// Checks every field and reports all that is wrong; `path` is where the fields are.
    #[must_use]
    pub fn refusals(&self) -> Vec<crate::Refusal> {
        let mut refusals = Vec::new();
        let mut note = |reason: Result<(), Reason>, field: &str| {
            refusals.extend(reason.err().map(|reason| reason.at([field])));
        };
        note(text(&self.name, 1, MAX_NAME), "name");
        note(text(&self.description, 0, MAX_DESCRIPTION), "description");
        note(price(self.price), "price");
        refusals
    }
}

/// # Errors
/// A price below 0 or above [`MAX_PRICE_MINOR`].
fn price(price: Money) -> Result<(), Reason> {
    match price.minor {
        ..0 => Err(Rule::TooSmall { least: 0 }.into()),
        0..=MAX_PRICE_MINOR => Ok(()),
        _ => Err(Rule::TooLarge {
            most: MAX_PRICE_MINOR,
        }
        .into()),
    }
}

/// A text a person wrote: its length in characters, and no control characters but line breaks.
///
/// # Errors
/// The rule it breaks.
pub fn text(text: &str, least: usize, most: usize) -> Result<(), Reason> {
    let length = text.trim().chars().count();
    if length < least {
        let least = u32::try_from(least).unwrap_or(u32::MAX);
        return Err(Rule::TooShort { least }.into());
    }
    if text.chars().count() > most {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        return Err(Rule::TooLong { most }.into());
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Rule::Characters.into());
    }
    Ok(())
}

impl Item {
    /// The deal, if it is one.
    #[must_use]
    pub fn deal(&self) -> Option<&Deal> {
        match &self.kind {
            Kind::General => None,
            Kind::TimeDeal(deal) => Some(deal),
        }
    }

    /// What the gate is told about it.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms::of(&self.kind, &self.stock)
    }
}
