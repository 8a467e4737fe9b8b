//! What a crowd asks after the sale: parts of orders back, and what is left of them.

use domain::{Currency, Money};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Id;
use super::orders::{Asked, change, changes};
use crate::rush::client::{Client, Document, NoAnswer, Token};

pub(super) const CANCEL_ORDER: Document = changes!("CancelOrder", "cancelOrder");
pub(super) const REQUEST_RETURN: Document = changes!("RequestReturn", "requestReturn");
pub(super) const ORDER_LINES: Document = Document(
    "query OrderLines($id: ID!) { order(id: $id) { state \
     lines { quantity cancelledQuantity returnedQuantity \
     unitPrice { amount currencyCode } item { id } } \
     payment { attempts { state amount { amount currencyCode } } } \
     refunds { amount { amount currencyCode } completedAt } returns { state } } }",
);

/// Why goods come back, as the shop is told.
const REASON: &str = "as the order book says";

/// An order with what is left of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bought {
    pub state: String,
    pub lines: Vec<BoughtLine>,
    /// What was captured, each time.
    pub captured: Vec<Money>,
    /// What the provider has given back, each time.
    pub refunded: Vec<Money>,
    /// Whether nothing is on its way back any more, neither goods nor money.
    pub is_settled: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoughtLine {
    /// Empty when the item can't be read.
    pub item_id: String,
    /// Units that were ordered, neither cancelled nor returned.
    pub kept: i64,
    /// Of one unit.
    pub price: Money,
}

#[derive(Serialize)]
struct Portion {
    line: usize,
    quantity: u32,
}

/// Cancels units of one line of an order, once. Lines count from 1.
///
/// # Errors
/// There is no answer.
pub async fn cancel_line(
    client: &mut Client,
    token: &Token,
    key: Uuid,
    order_id: &str,
    (line, quantity): (usize, u32),
) -> Result<Asked, NoAnswer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct CancelOrder<'a> {
        idempotency_key: String,
        order_id: &'a str,
        lines: [Portion; 1],
    }
    let input = CancelOrder {
        idempotency_key: key.to_string(),
        order_id,
        lines: [Portion { line, quantity }],
    };
    change(client, token, CANCEL_ORDER, input).await
}

/// Asks to return units of one line of an order, once. Lines count from 1.
///
/// # Errors
/// There is no answer.
pub async fn return_line(
    client: &mut Client,
    token: &Token,
    key: Uuid,
    order_id: &str,
    (line, quantity): (usize, u32),
) -> Result<Asked, NoAnswer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct RequestReturn<'a> {
        idempotency_key: String,
        order_id: &'a str,
        lines: [Portion; 1],
        reason: &'static str,
    }
    let input = RequestReturn {
        idempotency_key: key.to_string(),
        order_id,
        lines: [Portion { line, quantity }],
        reason: REASON,
    };
    change(client, token, REQUEST_RETURN, input).await
}

/// One order with what is left of it; nothing when it is not there.
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
    let data: Data = client.ask(Some(token), ORDER_LINES, &Id { id }).await?;
    Ok(data.order.map(Found::bought))
}

#[derive(Deserialize)]
struct Found {
    state: String,
    lines: Vec<FoundLine>,
    payment: Option<FoundPayment>,
    refunds: Vec<FoundRefund>,
    returns: Vec<FoundReturn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundLine {
    quantity: i64,
    cancelled_quantity: i64,
    returned_quantity: i64,
    unit_price: Amount,
    item: Option<FoundItem>,
}

#[derive(Deserialize)]
struct FoundItem {
    id: String,
}

#[derive(Deserialize)]
struct FoundPayment {
    attempts: Vec<FoundAttempt>,
}

#[derive(Deserialize)]
struct FoundAttempt {
    state: String,
    amount: Amount,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundRefund {
    amount: Amount,
    completed_at: Option<String>,
}

#[derive(Deserialize)]
struct FoundReturn {
    state: String,
}

/// Money as the API writes it.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
struct Amount(Money);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    amount: String,
    currency_code: String,
}

impl TryFrom<Written> for Amount {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let currency = Currency::from_code(&written.currency_code).ok_or("no currency")?;
        let money = Money::parse(&written.amount, currency).map_err(|_| "no amount")?;
        Ok(Self(money))
    }
}

impl Found {
    fn bought(self) -> Bought {
        let is_settled = self.refunds.iter().all(|r| r.completed_at.is_some())
            && self.returns.iter().all(|r| r.state != "REQUESTED");
        let lines = self.lines.into_iter().map(|line| BoughtLine {
            item_id: line.item.map(|item| item.id).unwrap_or_default(),
            kept: line.quantity - line.cancelled_quantity - line.returned_quantity,
            price: line.unit_price.0,
        });
        let attempts = self.payment.into_iter().flat_map(|paid| paid.attempts);
        let captured = attempts.filter(|attempt| attempt.state == "CAPTURED");
        let refunds = self.refunds.into_iter();
        let refunded = refunds.filter(|refund| refund.completed_at.is_some());
        Bought {
            state: self.state,
            lines: lines.collect(),
            captured: captured.map(|attempt| attempt.amount.0).collect(),
            refunded: refunded.map(|refund| refund.amount.0).collect(),
            is_settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_of_an_order_is_what_neither_was_cancelled_nor_came_back() {
        let money = |amount: &str| json!({ "amount": amount, "currencyCode": "GBP" });
        let order = |completed_at, state: &str| {
            let order = json!({
                "state": "PAID",
                "lines": [{ "quantity": 9, "cancelledQuantity": 2, "returnedQuantity": 3,
                    "unitPrice": money("2.55"), "item": { "id": "item_1" } }],
                "payment": { "attempts": [
                    { "state": "DECLINED", "amount": money("22.95") },
                    { "state": "CAPTURED", "amount": money("22.95") },
                ] },
                "refunds": [{ "amount": money("5.10"), "completedAt": "2026-03-01T06:00:00Z" },
                    { "amount": money("7.65"), "completedAt": completed_at }],
                "returns": [{ "state": state }],
            });
            serde_json::from_value::<Found>(order).unwrap().bought()
        };
        let minor = |money: &[Money]| money.iter().map(|money| money.minor).collect::<Vec<_>>();
        let bought = order(json!("2026-03-01T06:00:00Z"), "COMPLETED");
        assert_eq!(
            (bought.lines[0].kept, bought.lines[0].price.minor),
            (4, 255)
        );
        assert_eq!(minor(&bought.captured), [2295]);
        assert_eq!(minor(&bought.refunded), [510, 765]);
        assert!(bought.is_settled);
        let on_its_way = order(json!(null), "COMPLETED");
        assert_eq!(minor(&on_its_way.refunded), [510]);
        assert!(!on_its_way.is_settled);
        assert!(!order(json!("2026-03-01T06:00:00Z"), "REQUESTED").is_settled);
    }
}
