//! A shop's order book, line by line, in the shape of the *Online Retail* data set (D. Chen, 2015,
//! UCI Machine Learning Repository, doi 10.24432/C5BW33): `InvoiceNo, StockCode, Description,
//! Quantity, UnitPrice, CustomerID, Country`, prices in pounds sterling.
//!
//! What a line means:
//! - An invoice whose number starts with `C` cancels or returns earlier sales.
//! - A stock code that starts with five digits is goods, and so is one that starts with `DCGS` (the
//!   shop's own range). Everything else is postage, fees, samples, vouchers, corrections by hand.
//! - A code means the same product in capitals and in small letters: the shop writes both.
//! - A quantity of 0 or less records breakage and corrections of the stock.
//! - A price of 0 or less is no sale either: most such lines are corrections without a description,
//!   some are gifts. There is nothing to take money for.
//! - Everything else is a sale.

use std::path::Path;

use domain::item::MAX_SKU;
use domain::money::MAX_PRICE_MINOR;
use domain::refusal::Rule;
use domain::{Currency, Money, Quantity, Reason};

use super::catalogue::quoted;
use super::reasons::{sentence, sentence_of_price};
use super::table::{Table, Unreadable};

/// An order book being read.
pub struct OrderBook {
    table: Table,
    columns: Columns,
    currency: Currency,
}

struct Columns {
    invoice: usize,
    code: usize,
    description: usize,
    quantity: usize,
    price: usize,
    customer: usize,
}

/// A line of the book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Of the file, counted from 1.
    pub line: u64,
    pub invoice: String,
    /// The product's code in capitals.
    pub code: String,
    /// Whether the book wrote the code otherwise.
    pub respelled: bool,
    /// The shop's number for the customer, if it knew one.
    pub customer: Option<String>,
    pub meaning: Meaning,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    Sale(Sale),
    LeftOut {
        why: LeftOut,
        /// As written; 0 where that can't be read.
        units: i64,
    },
    /// A cell makes no sense.
    Unreadable {
        /// Nothing when it is the line as a whole.
        column: Option<&'static str>,
        reason: String,
    },
}

/// Units of one product, sold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sale {
    /// May be empty.
    pub description: String,
    pub quantity: Quantity,
    /// Of one unit; above 0.
    pub price: Money,
}

/// Why a line sells nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LeftOut {
    Cancellation,
    NotGoods,
    NoUnits,
    NoPrice,
}

impl OrderBook {
    /// # Errors
    /// The file can't be read, or a column is missing.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        Self::new(Table::open(path)?)
    }

    /// Finds the columns.
    ///
    /// # Errors
    /// One is missing; all that are missing are named.
    pub fn new(table: Table) -> Result<Self, Unreadable> {
        let unreadable = |reason: String| Unreadable {
            after_line: None,
            reason,
        };
        let columns = Columns::of(&table).map_err(unreadable)?;
        let currency = Currency::from_code("GBP")
            .ok_or_else(|| unreadable("there is no pound sterling".to_owned()))?;
        Ok(Self {
            table,
            columns,
            currency,
        })
    }

    /// The next line; nothing at the end.
    ///
    /// # Errors
    /// The file breaks off.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Unreadable> {
        if !self.table.next_row()? {
            return Ok(None);
        }
        let written = self.table.cell(self.columns.code);
        let code = written.to_ascii_uppercase();
        let invoice = self.table.cell(self.columns.invoice);
        let customer = self.table.cell(self.columns.customer);
        Ok(Some(Entry {
            line: self.table.line(),
            meaning: self
                .meaning(&invoice, &code)
                .unwrap_or_else(|unread| unread),
            respelled: written != code,
            customer: (!customer.is_empty()).then_some(customer),
            invoice,
            code,
        }))
    }

    /// The `Err` is what can't be read.
    fn meaning(&self, invoice: &str, code: &str) -> Result<Meaning, Meaning> {
        let (width, expected) = (self.table.width(), self.table.header().len());
        if width != expected {
            let reason = format!("has {width} columns, the header has {expected}");
            return Err(Meaning::Unreadable {
                column: None,
                reason,
            });
        }
        if invoice.is_empty() {
            return Err(unreadable("InvoiceNo", "must not be empty".to_owned()));
        }
        let units = self.table.cell(self.columns.quantity);
        let left_out = |why| Meaning::LeftOut {
            why,
            units: units.parse().unwrap_or(0),
        };
        if invoice.starts_with(['C', 'c']) {
            return Ok(left_out(LeftOut::Cancellation));
        }
        if !is_goods(code) {
            return Ok(left_out(LeftOut::NotGoods));
        }
        let count: i64 = units
            .parse()
            .map_err(|_| unreadable("Quantity", quoted(&units, "is not a whole number")))?;
        if count <= 0 {
            return Ok(left_out(LeftOut::NoUnits));
        }
        let price = self.price()?;
        if price.minor <= 0 {
            return Ok(left_out(LeftOut::NoPrice));
        }
        let quantity = Quantity::new(count)
            .map_err(|reason| unreadable("Quantity", quoted(&units, &sentence(&reason))))?;
        Ok(Meaning::Sale(Sale {
            description: self.table.cell(self.columns.description),
            quantity,
            price,
        }))
    }

    fn price(&self) -> Result<Money, Meaning> {
        let text = self.table.cell(self.columns.price);
        let parsed = Money::parse(without_idle_zeros(&text), self.currency);
        let checked = parsed.and_then(|price| match price.minor {
            ..=MAX_PRICE_MINOR => Ok(price),
            _ => Err(Reason::from(Rule::TooLarge {
                most: MAX_PRICE_MINOR,
            })),
        });
        checked.map_err(|reason| {
            let wrong = sentence_of_price(&reason, self.currency);
            unreadable("UnitPrice", quoted(&text, &wrong))
        })
    }
}

impl Columns {
    fn of(table: &Table) -> Result<Self, String> {
        let mut missing = Vec::new();
        let mut find = |name: &'static str| {
            table.column(name).unwrap_or_else(|| {
                missing.push(name);
                0
            })
        };
        let columns = Self {
            invoice: find("InvoiceNo"),
            code: find("StockCode"),
            description: find("Description"),
            quantity: find("Quantity"),
            price: find("UnitPrice"),
            customer: find("CustomerID"),
        };
        if missing.is_empty() {
            return Ok(columns);
        }
        Err(format!("the header has no {}", missing.join(", ")))
    }
}

/// Whether a code, in capitals, is that of a product.
pub fn is_goods(code: &str) -> bool {
    let digits = code.bytes().take(5).filter(u8::is_ascii_digit).count();
    (digits == 5 || code.starts_with("DCGS")) && code.chars().count() <= MAX_SKU
}

/// `1.250` as `1.25`: no more places than the amount needs.
fn without_idle_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((_, places)) if !places.is_empty() => text.trim_end_matches('0').trim_end_matches('.'),
        _ => text,
    }
}

fn unreadable(column: &'static str, reason: String) -> Meaning {
    Meaning::Unreadable {
        column: Some(column),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country";

    fn book(lines: &str) -> OrderBook {
        let text = format!("{HEADER}\n{lines}");
        OrderBook::new(Table::read(Cursor::new(text)).unwrap()).unwrap()
    }

    fn only(line: &str) -> Entry {
        book(line).next_entry().unwrap().unwrap()
    }

    #[test]
    fn a_sale_is_read_whole() {
        let entry = only("536365,85123a,WHITE LANTERN ,6,2.550,17850,United Kingdom");
        let Meaning::Sale(sale) = entry.meaning else {
            panic!("{entry:?}")
        };
        assert_eq!((entry.line, entry.invoice.as_str()), (2, "536365"));
        assert_eq!((entry.code.as_str(), entry.respelled), ("85123A", true));
        assert_eq!(sale.description, "WHITE LANTERN");
        assert_eq!((sale.quantity.get(), sale.price.minor), (6, 255));
        assert_eq!(entry.customer.as_deref(), Some("17850"));
        let entry = only("536365,22139,,1,165,,United Kingdom");
        assert_eq!(entry.customer, None);
    }

    #[test]
    fn what_sells_nothing_is_left_out_for_its_reason() {
        for (line, expected, count) in [
            ("C536379,22139,X,-1,2.5,1,UK", LeftOut::Cancellation, -1),
            ("C536379,D,Discount,-1,27.5,1,UK", LeftOut::Cancellation, -1),
            ("536370,POST,POSTAGE,3,18,1,France", LeftOut::NotGoods, 3),
            ("536370,M,Manual,oops,18,1,France", LeftOut::NotGoods, 0),
            ("536370,BANK CHARGES,,1,15,1,UK", LeftOut::NotGoods, 1),
            ("536370,gift_0001_20,,1,16.67,,UK", LeftOut::NotGoods, 1),
            ("536370,1234,,1,16.67,,UK", LeftOut::NotGoods, 1),
            ("536589,21777,,-10,0,,UK", LeftOut::NoUnits, -10),
            ("536589,21777,,0,1,,UK", LeftOut::NoUnits, 0),
            ("536414,22139,,56,0,,UK", LeftOut::NoPrice, 56),
            ("536414,22139,,56,0.000,,UK", LeftOut::NoPrice, 56),
            ("536414,22139,,1,-5,,UK", LeftOut::NoPrice, 1),
        ] {
            let meaning = only(line).meaning;
            assert_eq!(
                meaning,
                Meaning::LeftOut {
                    why: expected,
                    units: count
                },
                "{line}"
            );
        }
    }

    #[test]
    fn the_shops_own_range_is_goods() {
        assert!(is_goods("DCGS0076") && is_goods("15056BL") && is_goods("85123A"));
        assert!(!is_goods("DOT") && !is_goods("C2") && !is_goods(""));
        assert!(!is_goods(&"1".repeat(MAX_SKU + 1)));
    }

    #[test]
    fn what_makes_no_sense_names_its_column() {
        for (line, expected) in [
            ("536370,22139,X,two,1.5,1,UK", Some("Quantity")),
            ("536370,22139,X,1.5,1.5,1,UK", Some("Quantity")),
            ("536370,22139,X,1000001,1.5,1,UK", Some("Quantity")),
            ("536370,22139,X,1,1.505,1,UK", Some("UnitPrice")),
            ("536370,22139,X,1,,1,UK", Some("UnitPrice")),
            ("536370,22139,X,1,99999999999999,1,UK", Some("UnitPrice")),
            (",22139,X,1,1.5,1,UK", Some("InvoiceNo")),
            ("536370,22139,X,1", None),
        ] {
            let meaning = only(line).meaning;
            let Meaning::Unreadable { column, .. } = meaning else {
                panic!("{line}: {meaning:?}")
            };
            assert_eq!(column, expected, "{line}");
        }
    }

    #[test]
    fn all_missing_columns_are_named() {
        let table = Table::read(Cursor::new("invoiceno,stockcode,quantity\n")).unwrap();
        let error = OrderBook::new(table).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the header has no Description, UnitPrice, CustomerID"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut text = format!("{HEADER}\n").into_bytes();
            text.extend(bytes);
            let table = Table::read(Cursor::new(text)).unwrap();
            let mut book = OrderBook::new(table).unwrap();
            while let Ok(Some(_)) = book.next_entry() {}
        }

        #[test]
        fn whatever_a_line_says_it_is_one_entry(cells in proptest::collection::vec("[^\"\r\n,]{1,12}", 7)) {
            let mut book = book(&cells.join(","));
            prop_assert!(book.next_entry().unwrap().is_some());
            prop_assert_eq!(book.next_entry().unwrap(), None);
        }

        #[test]
        fn idle_zeros_change_no_amount(whole in 0_u32..10_000, places in "[0-9]{2}", zeros in 0_usize..4) {
            let currency = Currency::from_code("GBP").unwrap();
            let text = format!("{whole}.{places}");
            let longer = format!("{text}{}", "0".repeat(zeros));
            prop_assert_eq!(
                Money::parse(without_idle_zeros(&longer), currency),
                Money::parse(&text, currency)
            );
        }
    }
}
