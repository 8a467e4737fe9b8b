//! Items and their stock.

use domain::deal::Deal;
use domain::item::{Details, Item, Kind};
use domain::stock::Stock;
use domain::{AccountId, ItemId};

use super::{BadRow, Reading, ms};
use crate::sql::entities::{items, stock};
use crate::words::Word;

/// How an item sells, as a word.
pub const GENERAL: &str = "GENERAL";
pub const TIME_DEAL: &str = "TIME_DEAL";

/// An item's two rows.
pub struct ItemRows {
    pub item: items::Model,
    pub stock: stock::Model,
}

impl TryFrom<ItemRows> for Item {
    type Error = BadRow;

    fn try_from(ItemRows { item: row, stock }: ItemRows) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "items",
            id: row.id,
        };
        Ok(Self {
            id: ItemId(row.id),
            seller: AccountId(row.seller_id),
            kind: Window::from(&row).kind()?,
            stock: counts(&stock)?,
            version: row.version,
            created_at: reading.instant("created_at", row.created_at)?,
            sku: row.sku,
            details: Details {
                category: reading.word("category", &row.category)?,
                price: reading.money(row.price_minor, &row.currency)?,
                name: row.name,
                description: row.description,
            },
        })
    }
}

impl From<&stock::Model> for Stock {
    fn from(row: &stock::Model) -> Self {
        Self {
            total: row.total,
            held: row.held,
            admitted: row.admitted,
            released: row.released,
            version: row.version,
        }
    }
}

/// The counts of a stock row.
///
/// # Errors
/// They do not agree with each other.
pub fn counts(row: &stock::Model) -> Result<Stock, BadRow> {
    let stock = Stock::from(row);
    let reading = Reading {
        table: "stock",
        id: row.item_id,
    };
    if stock.is_sound() {
        Ok(stock)
    } else {
        Err(reading.bad("held", "counts that disagree"))
    }
}

/// The columns that say how an item sells.
#[derive(Clone, Debug, sea_orm::FromQueryResult)]
pub struct Window {
    pub id: uuid::Uuid,
    pub kind: String,
    pub opens_at: Option<i64>,
    pub closes_at: Option<i64>,
    pub limit_per_buyer: Option<i64>,
    pub paused: bool,
}

impl From<&items::Model> for Window {
    fn from(row: &items::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind.clone(),
            opens_at: row.opens_at,
            closes_at: row.closes_at,
            limit_per_buyer: row.limit_per_buyer,
            paused: row.paused,
        }
    }
}

impl Window {
    /// How the item sells.
    ///
    /// # Errors
    /// An unknown kind, or a deal without its opening.
    pub fn kind(&self) -> Result<Kind, BadRow> {
        let reading = Reading {
            table: "items",
            id: self.id,
        };
        match self.kind.as_str() {
            GENERAL => Ok(Kind::General),
            TIME_DEAL => {
                let limit = self.limit_per_buyer;
                Ok(Kind::TimeDeal(Deal {
                    opens_at: reading.present_instant("opens_at", self.opens_at)?,
                    closes_at: reading.instant_or_none("closes_at", self.closes_at)?,
                    limit_per_buyer: limit
                        .map(|limit| reading.count("limit_per_buyer", limit))
                        .transpose()?,
                    paused: self.paused,
                }))
            }
            _ => Err(reading.bad("kind", "an unknown word")),
        }
    }
}

/// The row of an item.
pub fn item_row(item: &Item) -> items::Model {
    let deal = item.deal();
    items::Model {
        id: item.id.0,
        seller_id: item.seller.0,
        sku: item.sku.clone(),
        name: item.details.name.clone(),
        name_folded: folded(&item.details.name),
        description: item.details.description.clone(),
        category: item.details.category.word().to_owned(),
        price_minor: item.details.price.minor,
        currency: item.details.price.currency.code().to_owned(),
        kind: if deal.is_some() { TIME_DEAL } else { GENERAL }.to_owned(),
        opens_at: deal.map(|deal| ms(deal.opens_at)),
        closes_at: deal.and_then(|deal| deal.closes_at).map(ms),
        limit_per_buyer: deal.and_then(|deal| deal.limit_per_buyer).map(i64::from),
        paused: deal.is_some_and(|deal| deal.paused),
        version: item.version,
        created_at: ms(item.created_at),
    }
}

/// The stock row of an item.
pub fn stock_row(item: &Item, changed_at: i64) -> stock::Model {
    stock::Model {
        item_id: item.id.0,
        total: item.stock.total,
        held: item.stock.held,
        admitted: item.stock.admitted,
        released: item.stock.released,
        version: item.stock.version,
        changed_at,
    }
}

/// A name as it is searched and ordered by: in lower case, the same on every engine.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}
