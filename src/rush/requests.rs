//! What a crowd asks of the API, and what it reads of the answers.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::{Client, Document, NoAnswer, Token};

/// The most that a list may be asked for, and the most ids in one request.
pub const MOST_PER_REQUEST: usize = 100;

const PLACE_ORDER: Document = Document(
    "mutation PlaceOrder($input: PlaceOrderInput!) { placeOrder(input: $input) { \
     order { id state } replayed userErrors { __typename code message field \
     ... on TryAgain { retryAfterMs } ... on RateLimited { retryAfterMs } } } }",
);
const PAY_ORDER: Document = Document(
    "mutation PayOrder($input: PayOrderInput!) { payOrder(input: $input) { \
     order { id state } replayed userErrors { __typename code message field \
     ... on TryAgain { retryAfterMs } ... on RateLimited { retryAfterMs } } } }",
);
const ORDERS: Document = Document(
    "query Orders($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id state rejection } } }",
);
const ORDER_LINES: Document = Document(
    "query OrderLines($id: ID!) { order(id: $id) { state lines { quantity item { id } } } }",
);
const ITEM: Document = Document(
    "query Item($id: ID!) { serverTime item(id: $id) { id name \
     stock { total available version } deal { phase opensAt } } }",
);
const DEALS: Document = Document(
    "query Deals($first: Int!, $after: String) { serverTime items(first: $first, after: $after, \
     filter: { kind: TIME_DEAL }, orderBy: OPENS_FIRST) { nodes { id name \
     stock { total available version } deal { phase opensAt } } \
     pageInfo { hasNextPage endCursor } } }",
);
const BY_SKU: Document = Document(
    "query BySku($first: Int!, $after: String, $filter: ItemFilter!) { items(first: $first, \
     after: $after, filter: $filter, orderBy: OLDEST_FIRST) { nodes { id sku } \
     pageInfo { hasNextPage endCursor } } }",
);
/// What a subscriber asks for.
pub const STOCK_CHANGED: Document = Document(
    "subscription StockChanged($itemIds: [ID!]!) { stockChanged(itemIds: $itemIds) { \
     stock { available version } } }",
);

/// An order, as far as the crowd looks at it. A state is what the API calls it: there may be new ones.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Order {
    pub id: String,
    pub state: String,
    /// Why it is REJECTED.
    pub rejection: Option<String>,
}

/// An expected *no*.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserError {
    #[serde(rename = "__typename")]
    pub typename: String,
    pub code: String,
    pub message: String,
    pub field: Option<Vec<String>>,
    /// When to send the same again, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl UserError {
    /// Whether the same request under the same key may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retry_after_ms.is_some()
    }
}

/// What came of an order or a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    Done {
        order: Order,
        /// Whether the same key had done it before.
        replayed: bool,
    },
    /// At least one reason.
    Refused(Vec<UserError>),
}

/// Units of an item, to order or ordered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub item_id: String,
    pub quantity: u32,
}

/// An order with what was bought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bought {
    pub state: String,
    pub lines: Vec<Line>,
}

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

/// A mutation's input under its one variable.
#[derive(Serialize)]
struct Input<T> {
    input: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    order: Option<Order>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

impl Payload {
    fn asked(self) -> Asked {
        match self.order {
            Some(order) => Asked::Done {
                order,
                replayed: self.replayed,
            },
            None => Asked::Refused(self.user_errors),
        }
    }
}

/// Places an order, once.
///
/// # Errors
/// There is no answer.
pub async fn place_order(
    client: &mut Client,
    token: &Token,
    key: Uuid,
    lines: &[Line],
) -> Result<Asked, NoAnswer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct PlaceOrder<'a> {
        idempotency_key: String,
        lines: &'a [Line],
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        place_order: Payload,
    }
    let input = PlaceOrder {
        idempotency_key: key.to_string(),
        lines,
    };
    let data: Data = client
        .ask(Some(token), PLACE_ORDER, &Input { input })
        .await?;
    Ok(data.place_order.asked())
}

/// Starts a payment, once.
///
/// # Errors
/// There is no answer.
pub async fn pay_order(
    client: &mut Client,
    token: &Token,
    key: Uuid,
    order_id: &str,
    payment_method: &str,
) -> Result<Asked, NoAnswer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct PayOrder<'a> {
        idempotency_key: String,
        order_id: &'a str,
        payment_method: &'a str,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        pay_order: Payload,
    }
    let input = PayOrder {
        idempotency_key: key.to_string(),
        order_id,
        payment_method,
    };
    let data: Data = client.ask(Some(token), PAY_ORDER, &Input { input }).await?;
    Ok(data.pay_order.asked())
}

/// Orders of one buyer as they are now, in the order of the ids, at most [`MOST_PER_REQUEST`];
/// nothing in the place of what is not there.
///
/// # Errors
/// There is no answer.
pub async fn orders(
    client: &mut Client,
    token: &Token,
    ids: &[&str],
) -> Result<Vec<Option<Order>>, NoAnswer> {
    #[derive(Serialize)]
    struct Ids<'a> {
        ids: &'a [&'a str],
    }
    #[derive(Deserialize)]
    struct Data {
        nodes: Vec<Option<Order>>,
    }
    let data: Data = client.ask(Some(token), ORDERS, &Ids { ids }).await?;
    Ok(data.nodes)
}

/// One order with its lines; nothing when it is not there.
///
/// # Errors
/// There is no answer.
pub async fn bought(
    client: &mut Client,
    token: &Token,
    id: &str,
) -> Result<Option<Bought>, NoAnswer> {
    #[derive(Deserialize)]
    struct Data {
        order: Option<Found>,
    }
    #[derive(Deserialize)]
    struct Found {
        state: String,
        lines: Vec<FoundLine>,
    }
    #[derive(Deserialize)]
    struct FoundLine {
        quantity: u32,
        item: Option<FoundItem>,
    }
    #[derive(Deserialize)]
    struct FoundItem {
        id: String,
    }
    let data: Data = client.ask(Some(token), ORDER_LINES, &Id { id }).await?;
    Ok(data.order.map(|Found { state, lines }| {
        let lines = lines.into_iter().map(|FoundLine { quantity, item }| Line {
            item_id: item.map(|item| item.id).unwrap_or_default(),
            quantity,
        });
        Bought {
            state,
            lines: lines.collect(),
        }
    }))
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
    let data: Data = client.ask(None, DEALS, &variables).await?;
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

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stand_in_json_as_they_are() {
        for Document(text) in [
            PLACE_ORDER,
            PAY_ORDER,
            ORDERS,
            ORDER_LINES,
            ITEM,
            DEALS,
            BY_SKU,
            STOCK_CHANGED,
        ] {
            assert_eq!(serde_json::to_string(text).unwrap(), format!("\"{text}\""));
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_payload_is_an_order_or_refusals() {
        let payload = |text| serde_json::from_str::<Payload>(text).unwrap().asked();
        let done = payload(
            r#"{"order":{"id":"order_1","state":"ACCEPTED"},"replayed":false,"userErrors":[]}"#,
        );
        let order = Order {
            id: "order_1".to_owned(),
            state: "ACCEPTED".to_owned(),
            rejection: None,
        };
        assert_eq!(
            done,
            Asked::Done {
                order,
                replayed: false
            }
        );
        let refused = payload(
            r#"{"order":null,"replayed":false,"userErrors":[{"__typename":"TryAgain",
                "code":"TRY_AGAIN","message":"Again.","field":null,"retryAfterMs":200}]}"#,
        );
        let Asked::Refused(errors) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            (errors[0].code.as_str(), errors[0].is_retryable()),
            ("TRY_AGAIN", true)
        );
    }
}
