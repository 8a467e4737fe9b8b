//! What buyers and sellers ask for.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::caller::{Caller, NoAnswer, code, codes, fresh_key};
use super::{DECIDED, until};

/// Before an order is placed again under the same key.
const AGAIN: Duration = Duration::from_millis(100);

const REFUSALS: &str = "userErrors { __typename code message field
    ... on OutOfStock { itemId available }
    ... on PurchaseLimitReached { itemId limit held remaining }
    ... on DealNotOpen { itemId opensAt }
    ... on DealClosed { itemId closedAt }
    ... on StateConflict { state allowed }
    ... on PaymentWindowClosed { since }
    ... on StockBelowHeld { held }
    ... on DealHasBegun { openedAt }
    ... on VersionConflict { current }
    ... on InvalidInput { rule bound }
    ... on TryAgain { retryAfterMs } }";

const ORDER: &str = "id number state version placedAt paymentDueAt rejection
    total { amount currencyCode }
    lines { quantity unitPrice { amount } subtotal { amount } item { id } }
    payment { state attempts { id number state declineReason settledAt amount { amount } } }
    refunds { id paymentId state reason completedAt amount { amount currencyCode } }
    shipment { state trackingNumber dispatchedAt deliveredAt cancelledAt }
    actions { action allowed until refused { code } }";

const ITEM: &str = "id kind name description category sku version price { amount currencyCode }
    seller { id } stock { total available version }
    deal { phase opensAt closesAt limitPerBuyer }";

/// A line of an order.
pub fn line(item: &str, quantity: i64) -> Value {
    json!({ "itemId": item, "quantity": quantity })
}

/// Something to put on sale.
pub struct Sale {
    input: Value,
}

impl Sale {
    /// Units of a general item at a thousand won.
    pub fn of(total: i64) -> Self {
        let price = json!({ "amount": "1000", "currencyCode": "KRW" });
        let input = json!({
            "name": "Thing", "category": "ETC", "price": price, "total": total,
        });
        Self { input }
    }

    pub fn named(mut self, name: &str) -> Self {
        self.input["name"] = json!(name);
        self
    }

    pub fn category(mut self, category: &str) -> Self {
        self.input["category"] = json!(category);
        self
    }

    pub fn at(mut self, amount: &str, currency: &str) -> Self {
        self.input["price"] = json!({ "amount": amount, "currencyCode": currency });
        self
    }

    pub fn sku(mut self, sku: &str) -> Self {
        self.input["sku"] = json!(sku);
        self
    }

    /// A deal, by what `DealInput` takes.
    pub fn deal(mut self, deal: Value) -> Self {
        self.input["deal"] = deal;
        self
    }

    /// A deal that has begun and lets a buyer have so many.
    pub fn limited_to(self, limit: u32) -> Self {
        self.deal(json!({ "opensAt": "2026-01-01T00:00:00Z", "limitPerBuyer": limit }))
    }

    /// What `createItem` takes, under this key.
    pub fn input(&self, key: &str) -> Value {
        let mut input = self.input.clone();
        input["idempotencyKey"] = json!(key);
        input
    }
}

impl Caller {
    /// The engine's clock.
    pub async fn server_time(&self) -> DateTime<Utc> {
        instant(&self.ask("{ serverTime }", json!({})).await["serverTime"])
    }

    /// The engine's clock in so many milliseconds, as an input.
    pub async fn server_time_in(&self, ms: i64) -> String {
        let at = self.server_time().await + TimeDelta::milliseconds(ms);
        at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Places an order under this key, or says why there is no answer.
    pub async fn try_place(&self, key: &str, lines: &[Value]) -> Result<Value, NoAnswer> {
        self.try_place_input(json!({ "idempotencyKey": key, "lines": lines }))
            .await
    }

    async fn try_place_input(&self, input: Value) -> Result<Value, NoAnswer> {
        let document = format!(
            "mutation($input: PlaceOrderInput!) {{ placeOrder(input: $input) {{
                order {{ {ORDER} }} replayed serverTime {REFUSALS} }} }}"
        );
        self.try_mutate(&document, input).await
    }

    /// Places an order under this key.
    pub async fn place_under(&self, key: &str, lines: &[Value]) -> Value {
        self.place_input(json!({ "idempotencyKey": key, "lines": lines }))
            .await
    }

    /// Places an order by what `PlaceOrderInput` takes.
    pub async fn place_input(&self, input: Value) -> Value {
        let insisting = async {
            loop {
                let payload = self.try_place_input(input.clone()).await.unwrap();
                if !self.is_patient || codes(&payload) != ["TRY_AGAIN"] {
                    return payload;
                }
                sleep(AGAIN).await;
            }
        };
        let decided = timeout(DECIDED, insisting).await;
        decided.expect("an order that is decided")
    }

    /// Places an order.
    pub async fn place(&self, lines: &[Value]) -> Value {
        self.place_under(&fresh_key(), lines).await
    }

    /// Places an order that must be accepted; its id.
    pub async fn buy(&self, item: &str, quantity: i64) -> String {
        let payload = self.place(&[line(item, quantity)]).await;
        assert_eq!(code(&payload), None, "{payload}");
        payload["order"]["id"].as_str().unwrap().to_owned()
    }

    /// The same, once it can be paid.
    pub async fn hold(&self, item: &str, quantity: i64) -> String {
        let order = self.buy(item, quantity).await;
        self.until_state(&order, "PENDING_PAYMENT").await;
        order
    }

    /// The same, once it is paid.
    pub async fn own(&self, item: &str, quantity: i64) -> String {
        let order = self.hold(item, quantity).await;
        assert_eq!(code(&self.pay(&order, "tok_approve").await), None);
        self.until_state(&order, "PAID").await;
        order
    }

    /// Pays under this key, or says why there is no answer.
    pub async fn try_pay(&self, key: &str, order: &str, method: &str) -> Result<Value, NoAnswer> {
        let document = format!(
            "mutation($input: PayOrderInput!) {{ payOrder(input: $input) {{
                order {{ {ORDER} }} replayed serverTime {REFUSALS} }} }}"
        );
        let input = json!({ "idempotencyKey": key, "orderId": order, "paymentMethod": method });
        self.try_mutate(&document, input).await
    }

    pub async fn pay_under(&self, key: &str, order: &str, method: &str) -> Value {
        self.try_pay(key, order, method).await.unwrap()
    }

    pub async fn pay(&self, order: &str, method: &str) -> Value {
        self.pay_under(&fresh_key(), order, method).await
    }

    /// Cancels under this key, or says why there is no answer.
    pub async fn try_cancel(&self, key: &str, order: &str) -> Result<Value, NoAnswer> {
        let document = format!(
            "mutation($input: CancelOrderInput!) {{ cancelOrder(input: $input) {{
                order {{ {ORDER} }} replayed serverTime {REFUSALS} }} }}"
        );
        let input = json!({ "idempotencyKey": key, "orderId": order });
        self.try_mutate(&document, input).await
    }

    pub async fn cancel_under(&self, key: &str, order: &str) -> Value {
        self.try_cancel(key, order).await.unwrap()
    }

    pub async fn cancel(&self, order: &str) -> Value {
        self.cancel_under(&fresh_key(), order).await
    }

    /// An order; null when there is none for this caller.
    pub async fn order(&self, id: &str) -> Value {
        let document = format!("query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}");
        let mut data = self.ask(&document, json!({ "id": id })).await;
        data["order"].take()
    }

    /// An order once it is as wanted.
    pub async fn until_order(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        until(&format!("{id} to be {what}"), || async {
            Some(self.order(id).await).filter(&wanted)
        })
        .await
    }

    /// An order once it is in this state.
    pub async fn until_state(&self, id: &str, state: &str) -> Value {
        self.until_order(id, state, |order| order["state"] == state)
            .await
    }

    /// An item; null when there is none.
    pub async fn item(&self, id: &str) -> Value {
        let document = format!("query($id: ID!) {{ item(id: $id) {{ {ITEM} }} }}");
        let mut data = self.ask(&document, json!({ "id": id })).await;
        data["item"].take()
    }

    /// The item of this name.
    pub async fn item_named(&self, name: &str) -> Value {
        let document = format!(
            "query($name: String!) {{ items(first: 100, filter: {{ nameContains: $name }}) {{
                edges {{ node {{ {ITEM} }} }} }} }}"
        );
        let mut data = self.ask(&document, json!({ "name": name })).await;
        data["items"]["edges"][0]["node"].take()
    }

    /// Units of an item that can be had now.
    pub async fn available(&self, item: &str) -> i64 {
        let document = "query($id: ID!) { stock(itemId: $id) { available total version } }";
        let data = self.ask(document, json!({ "id": item })).await;
        data["stock"]["available"].as_i64().unwrap()
    }

    /// Waits until so many units can be had.
    pub async fn until_available(&self, item: &str, units: i64) {
        until(&format!("{units} units"), || async {
            (self.available(item).await == units).then_some(())
        })
        .await;
    }

    pub async fn create_item(&self, sale: &Sale, key: &str) -> Value {
        let document = format!(
            "mutation($input: CreateItemInput!) {{ createItem(input: $input) {{
                item {{ {ITEM} }} replayed serverTime {REFUSALS} }} }}"
        );
        self.mutate(&document, sale.input(key)).await
    }

    /// Puts something on sale; its id.
    pub async fn sell(&self, sale: Sale) -> String {
        let payload = self.create_item(&sale, &fresh_key()).await;
        assert_eq!(code(&payload), None, "{payload}");
        payload["item"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes an item by what `UpdateItemInput` takes.
    pub async fn update_item(&self, input: Value) -> Value {
        let document = format!(
            "mutation($input: UpdateItemInput!) {{ updateItem(input: $input) {{
                item {{ {ITEM} }} serverTime {REFUSALS} }} }}"
        );
        self.mutate(&document, input).await
    }

    /// Does `pauseDeal`, `resumeDeal` or `endDeal` with the item as it is at this version.
    pub async fn control_deal(&self, mutation: &str, item: &str, version: &Value) -> Value {
        let input = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!(
            "mutation($input: {input}!) {{ {mutation}(input: $input) {{
                item {{ {ITEM} }} serverTime {REFUSALS} }} }}"
        );
        let input = json!({ "itemId": item, "expectedVersion": version });
        self.mutate(&document, input).await
    }

    pub async fn restock_under(&self, key: &str, item: &str, change: i64) -> Value {
        let document = format!(
            "mutation($input: RestockItemInput!) {{ restockItem(input: $input) {{
                item {{ {ITEM} }} replayed serverTime {REFUSALS} }} }}"
        );
        let input = json!({ "idempotencyKey": key, "itemId": item, "change": change });
        self.mutate(&document, input).await
    }

    pub async fn restock(&self, item: &str, change: i64) -> Value {
        self.restock_under(&fresh_key(), item, change).await
    }

    /// Changes a deal's window by what `ScheduleDealInput` takes.
    pub async fn schedule_deal(&self, input: Value) -> Value {
        let document = format!(
            "mutation($input: ScheduleDealInput!) {{ scheduleDeal(input: $input) {{
                item {{ {ITEM} }} serverTime {REFUSALS} }} }}"
        );
        self.mutate(&document, input).await
    }
}

/// An instant as the API writes it.
pub fn instant(value: &Value) -> DateTime<Utc> {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no instant"))
        .parse()
        .unwrap()
}
