//! What was sold, read back from the paid orders, against what the book sells.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rush::client::{Client, Token};
use crate::rush::patience::Patience;
use crate::rush::requests::{self, Bought};
use crate::rush::verify::Asking;

/// The most products that a report lists.
const MOST_LISTED: usize = 1_000;

/// Units by item, read back.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Sold {
    pub units: HashMap<String, i64>,
    /// Orders that could not be read back, or were not PAID any more.
    pub unread: u64,
}

/// A product of which not as much was sold as the book sells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub code: String,
    pub book: i64,
    pub sold: i64,
}

/// The book against what was sold.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Compared {
    pub products: u64,
    /// Units, over all products.
    pub book: i64,
    pub sold: i64,
    /// At most [`MOST_LISTED`], by code.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub different: u64,
    pub unread: u64,
}

impl Sold {
    fn note(&mut self, bought: Option<Bought>) {
        match bought {
            Some(Bought { state, lines }) if state == "PAID" => {
                for line in lines {
                    *self.units.entry(line.item_id).or_default() += i64::from(line.quantity);
                }
            }
            _ => self.unread += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.unread += other.unread;
        for (item, units) in other.units {
            *self.units.entry(item).or_default() += units;
        }
    }

    /// Compares. Items of no product of the book count as sold under their ids.
    pub fn compare(
        mut self,
        book: &BTreeMap<String, i64>,
        items: &HashMap<String, String>,
    ) -> Compared {
        let mut compared = Compared {
            unread: self.unread,
            ..Default::default()
        };
        for (code, units) in book {
            let sold = items
                .get(code)
                .and_then(|item| self.units.remove(item))
                .unwrap_or(0);
            compared.note(code, *units, sold);
        }
        let strays: BTreeMap<String, i64> = self.units.into_iter().collect();
        for (item, sold) in strays {
            compared.note(&item, 0, sold);
        }
        compared
    }
}

impl Compared {
    fn note(&mut self, code: &str, book: i64, sold: i64) {
        self.products += 1;
        self.book += book;
        self.sold += sold;
        if book != sold {
            self.different += 1;
            if self.differences.len() < MOST_LISTED {
                self.differences.push(Difference {
                    code: code.to_owned(),
                    book,
                    sold,
                });
            }
        }
    }

    /// Whether every product was sold as often as the book sells it.
    pub fn is_equal(&self) -> bool {
        self.different == 0 && self.unread == 0
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let Self {
            products,
            book,
            sold,
            ..
        } = self;
        let mut lines = vec![format!(
            "units of {products} products: {book} by the book, {sold} sold"
        )];
        if self.is_equal() {
            lines.push(
                "every product was sold as often as the book sells it, to the unit".to_owned(),
            );
        } else {
            lines.push(format!(
                "{} products were not sold as the book sells them:",
                self.different
            ));
            lines.push(format!("{:>12}  {:>9}  {:>9}", "product", "book", "sold"));
        }
        lines.extend(
            self.differences
                .iter()
                .map(|Difference { code, book, sold }| format!("{code:>12}  {book:>9}  {sold:>9}")),
        );
        if self.unread > 0 {
            lines.push(format!(
                "{} paid orders could not be read back",
                self.unread
            ));
        }
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let differences = self.differences.iter().map(
            |Difference { code, book, sold }| json!({ "code": code, "book": book, "sold": sold }),
        );
        json!({
            "equal": self.is_equal(),
            "products": self.products,
            "bookUnits": self.book,
            "soldUnits": self.sold,
            "different": self.different,
            "differences": differences.collect::<Vec<_>>(),
            "unreadOrders": self.unread,
        })
    }
}

/// A paid order, and whose it is.
#[derive(Clone)]
pub struct PaidOrder {
    pub token: Token,
    /// Its id.
    pub order: String,
}

/// Reads the orders back, each as its buyer.
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
        let Some(PaidOrder { token, order }) = orders.get(at) else {
            return sold;
        };
        let mut patience = Patience::until(deadline, at as u64);
        sold.note(loop {
            match requests::bought(&mut client, token, order).await {
                Ok(bought) => break bought,
                Err(no_answer) if !no_answer.is_retryable() => break None,
                Err(_) => {
                    if !patience.wait(None).await {
                        break None;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rush::requests::Line;

    fn bought(state: &str, lines: &[(&str, u32)]) -> Bought {
        let line = |(item, quantity): &(&str, u32)| Line {
            item_id: (*item).to_owned(),
            quantity: *quantity,
        };
        Bought {
            state: state.to_owned(),
            lines: lines.iter().map(line).collect(),
        }
    }

    fn book(units: &[(&str, i64)]) -> BTreeMap<String, i64> {
        units
            .iter()
            .map(|(code, units)| ((*code).to_owned(), *units))
            .collect()
    }

    fn items() -> HashMap<String, String> {
        [("10001", "item_1"), ("10002", "item_2")]
            .map(|(code, item)| (code.to_owned(), item.to_owned()))
            .into()
    }

    #[test]
    fn only_equal_units_of_every_product_are_equal() {
        let mut sold = Sold::default();
        sold.note(Some(bought(
            "PAID",
            &[("item_1", 2), ("item_2", 5), ("item_1", 1)],
        )));
        let compare = |units: &[(&str, i64)]| sold.clone().compare(&book(units), &items());
        assert!(compare(&[("10001", 3), ("10002", 5)]).is_equal());
        let less = compare(&[("10001", 3), ("10002", 6)]);
        assert_eq!((less.is_equal(), less.book, less.sold), (false, 9, 8));
        let difference = Difference {
            code: "10002".to_owned(),
            book: 6,
            sold: 5,
        };
        assert_eq!(less.differences, [difference]);
        let stray = compare(&[("10001", 3)]);
        assert_eq!(
            (stray.is_equal(), stray.differences[0].code.as_str()),
            (false, "item_2")
        );
        let unsold = compare(&[("10001", 3), ("10002", 5), ("10003", 1)]);
        assert_eq!((unsold.different, unsold.products), (1, 3));
    }

    #[test]
    fn an_order_that_is_not_paid_sells_nothing() {
        let mut sold = Sold::default();
        sold.note(Some(bought("EXPIRED", &[("item_1", 3)])));
        sold.note(None);
        assert_eq!((sold.unread, sold.units.len()), (2, 0));
        assert!(!sold.compare(&book(&[]), &items()).is_equal());
    }
}
