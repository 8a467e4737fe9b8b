//! Intents, refunds and events as Stripe writes them.

use serde_json::{Value, json};

/// A payment intent, as its row has it.
#[derive(Clone)]
pub struct Intent {
    pub id: String,
    pub payment: String,
    pub order_id: String,
    pub amount: i64,
    pub currency: String,
    pub method: String,
    pub status: String,
    pub cancellation: Option<String>,
    /// In seconds.
    pub created: i64,
    pub refunded: i64,
    pub refunds: i64,
}

pub struct Refund {
    pub id: String,
    pub intent: String,
    /// What the shop calls it.
    pub of: String,
    pub payment: String,
    pub amount: i64,
    pub currency: String,
    pub created: i64,
}

impl Intent {
    /// With its charge where that was asked for.
    pub fn object(&self, with_charge: bool) -> Value {
        let received = if self.status == "succeeded" {
            self.amount
        } else {
            0
        };
        let charge = (received > 0 || self.status == "requires_capture").then(|| self.charge());
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_received": received,
            "cancellation_reason": self.cancellation,
            "capture_method": "manual",
            "created": self.created,
            "currency": self.currency,
            "latest_charge": if with_charge { charge } else { None },
            "livemode": false,
            "metadata": { "payment": self.payment, "order": self.order_id },
            "payment_method": self.method,
            "payment_method_types": ["card"],
            "status": self.status,
        })
    }

    fn charge(&self) -> Value {
        let refunds = (0..self.refunds).map(|number| {
            json!({ "id": format!("{}_{number}", self.id), "object": "refund", "status": "succeeded" })
        });
        let refunds: Vec<Value> = refunds.collect();
        json!({
            "id": self.id.replacen("pi_", "ch_", 1),
            "object": "charge",
            "amount": self.amount,
            "amount_refunded": self.refunded,
            "currency": self.currency,
            "refunds": { "object": "list", "data": refunds, "has_more": false },
        })
    }
}

impl Refund {
    pub fn object(&self) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "created": self.created,
            "currency": self.currency,
            "metadata": { "refund": self.of, "payment": self.payment },
            "payment_intent": self.intent,
            "status": "succeeded",
        })
    }
}

/// What happened, as a webhook tells it.
pub fn event(id: &str, kind: &str, at_s: i64, object: &Value) -> Value {
    json!({
        "id": id,
        "object": "event",
        "created": at_s,
        "livemode": false,
        "type": kind,
        "data": { "object": object },
    })
}

/// Why something was not done.
pub fn error(kind: &str, code: Option<&str>, param: Option<&str>, intent: Option<&Value>) -> Value {
    json!({ "error": {
        "type": kind,
        "code": code,
        "param": param,
        "message": "The simulated provider says no.",
        "payment_intent": intent,
    } })
}

/// A page of a list.
pub fn list(data: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more })
}
