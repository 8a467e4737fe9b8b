//! The schema's connections.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use domain::page::{ItemFilter, ItemQuery, Page};
use domain::use_cases::view_order::OrderView;

use crate::fault::{Fault, nullable};

use super::Graph;
use super::connection::{PageInfo, encode, page_info};
use super::objects::account::Account;
use super::objects::back_office::BackOfficeOrder;
use super::objects::dead_letter::DeadLetter;
use super::objects::item::Item;
use super::objects::order::Order;
use super::objects::record::{OperatorAct, StockMovement};
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

/// Defines a connection whose whole length nobody counts: the page that the ledger gave, each row
/// made into a node.
macro_rules! connection {
    (
        $(#[$edge_doc:meta])* $edge:ident,
        $(#[$doc:meta])* $name:ident of $row:ty as $node:ty = $make:expr
    ) => {
        $(#[$edge_doc])*
        #[derive(SimpleObject)]
        pub struct $edge {
            /// Its place in the list, for `after` and `before`. Opaque.
            cursor: String,
            /// What stands there.
            node: $node,
        }

        $(#[$doc])*
        pub struct $name {
            page_info: PageInfo,
            edges: Vec<$edge>,
        }

        $(#[$doc])*
        #[Object]
        impl $name {
            /// What the page has, each with its place.
            async fn edges(&self) -> &[$edge] {
                &self.edges
            }

            /// The same for whoever does not need the places.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// Where the page begins and ends, and whether there is more.
            async fn page_info(&self) -> &PageInfo {
                &self.page_info
            }
        }

        impl $name {
            /// The page that the ledger gave.
            pub fn of(page: Page<$row>) -> Self {
                let make: fn($row) -> $node = $make;
                let page_info = page_info(&page);
                let edges = page.rows.into_iter().map(|(cursor, row)| $edge {
                    cursor: encode(&cursor),
                    node: make(row),
                });
                Self {
                    edges: edges.collect(),
                    page_info,
                }
            }
        }
    };
}

connection! {
    /// One order of a list.
    OrderEdge,
    /// A page of a list of orders.
    OrderConnection of domain::order::Order as Order
    = |order| Order(OrderView::Written(Box::new(order)))
}

connection! {
    /// One entry of a wishlist.
    WishlistEdge,
    /// A page of a wishlist.
    WishlistConnection of domain::wishlist::WishlistEntry as WishlistEntry
    = WishlistEntry
}

connection! {
    /// One order of a list of the back office.
    BackOfficeOrderEdge,
    /// A page of a list of anybody's orders.
    BackOfficeOrderConnection of domain::order::Order as BackOfficeOrder
    = BackOfficeOrder::of
}

connection! {
    /// One account of a list.
    AccountEdge,
    /// A page of a list of accounts.
    AccountConnection of domain::account::Account as Account
    = Account
}

connection! {
    /// One movement of an item's stock.
    StockMovementEdge,
    /// A page of an item's movements of stock.
    StockMovementConnection of domain::movement::Movement as StockMovement
    = StockMovement::from
}

connection! {
    /// One entry of the audit log.
    OperatorActEdge,
    /// A page of the audit log.
    OperatorActConnection of domain::act::Act as OperatorAct
    = OperatorAct::from
}

connection! {
    /// One dead letter of a list.
    DeadLetterEdge,
    /// A page of dead letters.
    DeadLetterConnection of domain::dead_letter::FiledLetter as DeadLetter
    = DeadLetter::from
}
