//! The schema's connections.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use domain::page::{ItemFilter, ItemQuery, Page};
use domain::use_cases::view_order::OrderView;

use crate::fault::{Fault, nullable};

use super::Graph;
use super::connection::{PageInfo, encode, page_info};
use super::objects::item::Item;
use super::objects::order::Order;
use super::objects::wishlist::WishlistEntry;
use super::scalars::count;

/// One item of a list.
#[derive(SimpleObject)]
pub struct ItemEdge {
    /// The item's place in the list, for `after` and `before`. Opaque.
    cursor: String,
    /// The item.
    node: Item,
}

/// A page of items, with what it takes to count the whole list.
pub struct ItemConnection {
    filter: ItemFilter,
    page_info: PageInfo,
    edges: Vec<ItemEdge>,
}

/// A page of a list of items.
#[Object]
impl ItemConnection {
    /// The items of the page, each with its place.
    async fn edges(&self) -> &[ItemEdge] {
        &self.edges
    }

    /// The items of the page, for whoever does not need their places.
    async fn nodes(&self) -> Vec<&Item> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where the page begins and ends, and whether there is more.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many items the whole list has now; null when they can't be counted. Costs a look at all
    /// of them: ask for it once, not with every page.
    async fn total_count(&self, ctx: &Context<'_>) -> Option<i32> {
        let total = Graph::of(ctx).ports.catalogue.count(&self.filter).await;
        nullable(
            ctx,
            total.map(|total| Some(count(total))).map_err(Fault::from),
        )
    }
}

impl ItemConnection {
    /// The page that is asked for.
    pub async fn load(ctx: &Context<'_>, query: ItemQuery) -> Result<Self, Fault> {
        let page = Graph::of(ctx).ports.catalogue.list(&query).await?;
        let page_info = page_info(&page);
        let edges = page.rows.into_iter().map(|(cursor, item)| ItemEdge {
            cursor: encode(&cursor),
            node: Item(Arc::new(item)),
        });
        Ok(Self {
            filter: query.filter,
            page_info,
            edges: edges.collect(),
        })
    }
}

/// One order of a list.
#[derive(SimpleObject)]
pub struct OrderEdge {
    /// The order's place in the list, for `after` and `before`. Opaque.
    cursor: String,
    /// The order.
    node: Order,
}

/// A page of orders.
pub struct OrderConnection {
    page_info: PageInfo,
    edges: Vec<OrderEdge>,
}

/// A page of a list of orders.
#[Object]
impl OrderConnection {
    /// The orders of the page, each with its place.
    async fn edges(&self) -> &[OrderEdge] {
        &self.edges
    }

    /// The orders of the page, for whoever does not need their places.
    async fn nodes(&self) -> Vec<&Order> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where the page begins and ends, and whether there is more.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }
}

impl OrderConnection {
    /// The page that the ledger gave.
    pub fn of(page: Page<domain::order::Order>) -> Self {
        let page_info = page_info(&page);
        let edges = page.rows.into_iter().map(|(cursor, order)| OrderEdge {
            cursor: encode(&cursor),
            node: Order(OrderView::Written(Box::new(order))),
        });
        Self {
            edges: edges.collect(),
            page_info,
        }
    }
}

/// One entry of a wishlist.
#[derive(SimpleObject)]
pub struct WishlistEdge {
    /// The entry's place in the list, for `after` and `before`. Opaque.
    cursor: String,
    /// The entry.
    node: WishlistEntry,
}

/// A page of a wishlist.
pub struct WishlistConnection {
    page_info: PageInfo,
    edges: Vec<WishlistEdge>,
}

/// A page of a wishlist.
#[Object]
impl WishlistConnection {
    /// The entries of the page, each with its place.
    async fn edges(&self) -> &[WishlistEdge] {
        &self.edges
    }

    /// The entries of the page, for whoever does not need their places.
    async fn nodes(&self) -> Vec<&WishlistEntry> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where the page begins and ends, and whether there is more.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }
}

impl WishlistConnection {
    /// The page that the ledger gave.
    pub fn of(page: Page<domain::wishlist::WishlistEntry>) -> Self {
        let page_info = page_info(&page);
        let edges = page.rows.into_iter().map(|(cursor, entry)| WishlistEdge {
            cursor: encode(&cursor),
            node: WishlistEntry(entry),
        });
        Self {
            edges: edges.collect(),
            page_info,
        }
    }
}
