//! What the little shop does with orders.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Habit, Order, State};

impl State {
    pub(super) fn place(&mut self, token: &str, input: &Value) -> Value {
        let id = format!(
            "order_{}_{}",
            token.replace("Bearer ", ""),
            input["idempotencyKey"]
        );
        if let Some(order) = self.orders.get(&id) {
            return done(&id, order.state, true);
        }
        if self
            .manners
            .try_again
            .is_some_and(|every| self.requests.is_multiple_of(every))
        {
            return refused("TryAgain", &json!(null), Some(1));
        }
        let mut units: HashMap<&str, i64> = HashMap::new();
        for line in input["lines"].as_array().unwrap() {
            let item = line["itemId"].as_str().unwrap();
            *units.entry(item).or_default() += line["quantity"].as_i64().unwrap();
        }
        for (at, line) in input["lines"].as_array().unwrap().iter().enumerate() {
            let item = self
                .items
                .iter()
                .find(|item| item.id == line["itemId"])
                .unwrap();
            if item.available < units[item.id.as_str()] {
                return refused(
                    "OutOfStock",
                    &json!(["lines", at.to_string(), "quantity"]),
                    None,
                );
            }
        }
        for item in &mut self.items {
            item.available -= units.get(item.id.as_str()).copied().unwrap_or(0);
        }
        self.version += 1;
        let order = Order {
            buyer: token.to_owned(),
            lines: input["lines"].clone(),
            state: "ACCEPTED",
        };
        let is_forgotten = |every: u64| (self.orders.len() as u64 + 1).is_multiple_of(every);
        let is_forgotten = self.manners.forgets.is_some_and(is_forgotten);
        let buyer = if is_forgotten {
            "nobody".to_owned()
        } else {
            order.buyer.clone()
        };
        self.orders.insert(id.clone(), Order { buyer, ..order });
        done(&id, "ACCEPTED", false)
    }

    /// The order of this id as it goes on: every look brings it a step further.
    fn step(&mut self, token: &str, id: &str) -> Option<Order> {
        let impatient = self.manners.habit == Habit::Impatient;
        let order = self
            .orders
            .get_mut(id)
            .filter(|order| order.buyer == token)?;
        let seen = order.clone();
        order.state = match order.state {
            "ACCEPTED" if impatient => "EXPIRED",
            "ACCEPTED" => "PENDING_PAYMENT",
            "PAYING" => "PAID",
            other => other,
        };
        if order.state == "EXPIRED" && seen.state != "EXPIRED" {
            for line in seen.lines.as_array().unwrap() {
                let item = self
                    .items
                    .iter_mut()
                    .find(|item| item.id == line["itemId"])
                    .unwrap();
                item.available += line["quantity"].as_i64().unwrap();
            }
        }
        Some(seen)
    }

    pub(super) fn order(&mut self, token: &str, id: &str) -> Option<Value> {
        let order = self.step(token, id)?;
        Some(json!({ "id": id, "state": order.state, "rejection": null }))
    }

    pub(super) fn lines(&mut self, token: &str, id: &str) -> Option<Value> {
        let less = i64::from(self.manners.habit == Habit::Shortchanging);
        let order = self.step(token, id)?;
        let lines = order.lines.as_array().unwrap().iter().map(|line| {
            let quantity = line["quantity"].as_i64().unwrap() - less;
            json!({
                "quantity": quantity,
                "cancelledQuantity": line["cancelled"].as_i64().unwrap_or(0),
                "returnedQuantity": line["returned"].as_i64().unwrap_or(0),
                "unitPrice": pounds(1),
                "item": { "id": line["itemId"] },
            })
        });
        let ordered: i64 = sum(&order.lines, "quantity");
        let back = sum(&order.lines, "cancelled") + sum(&order.lines, "returned");
        let back = back - i64::from(self.manners.habit == Habit::Stingy && back > 0);
        let now = "2026-03-01T06:00:00.000Z";
        Some(json!({
            "state": order.state,
            "lines": lines.collect::<Vec<_>>(),
            "payment": { "attempts": [{ "state": "CAPTURED", "amount": pounds(ordered) }] },
            "refunds": [{ "amount": pounds(back), "completedAt": now }],
            "returns": [],
        }))
    }

    /// Takes units back by the one way that the shop knows now, and under each key once.
    pub(super) fn take_back(&mut self, token: &str, input: &Value, what: &'static str) -> Value {
        let id = input["orderId"].as_str().unwrap();
        let name = format!("{what} {}", input["idempotencyKey"]);
        let way = if self.manners.habit == Habit::Quick {
            "returned"
        } else {
            "cancelled"
        };
        let order = self.orders.get_mut(id).filter(|o| o.buyer == token);
        let Some(order) = order else {
            return refused("NotFound", &json!(["orderId"]), None);
        };
        if self.taken_back.contains(&name) {
            return done(id, order.state, true);
        }
        if what != way || order.state != "PAID" {
            return refused("StateConflict", &json!(null), None);
        }
        for portion in input["lines"].as_array().unwrap() {
            let at = usize::try_from(portion["line"].as_u64().unwrap() - 1).unwrap();
            let line = &mut order.lines[at];
            let units = portion["quantity"].as_i64().unwrap() + line[what].as_i64().unwrap_or(0);
            assert!(units <= line["quantity"].as_i64().unwrap(), "{line}");
            line[what] = json!(units);
        }
        if sum(&order.lines, "cancelled") == sum(&order.lines, "quantity") {
            order.state = "CANCELLED";
        }
        self.taken_back.insert(name);
        done(id, order.state, false)
    }

    pub(super) fn pay(&mut self, token: &str, input: &Value) -> Value {
        let id = input["orderId"].as_str().unwrap();
        let state = self.step(token, id).map(|order| order.state);
        match state {
            None => refused("NotFound", &json!(["orderId"]), None),
            Some("ACCEPTED") => refused("TryAgain", &json!(null), Some(1)),
            Some("PENDING_PAYMENT") => {
                self.orders.get_mut(id).unwrap().state = "PAYING";
                done(id, "PAYING", false)
            }
            Some(_) => refused("StateConflict", &json!(null), None),
        }
    }
}

/// Of all lines.
fn sum(lines: &Value, field: &str) -> i64 {
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| line[field].as_i64().unwrap_or(0)).sum()
}

fn pounds(amount: i64) -> Value {
    json!({ "amount": format!("{amount}.00"), "currencyCode": "GBP" })
}

fn done(id: &str, state: &str, replayed: bool) -> Value {
    json!({ "order": { "id": id, "state": state }, "replayed": replayed, "userErrors": [] })
}

fn refused(typename: &str, field: &Value, retry_after_ms: Option<u64>) -> Value {
    let code = match typename {
        "OutOfStock" => "OUT_OF_STOCK",
        "TryAgain" => "TRY_AGAIN",
        "StateConflict" => "STATE_CONFLICT",
        _ => "NOT_FOUND",
    };
    let mut error =
        json!({ "__typename": typename, "code": code, "message": "No.", "field": field });
    if let Some(ms) = retry_after_ms {
        error["retryAfterMs"] = json!(ms);
    }
    json!({ "order": null, "replayed": false, "userErrors": [error] })
}
