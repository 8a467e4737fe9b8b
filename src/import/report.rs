//! What an import did, for people and for machines.

use std::fmt::Write as _;
use std::io;

use serde_json::{Value, json};

use super::book_report::BookReport;

/// The most refused cells that a report lists; those beyond are counted.
pub const MOST_LISTED: usize = 10_000;

/// A cell, or a row as a whole, that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusedCell {
    /// Of the file, counted from 1; the first line of a row that has several.
    pub line: u64,
    /// The column's name; nothing when it is the row as a whole.
    pub column: Option<String>,
    /// For people.
    pub reason: String,
}

/// What an import did.
#[derive(Clone, Default, Debug)]
pub struct ImportReport {
    /// Rows of the catalogue, the refused ones included; blank ones are none.
    pub rows: u64,
    /// Items that are there now and were not before.
    pub created: u64,
    /// Rows that were refused.
    pub refused_rows: u64,
    /// Why, by cell, in the file's order; at most [`MOST_LISTED`].
    pub refused: Vec<RefusedCell>,
    /// Refused cells beyond those listed.
    pub not_listed: u64,
    /// Columns that mean nothing here.
    pub ignored_columns: Vec<String>,
    /// Why not all of the file was read, or not all of it went in; nothing if it was.
    pub stopped: Option<String>,
    /// What the catalogue was derived from, if it was.
    pub book: Option<BookReport>,
}

impl ImportReport {
    /// Whether every row went in.
    pub fn is_complete(&self) -> bool {
        self.refused_rows == 0 && self.stopped.is_none()
    }

    /// Notes one row that was refused, for all of these reasons.
    pub fn refuse(&mut self, cells: impl IntoIterator<Item = RefusedCell>) {
        self.refused_rows += 1;
        for cell in cells {
            if self.refused.len() < MOST_LISTED {
                self.refused.push(cell);
            } else {
                self.not_listed += 1;
            }
        }
    }

    /// Prints it for people: the refused rows as a table, then the sums.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        if let Some(book) = &self.book {
            book.print(out)?;
        }
        if !self.refused.is_empty() {
            out.write_all(self.table().as_bytes())?;
        }
        if self.not_listed > 0 {
            writeln!(out, "… and {} more", self.not_listed)?;
        }
        if !self.ignored_columns.is_empty() {
            let columns = self.ignored_columns.join(", ");
            writeln!(out, "columns that mean nothing here: {columns}")?;
        }
        if let Some(stopped) = &self.stopped {
            writeln!(out, "stopped: {stopped}")?;
        }
        let Self {
            rows,
            created,
            refused_rows,
            ..
        } = self;
        writeln!(
            out,
            "{rows} rows read, {created} items created, {refused_rows} rows refused"
        )
    }

    fn table(&self) -> String {
        let column = |cell: &RefusedCell| cell.column.clone().unwrap_or_else(|| "-".to_owned());
        let widths = self.refused.iter().map(|cell| column(cell).chars().count());
        let width = widths.max().unwrap_or(0).max("column".len());
        let mut table = format!("{:>8}  {:<width$}  reason\n", "line", "column");
        for cell in &self.refused {
            let (line, reason) = (cell.line, &cell.reason);
            // Writing to a string does not fail.
            let _ = writeln!(table, "{line:>8}  {:<width$}  {reason}", column(cell));
        }
        table
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let refused = self
            .refused
            .iter()
            .map(|cell| json!({ "line": cell.line, "column": cell.column, "reason": cell.reason }));
        json!({
            "rows": self.rows,
            "created": self.created,
            "refusedRows": self.refused_rows,
            "refused": refused.collect::<Vec<_>>(),
            "notListed": self.not_listed,
            "ignoredColumns": self.ignored_columns,
            "stopped": self.stopped,
            "orders": self.book.as_ref().map(BookReport::to_json),
        })
    }
}
