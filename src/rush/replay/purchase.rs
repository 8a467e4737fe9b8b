//! One basket: placed, paid and waited for, under keys that are the same in every run of a name.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::baskets::Basket;
use crate::rush::client::{Client, NoAnswer, Token};
use crate::rush::patience::Patience;
use crate::rush::payment::{self, Bill, Payment};
use crate::rush::requests::{self, Asked, Line, Order, UserError};
use crate::rush::tally::Latency;

/// The most orders that one basket may come to, over all runs of a name: all but the last were lost
/// (they expired while nobody was there to pay, say).
const MOST_ORDERS: u32 = 1_000;
/// The most of them in one run.
const MOST_NEW_ORDERS: u32 = 3;

/// Where the baskets are taken to.
pub struct Counter {
    pub run: Uuid,
    /// Items by code.
    pub items: HashMap<String, String>,
    pub payment_method: String,
    pub patience: Duration,
}

/// What became of a basket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purchase {
    /// Orders that were answered, whatever became of them.
    pub orders: Vec<String>,
    /// Codes that are not in the catalogue, one for each line.
    pub unknown_codes: Vec<String>,
    pub purchased: Purchased,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purchased {
    Paid {
        order: String,
        /// By an earlier run of the same name.
        before: bool,
    },
    Not {
        /// A code, or a state.
        reason: String,
        detail: String,
    },
}

impl Counter {
    /// Buys a basket, as often as it takes to know what became of it.
    pub async fn buy(
        &self,
        client: &mut Client,
        token: &Token,
        basket: &Basket,
        latency: &mut Latency,
    ) -> Purchase {
        let (wanted, unknown) = self.look_up(basket);
        let mut purchase = Purchase {
            orders: Vec::new(),
            unknown_codes: unknown.iter().map(|(code, _)| code.clone()).collect(),
            purchased: not(
                "NOT_IN_CATALOGUE",
                "none of its codes is in the catalogue".to_owned(),
            ),
        };
        if wanted.is_empty() {
            return purchase;
        }
        let mut errand = Errand {
            counter: self,
            client,
            token,
            basket,
            wanted,
            attempt: 0,
            latency,
        };
        let mut new_orders = 0;
        for attempt in 0..MOST_ORDERS {
            errand.attempt = attempt;
            let (order, replayed) = match errand.place().await {
                Ok(placed) => placed,
                Err(purchased) => {
                    purchase.purchased = purchased;
                    break;
                }
            };
            purchase.orders.push(order.id.clone());
            if replayed && is_lost(&order.state) {
                purchase.purchased = not(&order.state, "lost in an earlier run".to_owned());
                continue;
            }
            purchase.purchased = errand.see_through(order, replayed).await;
            new_orders += 1;
            if !has_expired(&purchase.purchased) || new_orders == MOST_NEW_ORDERS {
                break;
            }
        }
        purchase
    }

    /// Places of the lines of a basket that are not in the catalogue, and so not on its order.
    pub fn left_out(&self, basket: &Basket) -> Vec<usize> {
        let lines = basket.lines.iter().enumerate();
        let unknown = lines.filter(|(_, (code, _))| !self.items.contains_key(code));
        unknown.map(|(at, _)| at).collect()
    }

    /// What of a basket is in the catalogue, and what is not.
    fn look_up<'a>(&'a self, basket: &'a Basket) -> (Vec<Wanted<'a>>, Vec<&'a (String, u32)>) {
        let mut wanted = Vec::with_capacity(basket.lines.len());
        let mut unknown = Vec::new();
        for line in &basket.lines {
            match self.items.get(&line.0) {
                Some(item_id) => {
                    let (code, quantity) = (line.0.as_str(), line.1);
                    wanted.push(Wanted {
                        code,
                        item_id,
                        quantity,
                    });
                }
                None => unknown.push(line),
            }
        }
        (wanted, unknown)
    }
}

/// A line of a basket, looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wanted<'a> {
    code: &'a str,
    item_id: &'a str,
    quantity: u32,
}

/// One basket's way through the shop.
struct Errand<'a> {
    counter: &'a Counter,
    client: &'a mut Client,
    token: &'a Token,
    basket: &'a Basket,
    wanted: Vec<Wanted<'a>>,
    attempt: u32,
    latency: &'a mut Latency,
}

impl Errand<'_> {
    /// The order, and whether it was there before; or why there is none.
    async fn place(&mut self) -> Result<(Order, bool), Purchased> {
        let lines: Vec<Line> = self.wanted.iter().map(Wanted::line).collect();
        let key = self.key("order");
        let mut patience = Patience::until(self.deadline(), self.basket.number);
        loop {
            let begun = Instant::now();
            let asked = requests::place_order(self.client, self.token, key, &lines).await;
            if asked.is_ok() {
                self.latency.note(begun.elapsed());
            }
            let (purchased, asked_for) = match asked {
                Ok(Asked::Done { order, replayed }) => return Ok((order, replayed)),
                Ok(Asked::Refused(errors)) if errors.iter().all(UserError::is_retryable) => {
                    let asked_for = errors.iter().filter_map(|error| error.retry_after_ms).max();
                    (refused(&errors, &self.wanted), asked_for)
                }
                Ok(Asked::Refused(errors)) => return Err(refused(&errors, &self.wanted)),
                Err(no_answer) if no_answer.is_retryable() => (unanswered(&no_answer), None),
                Err(no_answer) => return Err(unanswered(&no_answer)),
            };
            if !patience.wait(asked_for.map(Duration::from_millis)).await {
                return Err(purchased);
            }
        }
    }

    async fn see_through(&mut self, order: Order, replayed: bool) -> Purchased {
        // Only what was paid is taken back: one that is CANCELLED was bought by an earlier run.
        if order.state == "PAID" || order.state == "CANCELLED" {
            return Purchased::Paid {
                order: order.id,
                before: replayed,
            };
        }
        let bill = Bill {
            order: &order.id,
            key: self.key("payment"),
            method: &self.counter.payment_method,
            deadline: self.deadline(),
            seed: self.basket.number,
        };
        match payment::pay(self.client, self.token, &bill).await {
            Payment::Captured => Purchased::Paid {
                order: order.id,
                before: false,
            },
            Payment::Not { state, rejection } => not(
                &state,
                rejection.unwrap_or_else(|| "it was not paid".to_owned()),
            ),
            Payment::Refused(errors) => refused(&errors, &self.wanted),
            Payment::Undecided { state } => {
                let seen = state.unwrap_or_else(|| "nobody answered".to_owned());
                not("UNDECIDED", format!("after all patience: {seen}"))
            }
            Payment::NoAnswer(no_answer) => unanswered(&no_answer),
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.counter.patience
    }

    fn key(&self, what: &str) -> Uuid {
        let Basket { invoice, part, .. } = self.basket;
        // The invoice comes last: whatever is in it can't be taken for what is before it.
        let name = format!("{what} {} {part} {invoice}", self.attempt);
        Uuid::new_v5(&self.counter.run, name.as_bytes())
    }
}

impl Wanted<'_> {
    fn line(&self) -> Line {
        Line {
            item_id: self.item_id.to_owned(),
            quantity: self.quantity,
        }
    }
}

/// Whether nothing will ever come of an order in this state.
fn is_lost(state: &str) -> bool {
    matches!(state, "EXPIRED" | "PAYMENT_FAILED" | "REJECTED")
}

/// Whether the units went back on sale since the payment came too late.
fn has_expired(purchased: &Purchased) -> bool {
    match purchased {
        Purchased::Paid { .. } => false,
        Purchased::Not { reason, .. } => reason == "EXPIRED" || reason == "PAYMENT_WINDOW_CLOSED",
    }
}

fn not(reason: &str, detail: String) -> Purchased {
    Purchased::Not {
        reason: reason.to_owned(),
        detail,
    }
}

fn unanswered(no_answer: &NoAnswer) -> Purchased {
    not("NO_ANSWER", no_answer.to_string())
}

/// The first refusal, with the code of the line that it is about.
fn refused(errors: &[UserError], wanted: &[Wanted<'_>]) -> Purchased {
    let Some(error) = errors.first() else {
        return not("UNKNOWN", "refused without a reason".to_owned());
    };
    let at: Option<usize> = match error.field.as_deref() {
        Some([lines, at, ..]) if lines == "lines" => at.parse().ok(),
        _ => None,
    };
    let line = at.and_then(|at| wanted.get(at));
    let of_code = line.map_or_else(String::new, |line| {
        format!("{} of {}: ", line.quantity, line.code)
    });
    let more = match errors.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    not(&error.code, format!("{of_code}{}{more}", error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket() -> Basket {
        Basket {
            invoice: "900001".to_owned(),
            part: 0,
            number: 0,
            line: 2,
            customer: None,
            lines: vec![("10001".to_owned(), 2), ("10002".to_owned(), 5)],
        }
    }

    #[test]
    fn a_refusal_names_the_product_it_is_about() {
        let counter = Counter {
            run: Uuid::nil(),
            items: HashMap::from([("10002".to_owned(), "item_2".to_owned())]),
            payment_method: "tok".to_owned(),
            patience: Duration::from_secs(1),
        };
        let basket = basket();
        let (wanted, unknown) = counter.look_up(&basket);
        assert_eq!(unknown, [&("10001".to_owned(), 2)]);
        assert_eq!(counter.left_out(&basket), [0]);
        let error = UserError {
            typename: "OutOfStock".to_owned(),
            code: "OUT_OF_STOCK".to_owned(),
            message: "3 are left.".to_owned(),
            field: Some(["lines", "0", "quantity"].map(ToOwned::to_owned).to_vec()),
            retry_after_ms: None,
        };
        let expected = not(
            "OUT_OF_STOCK",
            "5 of 10002: 3 are left. (and 1 more)".to_owned(),
        );
        assert_eq!(refused(&[error.clone(), error], &wanted), expected);
        assert_eq!(
            refused(&[], &wanted),
            not("UNKNOWN", "refused without a reason".to_owned())
        );
    }
}
