//! An order book as a whole: who buys, and what it sells. Read once before anybody buys, so that the
//! accounts can be made; the baskets are read again while they are bought.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::baskets::{Basket, Baskets};
use crate::import::order_book::OrderBook;
use crate::import::table::Unreadable;

/// Accounts for those whom the shop did not know; they take turns.
const WALK_INS: u64 = 20;

/// What is known of a book before it is replayed.
pub struct Book {
    path: PathBuf,
    /// Customers by their numbers, in the order in which they first buy.
    customers: HashMap<String, usize>,
    names: Vec<String>,
    /// Accounts for baskets without a customer.
    walk_ins: u64,
    /// Codes of what it sells.
    pub codes: BTreeSet<String>,
    pub baskets: u64,
}

impl Book {
    /// Reads all of it, keeping no basket.
    ///
    /// # Errors
    /// It can't be read, breaks off, or sells nothing.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut book = Self {
            path: path.to_owned(),
            customers: HashMap::new(),
            names: Vec::new(),
            walk_ins: 0,
            codes: BTreeSet::new(),
            baskets: 0,
        };
        let mut baskets = book.open()?;
        while let Some(basket) = baskets.next_basket()? {
            book.note(&basket);
        }
        if book.baskets == 0 {
            let reason = format!("{}: it sells nothing", path.display());
            return Err(Unreadable {
                after_line: None,
                reason,
            });
        }
        Ok(book)
    }

    /// The baskets, from the first.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn open(&self) -> Result<Baskets, Unreadable> {
        Ok(Baskets::new(OrderBook::open(&self.path)?))
    }

    fn note(&mut self, basket: &Basket) {
        self.baskets += 1;
        for (code, _) in &basket.lines {
            if !self.codes.contains(code) {
                self.codes.insert(code.clone());
            }
        }
        match &basket.customer {
            Some(customer) if !self.customers.contains_key(customer) => {
                self.customers.insert(customer.clone(), self.names.len());
                self.names.push(account_name(customer));
            }
            Some(_) => {}
            None => self.walk_ins = (self.walk_ins + 1).min(WALK_INS),
        }
    }

    /// Names for all buyers' accounts: the customers, then those who walk in.
    pub fn buyers(&self) -> Vec<String> {
        let walk_ins = (1..=self.walk_ins).map(|number| format!("walk-in-{number:02}"));
        self.names.iter().cloned().chain(walk_ins).collect()
    }

    /// The place in [`Book::buyers`] of a customer who buys something.
    pub fn customer(&self, customer: &str) -> Option<usize> {
        self.customers.get(customer).copied()
    }

    /// Whose basket it is, by the place in [`Book::buyers`]: the same in every run.
    pub fn buyer(&self, basket: &Basket) -> usize {
        let known = basket
            .customer
            .as_ref()
            .and_then(|customer| self.customers.get(customer));
        known.copied().unwrap_or_else(|| {
            let turn = basket.number % self.walk_ins.max(1);
            self.names.len() + usize::try_from(turn).unwrap_or(0)
        })
    }
}

/// A customer's number as the name of an account; a number that no account can have is hashed.
fn account_name(customer: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if customer.len() <= 20 && customer.chars().all(is_plain) {
        return format!("customer-{customer}");
    }
    let hash = Uuid::new_v5(&Uuid::nil(), customer.as_bytes());
    format!("customer-{}", hash.simple())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn book(lines: &str) -> Result<Book, Unreadable> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let header = "InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country";
        write!(file, "{header}\n{lines}").unwrap();
        Book::read(file.path())
    }

    #[test]
    fn every_customer_and_every_walk_in_has_an_account() {
        let file = "1,10001,X,2,1.5,17,UK\n2,10002,X,3,1.5,,UK\n3,10001,X,4,1.5,17,UK\n\
            4,10001,X,1,1.5,17850.0,UK\n5,10001,X,1,1.5,,UK\n";
        let book = book(file).unwrap();
        let names = book.buyers();
        assert_eq!((names.len(), book.baskets), (4, 5));
        assert_eq!(
            (names[0].as_str(), names[2].as_str()),
            ("customer-17", "walk-in-01")
        );
        assert!(
            names[1].starts_with("customer-") && !names[1].contains('.'),
            "{}",
            names[1]
        );
        assert_eq!(
            book.codes,
            BTreeSet::from(["10001", "10002"].map(ToOwned::to_owned))
        );
        let basket = |number, customer: Option<&str>| Basket {
            invoice: String::new(),
            part: 0,
            number,
            line: 0,
            customer: customer.map(ToOwned::to_owned),
            lines: Vec::new(),
        };
        assert_eq!(book.buyer(&basket(2, Some("17"))), 0);
        assert_eq!(
            (book.buyer(&basket(1, None)), book.buyer(&basket(4, None))),
            (3, 2)
        );
    }

    #[test]
    fn a_book_that_sells_nothing_is_no_book_to_replay() {
        let error = book("C1,10001,X,-2,1.5,17,UK\n").err().unwrap();
        assert!(error.to_string().contains("sells nothing"), "{error}");
    }
}
