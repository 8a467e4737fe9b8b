//! Which items a list has, and in which order.

use async_graphql::{Enum, ID, InputObject};
use domain::item::{MAX_NAME, text};
use domain::page::MAX_PAGE;
use domain::refusal::Rule;
use domain::{AccountId, Reason, Refusal};

use super::connection::OrderedBy;
use super::ids::GlobalId;
use super::objects::item::{Category, ItemKind};
use super::objects::money::MoneyInput;
use super::scalars::DateTime;

/// Which items are wanted; an item has to meet everything that is given.
#[derive(InputObject, Debug, Default)]
pub struct ItemFilter {
    /// Of this kind.
    kind: Option<ItemKind>,
    /// Of this category.
    category: Option<Category>,
    /// Sold by this seller, `account_…`.
    seller_id: Option<ID>,
    /// With one of these codes, exactly as the shop wrote them; at most 100 codes.
    skus: Option<Vec<String>>,
    /// With this in its name, in capital letters or not; at most 100 characters.
    name_contains: Option<String>,
    /// Priced in this currency and not lower than this.
    price_from: Option<MoneyInput>,
    /// Priced in this currency and not higher than this.
    price_to: Option<MoneyInput>,
    /// `true` for items with units that nobody has taken, as the ledger has them. Without it, or
    /// with `false`, sold out ones too.
    in_stock: Option<bool>,
    /// Deals that open at this instant or later.
    opens_from: Option<DateTime>,
    /// Deals that open before this instant.
    opens_before: Option<DateTime>,
}

impl ItemFilter {
    /// The filter that is meant.
    ///
    /// # Errors
    /// A seller's id that is none, too many codes, a text or a price that is none.
    pub fn parse(self) -> Result<domain::page::ItemFilter, Refusal> {
        let seller = self.seller_id.as_ref().map(AccountId::parse).transpose();
        let price = |price: Option<MoneyInput>, field| price.map(|price| price.parse(field));
        let skus = self.skus.unwrap_or_default();
        if skus.len() > MAX_PAGE {
            return Err(Reason::from(Rule::TooLong { most: 100 }).at(["skus"]));
        }
        if let Some(part) = &self.name_contains {
            text(part, 1, MAX_NAME).map_err(|reason| reason.at(["nameContains"]))?;
        }
        Ok(domain::page::ItemFilter {
            kind: self.kind.map(Into::into),
            category: self.category.map(Into::into),
            seller: seller.map_err(|reason| reason.at(["sellerId"]))?,
            skus,
            name_contains: self.name_contains,
            price_from: price(self.price_from, "priceFrom").transpose()?,
            price_to: price(self.price_to, "priceTo").transpose()?,
            in_stock: self.in_stock.unwrap_or(false),
            opens_from: self.opens_from.map(|at| at.0),
            opens_before: self.opens_before.map(|at| at.0),
        })
    }
}

/// The order of a list of items. Items that are equal in it are ordered by their ids.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[graphql(remote = "domain::page::ItemOrder")]
pub enum ItemOrder {
    /// By when they were put on sale, the newest first.
    #[default]
    NewestFirst,
    /// By when they were put on sale, the oldest first.
    OldestFirst,
    /// By price in minor units, the lowest first. Filter by price to compare one currency.
    CheapestFirst,
    /// By price in minor units, the highest first. Filter by price to compare one currency.
    DearestFirst,
    /// By name.
    ByName,
    /// Deals by `opensAt`, the earliest first. Items of kind GENERAL are left out.
    OpensFirst,
}

impl ItemOrder {
    /// What its cursors hold.
    pub fn ordered_by(self) -> OrderedBy {
        match self {
            Self::NewestFirst | Self::OldestFirst | Self::OpensFirst => OrderedBy::Time,
            Self::CheapestFirst | Self::DearestFirst => OrderedBy::Price,
            Self::ByName => OrderedBy::Name,
        }
    }
}
