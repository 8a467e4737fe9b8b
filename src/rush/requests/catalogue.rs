//! What a crowd asks about items.

use serde::{Deserialize, Serialize};

use super::{Id, MOST_PER_REQUEST};
use crate::rush::client::{Client, Document, NoAnswer};

pub(super) const ITEM: Document = Document(
    "query Item($id: ID!) { serverTime item(id: $id) { id name \
     stock { total available version } deal { phase opensAt } } }",
);
pub(super) const DEALS: Document = Document(
    "query Deals($first: Int!, $after: String) { serverTime items(first: $first, after: $after, \
     filter: { kind: TIME_DEAL }, orderBy: OPENS_FIRST) { nodes { id name \
     stock { total available version } deal { phase opensAt } } \
     pageInfo { hasNextPage endCursor } } }",
);
pub(super) const GENERAL: Document = Document(
    "query General($first: Int!, $after: String) { serverTime items(first: $first, after: $after, \
     filter: { kind: GENERAL }, orderBy: NEWEST_FIRST) { nodes { id name \
     stock { total available version } deal { phase opensAt } } \
     pageInfo { hasNextPage endCursor } } }",
);
pub(super) const BY_SKU: Document = Document(
    "query BySku($first: Int!, $after: String, $filter: ItemFilter!) { items(first: $first, \
     after: $after, filter: $filter, orderBy: OLDEST_FIRST) { nodes { id sku } \
     pageInfo { hasNextPage endCursor } } }",
);
/// What a subscriber asks for.
pub const STOCK_CHANGED: Document = Document(
    "subscription StockChanged($itemIds: [ID!]!) { stockChanged(itemIds: $itemIds) { \
     stock { available version } } }",
);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Stock {
    pub total: Option<i64>,
    pub available: i64,
    /// The higher, the newer.
    pub version: u64,
}

/// An item that may be a deal.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Item {
    pub id: String,
    pub name: String,
    /// Not there while the gate can't be reached.
    pub stock: Option<Stock>,
    pub deal: Option<Deal>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deal {
    /// Not there while the gate can't be reached.
    pub phase: Option<String>,
    /// As RFC 3339 writes it.
    pub opens_at: String,
}

#[derive(Deserialize)]
struct Page<T> {
    nodes: Vec<T>,
    #[serde(rename = "pageInfo")]
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// Items of a list, and how to go on.
#[derive(Debug)]
pub struct Items<T> {
    pub items: Vec<T>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<String>,
}

/// A code of the shop's, and the item it stands for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Coded {
    pub id: String,
    pub sku: Option<String>,
}

/// An item, and what time the engine had; nothing when there is none of this id.
///
/// # Errors
/// There is no answer.
pub async fn item(client: &mut Client, id: &str) -> Result<Option<(Item, String)>, NoAnswer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        server_time: String,
        item: Option<Item>,
    }
    let data: Data = client.ask(None, ITEM, &Id { id }).await?;
    Ok(data.item.map(|item| (item, data.server_time)))
}

/// A page of the deals, the first to open first.
///
/// # Errors
/// There is no answer.
pub async fn deals(client: &mut Client, after: Option<&str>) -> Result<Items<Item>, NoAnswer> {
    listed(client, DEALS, after).await
}

/// A page of the items that are always sold, the newest first.
///
/// # Errors
/// There is no answer.
pub async fn general(client: &mut Client, after: Option<&str>) -> Result<Items<Item>, NoAnswer> {
    listed(client, GENERAL, after).await
}

async fn listed(
    client: &mut Client,
    document: Document,
    after: Option<&str>,
) -> Result<Items<Item>, NoAnswer> {
    #[derive(Serialize)]
    struct Variables<'a> {
        first: usize,
        after: Option<&'a str>,
    }
    #[derive(Deserialize)]
    struct Data {
        items: Page<Item>,
    }
    let variables = Variables {
        first: MOST_PER_REQUEST,
        after,
    };
    let data: Data = client.ask(None, document, &variables).await?;
    Ok(data.items.into())
}

/// A page of the items with one of these codes, at most [`MOST_PER_REQUEST`], of one seller or of
/// all.
///
/// # Errors
/// There is no answer.
pub async fn by_sku(
    client: &mut Client,
    skus: &[&str],
    seller_id: Option<&str>,
    after: Option<&str>,
) -> Result<Items<Coded>, NoAnswer> {
    #[derive(Serialize)]
    struct Variables<'a> {
        first: usize,
        after: Option<&'a str>,
        filter: Filter<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Filter<'a> {
        skus: &'a [&'a str],
        seller_id: Option<&'a str>,
    }
    #[derive(Deserialize)]
    struct Data {
        items: Page<Coded>,
    }
    let filter = Filter { skus, seller_id };
    let variables = Variables {
        first: MOST_PER_REQUEST,
        after,
        filter,
    };
    let data: Data = client.ask(None, BY_SKU, &variables).await?;
    Ok(data.items.into())
}

impl<T> From<Page<T>> for Items<T> {
    fn from(page: Page<T>) -> Self {
        let PageInfo {
            has_next_page,
            end_cursor,
        } = page.page_info;
        Self {
            items: page.nodes,
            next: end_cursor.filter(|_| has_next_page),
        }
    }
}
