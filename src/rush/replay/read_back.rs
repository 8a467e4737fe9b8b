//! Orders read back, each as its buyer, once nothing of them is on its way back any more.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Money;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rush::client::{Client, Token};
use crate::rush::patience::{Look, Patience};
use crate::rush::requests::{self, Bought};
use crate::rush::verify::Asking;

/// A paid order, and whose it is.
#[derive(Clone)]
pub struct PaidOrder {
    pub token: Token,
    /// The place of its buyer among all.
    pub buyer: usize,
    /// Its id.
    pub order: String,
}

/// What is sold and was not taken back.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Sold {
    /// Units by item.
    pub units: HashMap<String, i64>,
    /// By item, what a unit costs on the orders.
    pub prices: HashMap<String, Money>,
    pub of_buyers: BTreeMap<usize, OfBuyer>,
    /// Orders that could not be read back, or are neither PAID nor CANCELLED.
    pub unread: u64,
}

/// What one buyer has, and has paid for it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct OfBuyer {
    pub units: i64,
    pub money: Purse,
}

/// Amounts in minor units by the code of their currency.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Purse(pub BTreeMap<&'static str, i64>);

impl Purse {
    /// Adds so many times the amount; a negative number takes it away.
    pub fn add(&mut self, amount: Money, times: i64) {
        let sum = self.0.entry(amount.currency.code()).or_default();
        *sum = sum.saturating_add(amount.minor.saturating_mul(times));
    }

    pub fn add_all(&mut self, other: &Self) {
        for (currency, minor) in &other.0 {
            let sum = self.0.entry(currency).or_default();
            *sum = sum.saturating_add(*minor);
        }
    }
}

impl Sold {
    pub fn note(&mut self, buyer: usize, bought: Option<Bought>) {
        let is_sold = |bought: &Bought| matches!(bought.state.as_str(), "PAID" | "CANCELLED");
        let Some(bought) = bought.filter(is_sold) else {
            self.unread += 1;
            return;
        };
        let of_buyer = self.of_buyers.entry(buyer).or_default();
        for line in bought.lines {
            of_buyer.units += line.kept;
            self.prices.insert(line.item_id.clone(), line.price);
            *self.units.entry(line.item_id).or_default() += line.kept;
        }
        for captured in bought.captured {
            of_buyer.money.add(captured, 1);
        }
        for refunded in bought.refunded {
            of_buyer.money.add(refunded, -1);
        }
    }

    fn add(&mut self, other: Self) {
        self.unread += other.unread;
        self.prices.extend(other.prices);
        for (item, units) in other.units {
            *self.units.entry(item).or_default() += units;
        }
        for (buyer, other) in other.of_buyers {
            let of_buyer = self.of_buyers.entry(buyer).or_default();
            of_buyer.units += other.units;
            of_buyer.money.add_all(&other.money);
        }
    }
}

/// Reads the orders back, each as its buyer. One of which something is still on its way back when
/// time is up counts as it is then.
pub async fn read_back(asking: &Asking, orders: Vec<PaidOrder>) -> Sold {
    let deadline = Instant::now() + asking.patience;
    let orders = Arc::new(orders);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for number in 0..asking.concurrency.min(orders.len()) {
        let client = Client::new(Arc::clone(asking.nodes.of(number)), asking.timeout);
        workers.spawn(work(
            client,
            Arc::clone(&orders),
            Arc::clone(&next),
            deadline,
        ));
    }
    let mut sold = Sold::default();
    for part in workers.join_all().await {
        sold.add(part);
    }
    sold
}

async fn work(
    mut client: Client,
    orders: Arc<Vec<PaidOrder>>,
    next: Arc<AtomicUsize>,
    deadline: Instant,
) -> Sold {
    let mut sold = Sold::default();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(paid) = orders.get(at) else {
            return sold;
        };
        let bought = settled(&mut client, paid, deadline, at as u64).await;
        sold.note(paid.buyer, bought);
    }
}

/// The order once it is settled, or as it is when time is up; nothing if nobody answers.
async fn settled(
    client: &mut Client,
    PaidOrder { token, order, .. }: &PaidOrder,
    deadline: Instant,
    seed: u64,
) -> Option<Bought> {
    let mut patience = Patience::until(deadline, seed);
    let (mut look, mut last) = (Look::new(), None);
    loop {
        match requests::bought(client, token, order).await {
            Ok(Some(bought)) if !bought.is_settled => {
                last = Some(bought);
                if !look.again(deadline).await {
                    return last;
                }
            }
            Ok(bought) => return bought,
            Err(no_answer) if !no_answer.is_retryable() => return last,
            Err(_) => {
                if !patience.wait(None).await {
                    return last;
                }
            }
        }
    }
}
