//! What a crowd asks about orders.

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rush::client::{self, Client, Document, NoAnswer, Token};

/// A mutation that changes an order: its operation's name and its field.
macro_rules! changes {
    ($operation:literal, $field:literal) => {
        $crate::rush::client::Document(concat!(
            "mutation ",
            $operation,
            "($input: ",
            $operation,
            "Input!) { ",
            $field,
            "(input: $input) { order { id state } replayed userErrors { \
             __typename code message field \
             ... on TryAgain { retryAfterMs } ... on RateLimited { retryAfterMs } } } }",
        ))
    };
}
pub(super) use changes;

pub(super) const PLACE_ORDER: Document = changes!("PlaceOrder", "placeOrder");
pub(super) const PAY_ORDER: Document = changes!("PayOrder", "payOrder");
pub(super) const ORDERS: Document = Document(
    "query Orders($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id state rejection } } }",
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

/// A mutation's input under its one variable.
#[derive(Serialize)]
struct Input<T> {
    input: T,
}

/// The data of a mutation that changes an order.
#[derive(Deserialize)]
struct Changed {
    #[serde(
        alias = "placeOrder",
        alias = "payOrder",
        alias = "cancelOrder",
        alias = "requestReturn"
    )]
    payload: Payload,
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

/// Changes an order, once.
///
/// # Errors
/// There is no answer.
pub(super) async fn change(
    client: &mut Client,
    token: &Token,
    document: Document,
    input: impl Serialize,
) -> Result<Asked, NoAnswer> {
    let changed: Changed = client.ask(Some(token), document, &Input { input }).await?;
    Ok(changed.payload.asked())
}

/// An order to be placed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrder<'a> {
    idempotency_key: String,
    lines: &'a [Line],
}

impl<'a> PlaceOrder<'a> {
    fn new(key: Uuid, lines: &'a [Line]) -> Self {
        Self {
            idempotency_key: key.to_string(),
            lines,
        }
    }

    /// The request's body, for whoever sends it without a [`Client`].
    pub fn body(key: Uuid, lines: &'a [Line]) -> Bytes {
        let input = Self::new(key, lines);
        client::body(PLACE_ORDER, &Input { input })
    }

    /// What the answer to it says.
    ///
    /// # Errors
    /// It lists errors, or is none.
    pub fn read(status: u16, answer: &[u8]) -> Result<Asked, NoAnswer> {
        let placed: Changed = client::read(status, answer)?;
        Ok(placed.payload.asked())
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
    change(client, token, PLACE_ORDER, PlaceOrder::new(key, lines)).await
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
    let input = PayOrder {
        idempotency_key: key.to_string(),
        order_id,
        payment_method,
    };
    change(client, token, PAY_ORDER, input).await
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

#[cfg(test)]
mod tests {
    use super::*;

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
