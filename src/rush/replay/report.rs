//! What came of a replay, for people and for machines.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::compare::Compared;
use super::giving_back::TakenBack;
use crate::import::book_report::BookReport;
use crate::rush::stampede::per_second;
use crate::rush::tally::Latency;
use crate::rush::verify::Verified;

/// The most refused invoices, and the most unknown codes, that a report lists.
const MOST_LISTED: usize = 1_000;

/// What came of a replay.
pub struct Replayed {
    pub book: BookReport,
    pub purchases: Purchases,
    pub latency: Latency,
    /// From the first order to the last payment.
    pub took: Duration,
    /// Nothing when nothing was to be taken back.
    pub taken_back: Option<TakenBack>,
    pub compared: Compared,
    pub verified: Verified,
}

/// What became of the baskets.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Purchases {
    pub paid: u64,
    /// Of them, those that an earlier run of the same name had paid.
    pub paid_before: u64,
    /// Baskets that were not bought, by reason.
    pub failed: BTreeMap<String, u64>,
    /// The first of them, at most [`MOST_LISTED`].
    pub listed: Vec<Failed>,
    /// Lines by code that is not in the catalogue, at most [`MOST_LISTED`] codes.
    pub unknown_codes: BTreeMap<String, u64>,
    /// Why the book was not read to its end.
    pub broken_off: Option<String>,
}

/// A basket that was not bought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    pub invoice: String,
    /// The line of the book on which it begins.
    pub line: u64,
    /// A code, or the state that its order is in.
    pub reason: String,
    /// For people.
    pub detail: String,
}

impl Purchases {
    pub fn note_failed(&mut self, failed: Failed) {
        *self.failed.entry(failed.reason.clone()).or_default() += 1;
        if self.listed.len() < MOST_LISTED {
            self.listed.push(failed);
        }
    }

    pub fn note_unknown(&mut self, code: String) {
        if self.unknown_codes.len() < MOST_LISTED || self.unknown_codes.contains_key(&code) {
            *self.unknown_codes.entry(code).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: Self) {
        self.paid += other.paid;
        self.paid_before += other.paid_before;
        for (reason, count) in other.failed {
            *self.failed.entry(reason).or_default() += count;
        }
        let room = MOST_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
        for (code, lines) in other.unknown_codes {
            *self.unknown_codes.entry(code).or_default() += lines;
        }
    }

    fn refused(&self) -> u64 {
        self.failed.values().sum()
    }
}

impl Replayed {
    /// Whether all that the book sells is sold and there, and all taken back that was to be, to the
    /// unit.
    pub fn is_clean(&self) -> bool {
        self.taken_back.as_ref().is_none_or(TakenBack::is_clean)
            && self.verified.is_clean()
            && self.compared.is_equal()
            && self.purchases.broken_off.is_none()
    }

    /// Prints it for people.
    ///
    /// # Errors
    /// `out` can't be written to.
    pub fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Purchases {
            paid,
            paid_before,
            listed,
            ..
        } = &self.purchases;
        self.book.print(out)?;
        writeln!(out)?;
        writeln!(out, "{paid:>9}  orders placed and paid")?;
        if *paid_before > 0 {
            writeln!(
                out,
                "{paid_before:>9}  of them by an earlier run of this name"
            )?;
        }
        for (reason, count) in &self.purchases.failed {
            writeln!(out, "{count:>9}  not bought: {reason}")?;
        }
        for Failed {
            invoice,
            line,
            reason,
            detail,
        } in listed
        {
            writeln!(out, "  invoice {invoice} (line {line}): {reason}, {detail}")?;
        }
        let unlisted = self.purchases.refused().saturating_sub(listed.len() as u64);
        if unlisted > 0 {
            writeln!(out, "  … and {unlisted} more")?;
        }
        for (code, lines) in &self.purchases.unknown_codes {
            writeln!(
                out,
                "{lines:>9}  lines left out, not in the catalogue: {code}"
            )?;
        }
        if let Some(broken_off) = &self.purchases.broken_off {
            writeln!(out, "the book was not read to its end: {broken_off}")?;
        }
        let rate = per_second(*paid, self.took);
        writeln!(
            out,
            "{rate} orders a second, paid, in {:.2} s",
            self.took.as_secs_f64()
        )?;
        writeln!(out, "{}", self.latency.line())?;
        let taken_back = self.taken_back.as_ref().map(TakenBack::lines);
        let verified = self.verified.lines();
        for line in taken_back
            .into_iter()
            .flatten()
            .chain(verified)
            .chain(self.compared.lines())
        {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// The same for machines.
    pub fn to_json(&self) -> Value {
        let Purchases {
            paid,
            paid_before,
            failed,
            listed,
            unknown_codes,
            broken_off,
        } = &self.purchases;
        let listed = listed.iter().map(
            |Failed {
                 invoice,
                 line,
                 reason,
                 detail,
             }| {
                json!({ "invoice": invoice, "line": line, "reason": reason, "detail": detail })
            },
        );
        json!({
            "book": self.book.to_json(),
            "paid": paid,
            "paidByEarlierRun": paid_before,
            "notBought": failed,
            "notBoughtInvoices": listed.collect::<Vec<_>>(),
            "notInCatalogue": unknown_codes,
            "brokenOff": broken_off,
            "tookMs": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "ordersPerSecond": per_second(*paid, self.took),
            "latency": self.latency.to_json(),
            "takenBack": self.taken_back.as_ref().map(TakenBack::to_json),
            "sold": self.compared.to_json(),
            "verified": self.verified.to_json(),
        })
    }
}
