//! What is sold and was not taken back, read back from the paid orders, against the book.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::customers::{ByTheBook, Customers};
use super::read_back::Sold;

/// The most products that a report lists.
const MOST_LISTED: usize = 1_000;

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
    pub customers: Customers,
}

impl Compared {
    /// Compares. Items of no product of the book count as sold under their ids.
    pub fn new(
        mut sold: Sold,
        book: &ByTheBook,
        items: &HashMap<String, String>,
        names: &[String],
    ) -> Self {
        let mut compared = Self {
            unread: sold.unread,
            customers: Customers::compare(book, &sold, items, names),
            ..Default::default()
        };
        let mut products: BTreeMap<&str, i64> = BTreeMap::new();
        for ((_, code), units) in book {
            *products.entry(code).or_default() += units;
        }
        for (code, units) in products {
            let sold = items
                .get(code)
                .and_then(|item| sold.units.remove(item))
                .unwrap_or(0);
            compared.note(code, units, sold);
        }
        let strays: BTreeMap<String, i64> = sold.units.into_iter().collect();
        for (item, sold) in strays {
            compared.note(&item, 0, sold);
        }
        compared
    }

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

    /// Whether every product is sold as often as the book sells it without what it takes back, and
    /// every customer has and has paid what the book says.
    pub fn is_equal(&self) -> bool {
        self.different == 0 && self.unread == 0 && self.customers.is_equal()
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
        if self.different == 0 {
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
        lines.extend(self.customers.lines());
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
            "customers": self.customers.to_json(),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Currency, Money};

    use super::*;
    use crate::rush::requests::{Bought, BoughtLine};

    /// An order of kept units, a penny each.
    fn bought(state: &str, lines: &[(&str, i64)]) -> Bought {
        let penny = |minor| Money {
            minor,
            currency: Currency::from_code("GBP").unwrap(),
        };
        let line = |(item, kept): &(&str, i64)| BoughtLine {
            item_id: (*item).to_owned(),
            kept: *kept,
            price: penny(1),
        };
        Bought {
            state: state.to_owned(),
            lines: lines.iter().map(line).collect(),
            captured: vec![penny(lines.iter().map(|(_, kept)| kept).sum())],
            refunded: Vec::new(),
            is_settled: true,
        }
    }

    fn compare(sold: &Sold, book: &[(&str, i64)]) -> Compared {
        let book = book
            .iter()
            .map(|(code, units)| ((0, (*code).to_owned()), *units));
        let items = [("10001", "item_1"), ("10002", "item_2")]
            .map(|(code, item)| (code.to_owned(), item.to_owned()));
        Compared::new(sold.clone(), &book.collect(), &items.into(), &[])
    }

    #[test]
    fn only_equal_units_of_every_product_are_equal() {
        let mut sold = Sold::default();
        let order = bought("PAID", &[("item_1", 2), ("item_2", 5), ("item_1", 1)]);
        sold.note(0, Some(order));
        assert!(compare(&sold, &[("10001", 3), ("10002", 5)]).is_equal());
        let less = compare(&sold, &[("10001", 3), ("10002", 6)]);
        assert_eq!((less.is_equal(), less.book, less.sold), (false, 9, 8));
        let difference = Difference {
            code: "10002".to_owned(),
            book: 6,
            sold: 5,
        };
        assert_eq!(less.differences, [difference]);
        let stray = compare(&sold, &[("10001", 3)]);
        assert_eq!(
            (stray.is_equal(), stray.differences[0].code.as_str()),
            (false, "item_2")
        );
        let unsold = compare(&sold, &[("10001", 3), ("10002", 5), ("10003", 1)]);
        assert_eq!((unsold.different, unsold.products), (1, 3));
    }

    #[test]
    fn an_order_that_is_not_paid_sells_nothing() {
        let mut sold = Sold::default();
        sold.note(0, Some(bought("EXPIRED", &[("item_1", 3)])));
        sold.note(0, None);
        assert_eq!((sold.unread, sold.units.len()), (2, 0));
        assert!(!compare(&sold, &[]).is_equal());
    }
}
