//! What buyers ask for after the sale, and what operators do.

use serde_json::{Value, json};

use super::caller::{Caller, NoAnswer, code, fresh_key};

const AFTER: &str = "id state version total { amount } currentTotal { amount currencyCode }
    lines { number quantity cancelledQuantity returnedQuantity unitPrice { amount } item { id } }
    payment { state attempts { amount { amount } } }
    refunds { reason completedAt amount { amount } }
    shipment { state address trackingNumber dispatchedAt deliveredAt }
    returns { id state reason note lines { line quantity } requestedAt completionDueAt completedAt
        rejectedAt }
    actions { action allowed until }";

const REFUSALS: &str = "userErrors { __typename code message field
    ... on StateConflict { state allowed }
    ... on ReturnWindowClosed { since }
    ... on ReturnSettled { state }
    ... on MoreThanCaptured { refundable { amount } }
    ... on InvalidInput { rule bound } }";

/// Units of a line of an order, by its number.
pub fn portion(line: i64, quantity: i64) -> Value {
    json!({ "line": line, "quantity": quantity })
}

impl Caller {
    async fn try_change(&self, mutation: &str, input: Value) -> Result<Value, NoAnswer> {
        let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!(
            "mutation($input: {name}!) {{ {mutation}(input: $input) {{
                order {{ {AFTER} }} replayed serverTime {REFUSALS} }} }}"
        );
        self.try_mutate(&document, input).await
    }

    /// Changes an order by a mutation that takes this input, under a fresh key unless it has one.
    pub async fn change(&self, mutation: &str, mut input: Value) -> Value {
        if input.get("idempotencyKey").is_none() {
            input["idempotencyKey"] = json!(fresh_key());
        }
        self.try_change(mutation, input).await.unwrap()
    }

    /// Cancels these parts of an order.
    pub async fn cancel_parts(&self, order: &str, lines: &[Value]) -> Value {
        self.change("cancelOrder", json!({ "orderId": order, "lines": lines }))
            .await
    }

    /// Asks to give these parts of an order back.
    pub async fn give_back(&self, order: &str, lines: &[Value]) -> Value {
        let reason = "it does not fit me";
        let input = json!({ "orderId": order, "lines": lines, "reason": reason });
        self.change("requestReturn", input).await
    }

    /// Buys a unit, pays, cancels, and has the money back; the order's id.
    pub async fn refunded(&self, item: &str) -> String {
        let order = self.own(item, 1).await;
        assert_eq!(code(&self.cancel(&order).await), None);
        let is_refunded = |order: &Value| !order["refunds"][0]["completedAt"].is_null();
        self.until_after(&order, "refunded", is_refunded).await;
        order
    }

    /// An order with what came after it.
    pub async fn after(&self, order: &str) -> Value {
        let document = format!("query($id: ID!) {{ order(id: $id) {{ {AFTER} }} }}");
        let mut data = self.ask(&document, json!({ "id": order })).await;
        data["order"].take()
    }

    /// The same, once it is as wanted.
    pub async fn until_after(
        &self,
        order: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        super::until(&format!("{order} to be {what}"), || async {
            Some(self.after(order).await).filter(&wanted)
        })
        .await
    }

    /// An order once its parcel has arrived.
    pub async fn until_delivered(&self, order: &str) -> Value {
        self.until_after(order, "delivered", |order| {
            order["shipment"]["state"] == "DELIVERED"
        })
        .await
    }

    /// What the back office shows of an item's stock; the oldest movement first.
    pub async fn item_stock(&self, item: &str) -> Value {
        let document = "query($id: ID!) { backOffice { itemStock(itemId: $id) {
            agrees item { id } ledger { total held admitted released available }
            gate { admitted ceiling available }
            movements(last: 100) { nodes { cause orderId total held admitted released at } } } } }";
        let mut data = self.ask(document, json!({ "id": item })).await;
        let mut stock = data["backOffice"]["itemStock"].take();
        if let Some(nodes) = stock["movements"]["nodes"].as_array_mut() {
            nodes.reverse();
        }
        stock
    }

    /// What operators did to something, the oldest first.
    pub async fn acts_on(&self, subject: Option<&str>) -> Vec<Value> {
        let document = "query($subject: UUID) { backOffice {
            auditLog(last: 100, subject: $subject) { nodes {
                deed note operatorId subject changes { what before after } } } } }";
        let data = self.ask(document, json!({ "subject": subject })).await;
        let nodes = data["backOffice"]["auditLog"]["nodes"].as_array().unwrap();
        nodes.iter().rev().cloned().collect()
    }
}
