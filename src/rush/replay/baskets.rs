//! Baskets: the lines of an order book that belong together, in the order of the book.

use std::collections::HashMap;

use super::matching::{Cancelled, Matching};
use crate::import::book_report::BookReport;
use crate::import::order_book::{Entry, LeftOut, Meaning, OrderBook};
use crate::import::table::Unreadable;

/// The most lines of one basket; one that is longer is cut, so that no book can fill the memory.
const MOST_LINES: usize = 10_000;

/// What somebody buys at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Basket {
    pub invoice: String,
    /// From 0: lines of one invoice that stand apart, or are somebody else's, are further parts.
    pub part: u32,
    /// From 0, over all baskets.
    pub number: u64,
    /// The line of the book on which it begins.
    pub line: u64,
    pub customer: Option<String>,
    /// Codes and units, as they stand; a code may stand there twice.
    pub lines: Vec<(String, u32)>,
}

/// Baskets being read.
pub struct Baskets {
    book: OrderBook,
    /// Counts every line that was read.
    pub report: BookReport,
    /// What the lines that were read take back of the baskets before them; nothing where nobody
    /// wants to know.
    pub matching: Option<Matching>,
    /// The basket that the next line may belong to.
    open: Option<Basket>,
    /// Baskets of each invoice so far.
    parts: HashMap<String, u32>,
    handed_out: u64,
}

impl Baskets {
    pub fn new(book: OrderBook) -> Self {
        Self {
            book,
            report: BookReport::default(),
            matching: None,
            open: None,
            parts: HashMap::new(),
            handed_out: 0,
        }
    }

    /// The next basket; nothing at the end.
    ///
    /// # Errors
    /// The book breaks off. The basket that was being read is lost.
    pub fn next_basket(&mut self) -> Result<Option<Basket>, Unreadable> {
        while let Some(entry) = self.book.next_entry()? {
            self.report.note(&entry);
            self.take_back(&entry);
            if let Some(basket) = self.put(entry) {
                return Ok(Some(basket));
            }
        }
        Ok(self.open.take())
    }

    fn take_back(&mut self, entry: &Entry) {
        if let Some(matching) = &mut self.matching
            && let Meaning::LeftOut { why, units } = entry.meaning
            && why == LeftOut::Cancellation
        {
            matching.take(&Cancelled {
                invoice: &entry.invoice,
                line: entry.line,
                code: &entry.code,
                customer: entry.customer.as_deref(),
                units,
            });
        }
    }

    fn remember(&mut self) {
        if let (Some(matching), Some(open)) = (&mut self.matching, &self.open)
            && let (Some(customer), Some((code, units))) = (&open.customer, open.lines.last())
        {
            let place = (open.number, open.lines.len() - 1);
            matching.sold(customer, code, place, *units);
        }
    }

    /// Puts a line where it belongs; the basket before it if it is done with that.
    fn put(&mut self, entry: Entry) -> Option<Basket> {
        let Entry {
            line,
            invoice,
            code,
            customer,
            meaning,
            ..
        } = entry;
        let Meaning::Sale(sale) = meaning else {
            return None;
        };
        let of_line = (code, sale.quantity.get());
        if let Some(open) = &mut self.open
            && open.invoice == invoice
            && open.customer == customer
            && open.lines.len() < MOST_LINES
        {
            open.lines.push(of_line);
            self.remember();
            return None;
        }
        let parts = self.parts.entry(invoice.clone()).or_default();
        let basket = Basket {
            invoice,
            part: *parts,
            number: self.handed_out,
            line,
            customer,
            lines: vec![of_line],
        };
        *parts += 1;
        self.handed_out += 1;
        let before = self.open.replace(basket);
        self.remember();
        before
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::import::table::Table;

    const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country";

    fn baskets(lines: &[String]) -> Vec<Basket> {
        let text = format!("{HEADER}\n{}\n", lines.join("\n"));
        let book = OrderBook::new(Table::read(Cursor::new(text)).unwrap()).unwrap();
        let mut baskets = Baskets::new(book);
        std::iter::from_fn(|| baskets.next_basket().unwrap()).collect()
    }

    fn line(invoice: &str, code: &str, units: i64, customer: &str) -> String {
        format!("{invoice},{code},X,{units},1.5,{customer},UK")
    }

    #[test]
    fn lines_of_one_invoice_are_one_basket() {
        let found = baskets(&[
            line("1", "10001", 2, "17"),
            line("1", "POST", 1, "17"),
            line("1", "10001", 3, "17"),
            line("C2", "10001", -1, "17"),
            line("3", "10002", 1, ""),
            line("4", "10002", -5, ""),
            line("1", "10003", 1, "17"),
            line("1", "10003", 1, "18"),
        ]);
        let units = |basket: &Basket| {
            basket
                .lines
                .iter()
                .map(|(_, units)| *units)
                .collect::<Vec<_>>()
        };
        let seen: Vec<_> = found
            .iter()
            .map(|basket| {
                (
                    basket.invoice.as_str(),
                    basket.part,
                    basket.line,
                    units(basket),
                )
            })
            .collect();
        let expected = [
            ("1", 0, 2, vec![2, 3]),
            ("3", 0, 6, vec![1]),
            ("1", 1, 8, vec![1]),
            ("1", 2, 9, vec![1]),
        ];
        assert_eq!(seen, expected);
        assert_eq!(found[1].customer, None);
        assert_eq!(
            found.iter().map(|basket| basket.number).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn a_basket_without_end_is_cut() {
        let lines: Vec<_> = (0..=MOST_LINES)
            .map(|_| line("1", "10001", 1, "17"))
            .collect();
        let parts: Vec<_> = baskets(&lines)
            .iter()
            .map(|basket| (basket.part, basket.lines.len()))
            .collect();
        assert_eq!(parts, [(0, MOST_LINES), (1, 1)]);
    }

    proptest! {
        #[test]
        fn no_unit_is_lost_and_no_basket_has_the_name_of_another(
            rows in proptest::collection::vec(("[1-3]|C1", "1000[1-3]|POST", -2_i64..5, "|1[78]"), 0..60)
        ) {
            let lines: Vec<_> =
                rows.iter().map(|(invoice, code, units, who)| line(invoice, code, *units, who)).collect();
            let found = baskets(&lines);
            let is_sale = |row: &&(String, String, i64, String)| {
                row.2 > 0 && !row.0.starts_with('C') && row.1 != "POST"
            };
            let sold: i64 = rows.iter().filter(is_sale).map(|row| row.2).sum();
            let bought: i64 =
                found.iter().flat_map(|basket| &basket.lines).map(|(_, units)| i64::from(*units)).sum();
            prop_assert_eq!(bought, sold);
            let names: std::collections::HashSet<_> =
                found.iter().map(|basket| (&basket.invoice, basket.part)).collect();
            prop_assert_eq!(names.len(), found.len());
        }
    }
}
