//! What a book takes back: of which earlier sale the units are that a line of a `C` invoice names.

use std::collections::{BTreeMap, HashMap};

use crate::import::book_report::Sum;
use crate::import::order_book::is_goods;

/// Units of one line of a basket that the book takes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taking {
    pub invoice: String,
    /// The line of the book that takes them back.
    pub line: u64,
    /// From 0: a line that takes back units of several sales has several parts.
    pub part: u32,
    pub code: String,
    /// The number of the basket they were bought with, and the place of their line in it, from 0.
    pub basket: u64,
    pub at: usize,
    pub units: u32,
}

/// A line of a `C` invoice.
pub struct Cancelled<'a> {
    pub invoice: &'a str,
    pub line: u64,
    pub code: &'a str,
    pub customer: Option<&'a str>,
    /// As written: below 0 when it takes units back.
    pub units: i64,
}

/// Why the book has no sale for what it takes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotTaken {
    NotGoods,
    NoUnits,
    NoCustomer,
    NoEarlierSale,
    MoreThanSold,
}

/// Sales so far, and what was taken back of them.
#[derive(Default)]
pub struct Matching {
    /// By customer and code, the newest last.
    sales: HashMap<(String, String), Vec<Sold>>,
    /// With the customers they are taken back from.
    pub takings: Vec<(String, Taking)>,
    pub not_taken: BTreeMap<NotTaken, Sum>,
}

struct Sold {
    basket: u64,
    at: usize,
    /// Not taken back yet.
    left: u32,
}

impl NotTaken {
    /// For people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotGoods => "not goods",
            Self::NoUnits => "no units",
            Self::NoCustomer => "no customer",
            Self::NoEarlierSale => "no earlier sale to this customer",
            Self::MoreThanSold => "more than was sold before",
        }
    }

    /// For machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotGoods => "NOT_GOODS",
            Self::NoUnits => "NO_UNITS",
            Self::NoCustomer => "NO_CUSTOMER",
            Self::NoEarlierSale => "NO_EARLIER_SALE",
            Self::MoreThanSold => "MORE_THAN_SOLD",
        }
    }
}

impl Matching {
    /// Remembers a line of a basket. Nobody can bring back what a stranger bought.
    pub fn sold(&mut self, customer: &str, code: &str, (basket, at): (u64, usize), units: u32) {
        let of_customer = (customer.to_owned(), code.to_owned());
        self.sales.entry(of_customer).or_default().push(Sold {
            basket,
            at,
            left: units,
        });
    }

    /// Takes back units of the customer's earlier sales of the product, of the newest first.
    pub fn take(&mut self, cancelled: &Cancelled<'_>) {
        let Cancelled {
            invoice,
            line,
            code,
            customer,
            units,
        } = *cancelled;
        let why = if !is_goods(code) {
            NotTaken::NotGoods
        } else if units >= 0 {
            NotTaken::NoUnits
        } else if customer.is_none() {
            NotTaken::NoCustomer
        } else {
            NotTaken::NoEarlierSale
        };
        let of_customer = (customer.unwrap_or_default().to_owned(), code.to_owned());
        let sales = match why {
            NotTaken::NoEarlierSale => self.sales.get_mut(&of_customer),
            _ => None,
        };
        let Some(sales) = sales else {
            self.not_taken.entry(why).or_default().add(units);
            return;
        };
        let mut wanted = units.unsigned_abs();
        let left = sales.iter_mut().rev().filter(|sold| sold.left > 0);
        for (part, sold) in (0..).zip(left) {
            let units = sold.left.min(u32::try_from(wanted).unwrap_or(u32::MAX));
            if units == 0 {
                break;
            }
            sold.left -= units;
            wanted -= u64::from(units);
            let taking = Taking {
                invoice: invoice.to_owned(),
                line,
                part,
                code: code.to_owned(),
                basket: sold.basket,
                at: sold.at,
                units,
            };
            self.takings.push((of_customer.0.clone(), taking));
        }
        if wanted > 0 {
            let left = i64::try_from(wanted).map_or(i64::MIN, |wanted| -wanted);
            let sum = self.not_taken.entry(NotTaken::MoreThanSold).or_default();
            sum.add(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(matching: &mut Matching, line: u64, code: &str, customer: Option<&str>, units: i64) {
        matching.take(&Cancelled {
            invoice: "C9",
            line,
            code,
            customer,
            units,
        });
    }

    /// Line, part, basket, place and units of everything that is taken back.
    fn taken(matching: &Matching) -> Vec<(u64, u32, u64, usize, u32)> {
        let takings = matching.takings.iter();
        takings
            .map(|(_, t)| (t.line, t.part, t.basket, t.at, t.units))
            .collect()
    }

    #[test]
    fn units_come_back_from_the_newest_sale_of_the_same_customer_first() {
        let mut matching = Matching::default();
        matching.sold("17", "10001", (0, 0), 5);
        matching.sold("18", "10001", (1, 0), 50);
        matching.sold("17", "10001", (2, 0), 2);
        matching.sold("17", "10001", (2, 3), 1);
        take(&mut matching, 8, "10001", Some("17"), -2);
        take(&mut matching, 9, "10001", Some("17"), -4);
        matching.sold("17", "10001", (3, 1), 1);
        take(&mut matching, 11, "10001", Some("17"), -1);
        let expected = [
            (8, 0, 2, 3, 1),
            (8, 1, 2, 0, 1),
            (9, 0, 2, 0, 1),
            (9, 1, 0, 0, 3),
            (11, 0, 3, 1, 1),
        ];
        assert_eq!(taken(&matching), expected);
        assert_eq!(matching.not_taken, BTreeMap::new());
    }

    #[test]
    fn what_has_no_earlier_sale_is_counted_by_reason() {
        let mut matching = Matching::default();
        take(&mut matching, 2, "10001", Some("17"), -1);
        matching.sold("17", "10001", (0, 0), 2);
        take(&mut matching, 4, "10001", Some("17"), -5);
        take(&mut matching, 5, "10001", Some("17"), -1);
        take(&mut matching, 6, "10001", None, -1);
        take(&mut matching, 7, "POST", Some("17"), -1);
        take(&mut matching, 8, "10001", Some("17"), 0);
        take(&mut matching, 9, "10002", Some("17"), i64::MIN);
        assert_eq!(taken(&matching), [(4, 0, 0, 0, 2)]);
        let sum = |lines, units| Sum { lines, units };
        let expected = [
            (NotTaken::NotGoods, sum(1, -1)),
            (NotTaken::NoUnits, sum(1, 0)),
            (NotTaken::NoCustomer, sum(1, -1)),
            (NotTaken::NoEarlierSale, sum(2, i64::MIN)),
            (NotTaken::MoreThanSold, sum(2, -4)),
        ];
        assert_eq!(matching.not_taken, BTreeMap::from(expected));
    }
}
