//! What an order book holds: what it sells, and all that is left out, with the reasons.

use std::collections::{BTreeMap, HashSet};
use std::io;

use indicatif::HumanCount;
use serde_json::{Value, json};

use super::order_book::{Entry, LeftOut, Meaning};
use super::report::{MOST_LISTED, RefusedCell};

/// The most codes that are named as no goods.
const MOST_CODES: usize = 50;

/// What an order book holds.
#[derive(Clone, Default, Debug)]
pub struct BookReport {
    /// Lines of the book, whatever they mean.
    pub lines: u64,
    /// Lines that sell something, and their units.
    pub sold: Sum,
    /// Products that are sold.
    pub products: u64,
    /// Invoices that sell something.
    pub invoices: u64,
    /// Lines whose code was written otherwise than in capitals.
    pub respelled: u64,
    /// Invoices that start with `C`.
    pub cancellations: u64,
    /// What sells nothing, by reason.
    pub left_out: BTreeMap<LeftOut, Sum>,
    /// Lines by code that is none of goods; at most [`MOST_CODES`] of them.
    pub not_goods: BTreeMap<String, u64>,
    /// Lines that make no sense; at most [`MOST_LISTED`].
    pub unreadable: Vec<RefusedCell>,
    /// How many such lines there are.
    pub unreadable_lines: u64,
    seen: Seen,
}

/// Lines and the units on them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Sum {
    pub lines: u64,
    pub units: i64,
}

/// What was counted already.
#[derive(Clone, Default, Debug)]
struct Seen {
    products: HashSet<String>,
    invoices: HashSet<String>,
}

impl Sum {
    /// Counts one line.
    pub fn add(&mut self, units: i64) {
        self.lines += 1;
        self.units = self.units.saturating_add(units);
    }
}

impl BookReport {
    /// Counts one line.
    pub fn note(&mut self, entry: &Entry) {
        self.lines += 1;
        self.respelled += u64::from(entry.respelled);
        match &entry.meaning {
            Meaning::Sale(sale) => {
                self.sold.add(sale.quantity.get().into());
                self.products += u64::from(first(&mut self.seen.products, &entry.code));
                self.invoices += u64::from(first(&mut self.seen.invoices, &entry.invoice));
            }
            Meaning::LeftOut { why, units } => {
                self.left_out.entry(*why).or_default().add(*units);
                match why {
                    LeftOut::Cancellation => {
                        let is_new = first(&mut self.seen.invoices, &entry.invoice);
                        self.cancellations += u64::from(is_new);
                    }
                    LeftOut::NotGoods => self.note_code(&entry.code),
                    LeftOut::NoUnits | LeftOut::NoPrice => {}
                }
            }
            Meaning::Unreadable { column, reason } => {
                self.unreadable_lines += 1;
                if self.unreadable.len() < MOST_LISTED {
                    self.unreadable.push(RefusedCell {
                        line: entry.line,
                        column: column.map(ToOwned::to_owned),
                        reason: reason.clone(),
                    });
                }
            }
        }
    }

    fn note_code(&mut self, code: &str) {
        if self.not_goods.len() < MOST_CODES || self.not_goods.contains_key(code) {
            *self.not_goods.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Sum { lines, units } = self.sold;
        writeln!(
            out,
            "order book: {} lines; {} of them, on {} invoices, sell {} units of {} products",
            HumanCount(self.lines),
            HumanCount(lines),
            HumanCount(self.invoices),
            count(units),
            HumanCount(self.products),
        )?;
        writeln!(out, "left out:\n{:>8}  {:>9}  reason", "lines", "units")?;
        for (why, sum) in &self.left_out {
            let reason = match why {
                LeftOut::Cancellation => {
                    format!(
                        "cancelled or returned, {} invoices with C",
                        self.cancellations
                    )
                }
                LeftOut::NotGoods => format!("not goods: {}", self.codes()),
                LeftOut::NoUnits => "no units sold: breakage, corrections of the stock".to_owned(),
                LeftOut::NoPrice => "price of 0: corrections of the stock, gifts".to_owned(),
            };
            let lines = HumanCount(sum.lines).to_string();
            writeln!(out, "{lines:>8}  {:>9}  {reason}", count(sum.units))?;
        }
        let unreadable = HumanCount(self.unreadable_lines).to_string();
        writeln!(out, "{unreadable:>8}  {:>9}  unreadable", "-")?;
        for cell in &self.unreadable {
            let column = cell.column.as_deref().unwrap_or("the row");
            writeln!(out, "  line {}: {column} {}", cell.line, cell.reason)?;
        }
        if self.respelled > 0 {
            let lines = HumanCount(self.respelled);
            writeln!(
                out,
                "{lines} lines write a code in small letters; it is the same product"
            )?;
        }
        Ok(())
    }

    fn codes(&self) -> String {
        let codes = self
            .not_goods
            .iter()
            .map(|(code, lines)| format!("{code} ({lines})"));
        let more = if self.not_goods.len() == MOST_CODES {
            ", …"
        } else {
            ""
        };
        codes.collect::<Vec<_>>().join(", ") + more
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let sum = |sum: &Sum| json!({ "lines": sum.lines, "units": sum.units });
        let left_out = |why| {
            self.left_out
                .get(&why)
                .map_or_else(|| sum(&Sum::default()), sum)
        };
        let unreadable = self
            .unreadable
            .iter()
            .map(|cell| json!({ "line": cell.line, "column": cell.column, "reason": cell.reason }));
        json!({
            "lines": self.lines,
            "sold": sum(&self.sold),
            "products": self.products,
            "invoices": self.invoices,
            "respelledLines": self.respelled,
            "cancellationInvoices": self.cancellations,
            "leftOut": {
                "cancellations": left_out(LeftOut::Cancellation),
                "notGoods": left_out(LeftOut::NotGoods),
                "noUnits": left_out(LeftOut::NoUnits),
                "noPrice": left_out(LeftOut::NoPrice),
            },
            "notGoods": self.not_goods,
            "unreadableLines": self.unreadable_lines,
            "unreadable": unreadable.collect::<Vec<_>>(),
        })
    }
}

/// Whether `name` was not seen before.
fn first(seen: &mut HashSet<String>, name: &str) -> bool {
    !seen.contains(name) && seen.insert(name.to_owned())
}

/// A count with separators, which may be negative.
fn count(units: i64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}", HumanCount(units.unsigned_abs()))
}
