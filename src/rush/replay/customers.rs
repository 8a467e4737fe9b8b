//! What every customer has and has paid, against the book.

use std::collections::{BTreeMap, HashMap};

use domain::{Currency, Money};
use serde_json::{Value, json};

use super::read_back::{OfBuyer, Purse, Sold};

/// The most customers that a report lists.
const MOST_LISTED: usize = 1_000;

/// Units by customer and code, as the book sells them and takes them back. Customers are places
/// among the buyers.
pub type ByTheBook = HashMap<(usize, String), i64>;

/// A customer who has not what the book says, or has not paid it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The name of the account.
    pub customer: String,
    pub book: OfBuyer,
    pub kept: OfBuyer,
}

/// The book against what the customers have and have paid.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Customers {
    pub count: u64,
    /// What all units come to that the book leaves with them.
    pub book: Purse,
    /// What was captured without what was refunded.
    pub kept: Purse,
    /// At most [`MOST_LISTED`], in the order in which they first buy.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub different: u64,
}

impl Customers {
    /// Compares. A unit costs what it costs on the orders; what is on no order costs nothing, and
    /// shows in the units.
    pub fn compare(
        book: &ByTheBook,
        sold: &Sold,
        items: &HashMap<String, String>,
        names: &[String],
    ) -> Self {
        let mut expected: BTreeMap<usize, OfBuyer> = BTreeMap::new();
        for ((buyer, code), units) in book {
            let of_buyer = expected.entry(*buyer).or_default();
            of_buyer.units += units;
            if let Some(price) = items.get(code).and_then(|item| sold.prices.get(item)) {
                of_buyer.money.add(*price, *units);
            }
        }
        for buyer in sold.of_buyers.keys() {
            expected.entry(*buyer).or_default();
        }
        let mut compared = Self::default();
        for (buyer, book) in expected {
            let kept = sold.of_buyers.get(&buyer).cloned().unwrap_or_default();
            let name = names.get(buyer).cloned().unwrap_or_default();
            compared.note(name, book, kept);
        }
        compared
    }

    fn note(&mut self, customer: String, book: OfBuyer, kept: OfBuyer) {
        self.count += 1;
        self.book.add_all(&book.money);
        self.kept.add_all(&kept.money);
        if !is_same(&book, &kept) {
            self.different += 1;
            if self.differences.len() < MOST_LISTED {
                self.differences.push(Difference {
                    customer,
                    book,
                    kept,
                });
            }
        }
    }

    /// Whether everybody has what the book says and has paid exactly that.
    pub fn is_equal(&self) -> bool {
        self.different == 0
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "money of {} customers: {} by the book (units at the price of the orders), {} captured \
             and not refunded",
            self.count,
            amounts(&self.book),
            amounts(&self.kept),
        )];
        lines.push(if self.is_equal() {
            "every customer has the units that the book says and paid for exactly these".to_owned()
        } else {
            format!(
                "{} customers have or paid something else than the book says:",
                self.different
            )
        });
        lines.extend(self.differences.iter().map(|difference| {
            let Difference {
                customer,
                book,
                kept,
            } = difference;
            format!(
                "  {customer}: {} units for {} by the book, {} units for {}",
                book.units,
                amounts(&book.money),
                kept.units,
                amounts(&kept.money),
            )
        }));
        lines
    }

    /// For machines. Money is in minor units.
    pub fn to_json(&self) -> Value {
        let side = |of: &OfBuyer| json!({ "units": of.units, "minor": of.money.0 });
        let differences = self.differences.iter().map(|difference| {
            json!({
                "customer": difference.customer,
                "book": side(&difference.book),
                "sold": side(&difference.kept),
            })
        });
        json!({
            "equal": self.is_equal(),
            "customers": self.count,
            "bookMinor": self.book.0,
            "keptMinor": self.kept.0,
            "different": self.different,
            "differences": differences.collect::<Vec<_>>(),
        })
    }
}

/// Whether units and money are the same; no money in a currency is none.
fn is_same(book: &OfBuyer, kept: &OfBuyer) -> bool {
    let money = |of: &OfBuyer| -> BTreeMap<&'static str, i64> {
        let amounts = of.money.0.iter().filter(|(_, minor)| **minor != 0);
        amounts
            .map(|(currency, minor)| (*currency, *minor))
            .collect()
    };
    book.units == kept.units && money(book) == money(kept)
}

fn amounts(Purse(amounts): &Purse) -> String {
    let amounts = amounts.iter().filter_map(|(code, minor)| {
        let currency = Currency::from_code(code)?;
        let money = Money {
            minor: *minor,
            currency,
        };
        Some(format!("{} {code}", money.to_decimal()))
    });
    let text = amounts.collect::<Vec<_>>().join(" and ");
    if text.is_empty() {
        return "nothing".to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rush::requests::{Bought, BoughtLine};

    fn pounds(minor: i64) -> Money {
        Money {
            minor,
            currency: Currency::from_code("GBP").unwrap(),
        }
    }

    /// An order of so many kept units at 2.55, and what was captured and refunded.
    fn bought(kept: i64, captured: i64, refunded: i64) -> Bought {
        Bought {
            state: "PAID".to_owned(),
            lines: vec![BoughtLine {
                item_id: "item_1".to_owned(),
                kept,
                price: pounds(255),
            }],
            captured: vec![pounds(captured)],
            refunded: vec![pounds(refunded)],
            is_settled: true,
        }
    }

    fn compare(sold: &Sold, book: &[(usize, i64)]) -> Customers {
        let book = book
            .iter()
            .map(|(buyer, units)| ((*buyer, "10001".to_owned()), *units));
        let items = HashMap::from([("10001".to_owned(), "item_1".to_owned())]);
        let names = ["customer-17", "customer-18"].map(ToOwned::to_owned);
        Customers::compare(&book.collect(), sold, &items, &names)
    }

    #[test]
    fn customers_pay_for_what_they_keep_to_the_penny() {
        let mut sold = Sold::default();
        sold.note(0, Some(bought(4, 1530, 510)));
        sold.note(1, Some(bought(0, 255, 255)));
        let equal = compare(&sold, &[(0, 4), (1, 0)]);
        assert!(equal.is_equal(), "{equal:?}");
        assert_eq!((equal.book.0["GBP"], equal.kept.0["GBP"]), (1020, 1020));
        assert!(equal.lines()[0].contains("10.20 GBP by the book"));

        sold.note(1, Some(bought(0, 1, 0)));
        let a_penny_more = compare(&sold, &[(0, 4), (1, 0)]);
        assert_eq!((a_penny_more.different, a_penny_more.count), (1, 2));
        assert_eq!(a_penny_more.differences[0].customer, "customer-18");
        assert_eq!(a_penny_more.differences[0].kept.money.0["GBP"], 1);
    }

    #[test]
    fn the_same_units_in_other_hands_are_not_the_same() {
        let mut sold = Sold::default();
        sold.note(0, Some(bought(4, 1020, 0)));
        let compared = compare(&sold, &[(0, 3), (1, 1)]);
        assert_eq!((compared.different, compared.is_equal()), (2, false));
        assert_eq!(compared.book, compared.kept, "in sum it is the same");
    }
}
