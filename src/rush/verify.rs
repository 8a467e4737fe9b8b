//! Whether every order that was answered is there afterwards: asked as its buyer, until it is
//! PENDING_PAYMENT or beyond, or REJECTED with its reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::{Client, Token};
use super::endpoint::Nodes;
use super::patience::{Look, Patience};
use super::requests::{self, MOST_PER_REQUEST, Order};

/// The most ids that a report lists.
const MOST_LISTED: usize = 100;

/// Orders of one buyer.
#[derive(Clone)]
pub struct Answered {
    pub token: Token,
    /// Their ids.
    pub orders: Vec<String>,
}

/// The orders by their buyers, who are named by their places among the tokens.
pub fn by_buyer(
    tokens: &[Token],
    orders: impl IntoIterator<Item = (usize, String)>,
) -> Vec<Answered> {
    let mut of_buyers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (buyer, order) in orders {
        of_buyers.entry(buyer).or_default().push(order);
    }
    let answered = of_buyers.into_iter().filter_map(|(buyer, orders)| {
        let token = tokens.get(buyer)?.clone();
        Some(Answered { token, orders })
    });
    answered.collect()
}

/// What became of the orders that were answered.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Verified {
    pub orders: u64,
    /// By state; a rejected one with its reason.
    pub states: BTreeMap<String, u64>,
    /// Not there, or never more than ACCEPTED.
    pub missing: u64,
    /// Some of them.
    pub missing_ids: Vec<String>,
    /// Nobody answered what became of them.
    pub unknown: u64,
}

impl Verified {
    /// Whether all are there.
    pub fn is_clean(&self) -> bool {
        self.missing == 0 && self.unknown == 0
    }

    fn note(&mut self, id: &str, order: Option<&Order>) {
        self.orders += 1;
        let is_there = order.is_some_and(|order| order.state != "ACCEPTED");
        if !is_there {
            self.missing += 1;
            if self.missing_ids.len() < MOST_LISTED {
                self.missing_ids.push(id.to_owned());
            }
        }
        let state = match order {
            None => "not there".to_owned(),
            Some(Order {
                state,
                rejection: Some(reason),
                ..
            }) => format!("{state} ({reason})"),
            Some(Order { state, .. }) => state.clone(),
        };
        *self.states.entry(state).or_default() += 1;
    }

    fn give_up(&mut self, orders: usize) {
        self.orders += orders as u64;
        self.unknown += orders as u64;
    }

    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.missing += other.missing;
        self.unknown += other.unknown;
        let room = MOST_LISTED.saturating_sub(self.missing_ids.len());
        self.missing_ids
            .extend(other.missing_ids.into_iter().take(room));
        for (state, count) in other.states {
            *self.states.entry(state).or_default() += count;
        }
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} answered orders, as they are now:", self.orders)];
        lines.extend(
            self.states
                .iter()
                .map(|(state, count)| format!("{count:>9}  {state}")),
        );
        if self.unknown > 0 {
            lines.push(format!("{:>9}  unknown: nobody answered", self.unknown));
        }
        lines.extend(self.missing_ids.iter().map(|id| format!("missing: {id}")));
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "orders": self.orders,
            "states": self.states,
            "missing": self.missing,
            "missingIds": self.missing_ids,
            "unknown": self.unknown,
        })
    }
}

/// How to ask.
#[derive(Clone)]
pub struct Asking {
    pub nodes: Nodes,
    /// Connections at once.
    pub concurrency: usize,
    /// For one answer.
    pub timeout: Duration,
    /// For all of it: for a server to come back, and for orders to be written.
    pub patience: Duration,
}

/// Asks after all of them.
pub async fn verify(asking: &Asking, answered: Vec<Answered>, progress: ProgressBar) -> Verified {
    let deadline = Instant::now() + asking.patience;
    progress.set_length(
        answered
            .iter()
            .map(|answered| answered.orders.len() as u64)
            .sum(),
    );
    let answered = Arc::new(answered);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for number in 0..asking.concurrency.min(answered.len()) {
        let client = Client::new(Arc::clone(asking.nodes.of(number)), asking.timeout);
        let worker = Worker {
            client,
            deadline,
            progress: progress.clone(),
        };
        workers.spawn(worker.work(Arc::clone(&answered), Arc::clone(&next)));
    }
    let mut verified = Verified::default();
    for part in workers.join_all().await {
        verified.add(part);
    }
    progress.finish_and_clear();
    verified
}

/// One connection, on which one buyer after the other is asked for.
struct Worker {
    client: Client,
    deadline: Instant,
    progress: ProgressBar,
}

impl Worker {
    async fn work(mut self, answered: Arc<Vec<Answered>>, next: Arc<AtomicUsize>) -> Verified {
        let mut verified = Verified::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(Answered { token, orders }) = answered.get(at) else {
                return verified;
            };
            for ids in orders.chunks(MOST_PER_REQUEST) {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                match settled(&mut self.client, token, &ids, self.deadline, at as u64).await {
                    Some(orders) => {
                        let by_id = ids.iter().zip(orders.iter().map(Option::as_ref));
                        by_id.for_each(|(id, order)| verified.note(id, order));
                    }
                    None => verified.give_up(ids.len()),
                }
                self.progress.inc(ids.len() as u64);
            }
        }
    }
}

/// The orders once all of them are written, or as they are when time is up; nothing if nobody
/// answers.
async fn settled(
    client: &mut Client,
    token: &Token,
    ids: &[&str],
    deadline: Instant,
    seed: u64,
) -> Option<Vec<Option<Order>>> {
    let mut patience = Patience::until(deadline, seed);
    let (mut look, mut last) = (Look::new(), None);
    loop {
        match requests::orders(client, token, ids).await {
            Ok(orders) if orders.len() == ids.len() => {
                let is_on_its_way = |order: &Order| order.state == "ACCEPTED";
                let on_their_way = orders.iter().flatten().any(is_on_its_way);
                if !on_their_way || !look.again(deadline).await {
                    return Some(orders);
                }
                last = Some(orders);
            }
            Err(no_answer) if !no_answer.is_retryable() => return last,
            Ok(_) | Err(_) => {
                if !patience.wait(None).await {
                    return last;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(state: &str, rejection: Option<&str>) -> Order {
        Order {
            id: "order_1".to_owned(),
            state: state.to_owned(),
            rejection: rejection.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn only_what_is_written_is_there() {
        let mut verified = Verified::default();
        for order in [
            Some(order("PENDING_PAYMENT", None)),
            Some(order("PAID", None)),
            Some(order("EXPIRED", None)),
            Some(order("REJECTED", Some("OUT_OF_STOCK"))),
        ] {
            verified.note("order_1", order.as_ref());
        }
        assert!(verified.is_clean());
        assert_eq!(verified.states["REJECTED (OUT_OF_STOCK)"], 1);
        verified.note("order_2", Some(&order("ACCEPTED", None)));
        verified.note("order_3", None);
        assert_eq!((verified.missing, verified.is_clean()), (2, false));
        assert_eq!(verified.missing_ids, ["order_2", "order_3"]);
    }

    #[test]
    fn what_nobody_can_say_is_not_clean() {
        let mut verified = Verified::default();
        verified.give_up(3);
        let mut sum = Verified::default();
        sum.add(verified);
        assert_eq!((sum.orders, sum.unknown, sum.is_clean()), (3, 3, false));
        assert!(sum.lines().concat().contains("nobody answered"));
    }
}
