//! What is sold.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use domain::item::{Item as Entry, Kind};

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{DateTime, Version, count};

use super::money::Money;
use super::stock::{self, DealPhase, Stock};

/// An item of the catalogue.
#[derive(Clone)]
pub struct Item(pub Arc<Entry>);

impl From<Entry> for Item {
    fn from(item: Entry) -> Self {
        Self(Arc::new(item))
    }
}

/// Something that is sold. Anybody may see it.
#[Object]
impl Item {
    /// Its global id, `item_…`.
    pub async fn id(&self) -> ID {
        self.0.id.to_global()
    }

    /// Whether it sells always or within a window.
    async fn kind(&self) -> ItemKind {
        match self.0.kind {
            Kind::General => ItemKind::General,
            Kind::TimeDeal(_) => ItemKind::TimeDeal,
        }
    }

    /// Its name, 1 to 100 characters.
    async fn name(&self) -> &str {
        &self.0.details.name
    }

    /// What its seller says about it, at most 2000 characters.
    async fn description(&self) -> &str {
        &self.0.details.description
    }

    /// What sort of thing it is.
    async fn category(&self) -> Category {
        self.0.details.category.into()
    }

    /// The price of one unit now. An order keeps the price of the moment at which it was placed.
    async fn price(&self) -> Money {
        self.0.details.price.into()
    }

    /// The shop's own code for it, unique per seller; null where it has none.
    async fn sku(&self) -> Option<&str> {
        self.0.sku.as_deref()
    }

    /// Who sells it; null when the seller's account is gone.
    async fn seller(&self, ctx: &Context<'_>) -> Option<Seller> {
        let id = self.0.seller;
        let name = Graph::of(ctx).loaders.names.load_one(id).await;
        let seller = name.map(|name| {
            name.map(|name| Seller {
                id: id.to_global(),
                name,
            })
        });
        nullable(ctx, seller.map_err(Fault::from))
    }

    /// Its stock now; null while the stock can't be read.
    async fn stock(&self, ctx: &Context<'_>) -> Option<Stock> {
        nullable(ctx, Stock::of(Graph::of(ctx), &self.0).await.map(Some))
    }

    /// Its window; null for an item of kind GENERAL.
    async fn deal(&self) -> Option<Deal> {
        self.0.deal().map(|deal| Deal {
            deal: *deal,
            item: Arc::clone(&self.0),
        })
    }

    /// Rises with every edit. What an edit's `expectedVersion` is compared with.
    async fn version(&self) -> Version {
        Version::of_row(self.0.version)
    }

    /// When it was put on sale.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Whether an item sells always or within a window.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::page::ItemKindFilter")]
pub enum ItemKind {
    /// It sells for as long as there is stock.
    General,
    /// It sells within a window, perhaps with a limit per buyer.
    TimeDeal,
}

/// What sort of thing an item is.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::item::Category")]
pub enum Category {
    /// Clothes, shoes, bags.
    Fashion,
    /// Cosmetics and care.
    Beauty,
    /// Anything else.
    Etc,
}

/// Who sells an item.
#[derive(SimpleObject)]
pub struct Seller {
    /// The seller's global id, `account_…`; what `ItemFilter.sellerId` takes.
    id: ID,
    /// The seller's name.
    name: String,
}

/// The window of a time deal.
pub struct Deal {
    deal: domain::deal::Deal,
    item: Arc<Entry>,
}

/// When an item of kind TIME_DEAL sells, and how much of it one buyer may have.
#[Object]
impl Deal {
    /// Where the deal stands now; null while the stock can't be read. It follows from the window and
    /// one clock, so for a countdown compare `opensAt` with `serverTime`.
    async fn phase(&self, ctx: &Context<'_>) -> Option<DealPhase> {
        let level = stock::level(Graph::of(ctx), &self.item).await;
        nullable(ctx, level.map(|level| stock::phase(&level)))
    }

    /// The first instant at which it sells.
    async fn opens_at(&self) -> DateTime {
        self.deal.opens_at.into()
    }

    /// The first instant at which it no longer sells; null when it has no end.
    async fn closes_at(&self) -> Option<DateTime> {
        self.deal.closes_at.map(Into::into)
    }

    /// Units one buyer may hold, over all orders; null when there is no limit.
    async fn limit_per_buyer(&self) -> Option<i32> {
        self.deal.limit_per_buyer.map(count)
    }
}
