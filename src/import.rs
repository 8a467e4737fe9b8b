//! `firstcome import`: takes a shop's catalogue in, from its own file or derived from its order book.

pub mod book_report;
mod catalogue;
mod derive;
pub mod order_book;
mod reasons;
pub mod report;
pub mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use domain::Fault;
use domain::use_cases::import_items::{CatalogueRow, Imported};

use catalogue::{Catalogue, Row, Wrong};
use order_book::OrderBook;
use report::ImportReport;
use table::{Table, Unreadable};

/// Rows handed on at once: what of a catalogue is in memory.
const CHUNK: usize = 1_000;

/// What to import.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "source", required = true, multiple = false)]
pub struct ImportSource {
    /// A catalogue as CSV (or gzip of it) with the columns sku, name, price, currency and stock,
    /// and perhaps description and category, in any order. Items that are there already stay as
    /// they are.
    #[arg(value_name = "FILE")]
    pub catalogue: Option<PathBuf>,
    /// Derive the catalogue from an order book as CSV (or gzip of it) with the columns `InvoiceNo`,
    /// `StockCode`, `Description`, `Quantity`, `UnitPrice` and `CustomerID`: what is sold becomes an
    /// item, under its last name and price in GBP, with the units that the book sells as its stock.
    #[arg(long, value_name = "FILE")]
    pub from_orders: Option<PathBuf>,
}

/// The options of `firstcome import`.
#[derive(clap::Args, Clone, Debug)]
pub struct ImportArgs {
    #[command(flatten)]
    pub source: ImportSource,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Nothing was imported, since the file is no table of what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportError(Unreadable);

impl fmt::Display for ImportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for ImportError {}

impl From<Unreadable> for ImportError {
    fn from(unreadable: Unreadable) -> Self {
        Self(unreadable)
    }
}

/// Reads the file and hands its rows to `take`, a part at a time; every row that is refused, by the
/// file's own sense or by `take`, is in the report, the rest goes in. What stops it half-way, a
/// fault or a file that breaks off, is in the report too.
///
/// # Errors
/// The file can't be opened, or its header says that it is something else.
pub async fn run<T>(source: &ImportSource, take: T) -> Result<ImportReport, ImportError>
where
    T: AsyncFnMut(&[CatalogueRow]) -> Result<Imported, Fault>,
{
    match (&source.catalogue, &source.from_orders) {
        (Some(path), _) => Ok(import_catalogue(Catalogue::new(Table::open(path)?)?, take).await),
        (None, Some(path)) => import_from_orders(path, take).await,
        (None, None) => Ok(ImportReport::default()),
    }
}

async fn import_catalogue<T>(mut catalogue: Catalogue, take: T) -> ImportReport
where
    T: AsyncFnMut(&[CatalogueRow]) -> Result<Imported, Fault>,
{
    let ignored_columns = catalogue.ignored_columns();
    let mut taking = Taking::new(
        take,
        ImportReport {
            ignored_columns,
            ..Default::default()
        },
    );
    loop {
        match catalogue.next_row() {
            Ok(Some(Row::Read { line, row })) => {
                taking.report.rows += 1;
                if taking.add(line, row).await.is_err() {
                    break;
                }
            }
            Ok(Some(Row::Refused(cells))) => {
                taking.report.rows += 1;
                taking.report.refuse(cells);
            }
            Ok(None) => break,
            Err(unreadable) => {
                taking.report.stopped = Some(unreadable.to_string());
                break;
            }
        }
    }
    taking.finish().await
}

async fn import_from_orders<T>(path: &Path, take: T) -> Result<ImportReport, ImportError>
where
    T: AsyncFnMut(&[CatalogueRow]) -> Result<Imported, Fault>,
{
    let derived = derive::derive(OrderBook::open(path)?);
    let report = ImportReport {
        rows: derived.rows.len() as u64,
        book: Some(derived.report),
        stopped: derived.broken_off.map(|unreadable| unreadable.to_string()),
        ..Default::default()
    };
    let mut taking = Taking::new(take, report);
    for (line, row) in derived.rows {
        if taking.add(line, row).await.is_err() {
            break;
        }
    }
    Ok(taking.finish().await)
}

/// Rows on their way to whoever takes them.
struct Taking<T> {
    take: T,
    report: ImportReport,
    lines: Vec<u64>,
    rows: Vec<CatalogueRow>,
}

/// There was a fault, and it is in the report.
struct Stopped;

impl<T> Taking<T>
where
    T: AsyncFnMut(&[CatalogueRow]) -> Result<Imported, Fault>,
{
    fn new(take: T, report: ImportReport) -> Self {
        Self {
            take,
            report,
            lines: Vec::new(),
            rows: Vec::new(),
        }
    }

    async fn add(&mut self, line: u64, row: CatalogueRow) -> Result<(), Stopped> {
        self.lines.push(line);
        self.rows.push(row);
        if self.rows.len() < CHUNK {
            Ok(())
        } else {
            self.hand_on().await
        }
    }

    async fn hand_on(&mut self) -> Result<(), Stopped> {
        let imported = (self.take)(&self.rows).await;
        let result = match imported {
            Ok(imported) => {
                self.note(&imported);
                Ok(())
            }
            Err(fault) => {
                let rows = self.rows.len();
                let detail = fault.detail();
                self.report.stopped = Some(format!(
                    "{detail}; the last {rows} rows may not be in, import them again"
                ));
                Err(Stopped)
            }
        };
        self.lines.clear();
        self.rows.clear();
        result
    }

    fn note(&mut self, imported: &Imported) {
        self.report.created += imported.created as u64;
        for refusals in imported.refused.chunk_by(|one, next| one.0 == next.0) {
            let cells = refusals.iter().filter_map(|(place, refusal)| {
                let (line, row) = (self.lines.get(*place)?, self.rows.get(*place)?);
                Some(Wrong::of(refusal, row).on(*line))
            });
            self.report.refuse(cells);
        }
    }

    async fn finish(mut self) -> ImportReport {
        if !self.rows.is_empty() {
            // Whatever stops it is in the report.
            let _ = self.hand_on().await;
        }
        // What only the ledger could tell came a chunk later.
        self.report.refused.sort_by_key(|cell| cell.line);
        self.report
    }
}
