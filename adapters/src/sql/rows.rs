//! Rows become aggregates, or say which of their columns makes no sense.

pub mod account;
pub mod dead_letter;
pub mod item;
pub mod order;
pub mod record;
pub mod return_request;
pub mod wishlist;

use domain::{Currency, Fault, Money, Timestamp};
use uuid::Uuid;

use crate::crypto::vault::VaultError;
use crate::sql::fault::Stop;
use crate::words::Word;

/// A row that makes no sense: which one, and where. Never with its content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    pub table: &'static str,
    pub column: &'static str,
    pub id: String,
    pub problem: String,
}

impl From<BadRow> for Fault {
    fn from(bad: BadRow) -> Self {
        let BadRow {
            table,
            column,
            id,
            problem,
        } = bad;
        Self::corrupt(
            "reading a row of the ledger",
            format!("{table}.{column} of {id}: {problem}"),
        )
    }
}

impl From<BadRow> for Stop {
    fn from(bad: BadRow) -> Self {
        Self::Fault(bad.into())
    }
}

/// A row that is being read, for naming it when it is bad.
#[derive(Clone, Copy)]
struct Reading {
    table: &'static str,
    id: Uuid,
}

impl Reading {
    fn bad(self, column: &'static str, problem: impl Into<String>) -> BadRow {
        let Self { table, id } = self;
        BadRow {
            table,
            column,
            id: id.to_string(),
            problem: problem.into(),
        }
    }

    /// A value that this row can't be without.
    fn present<T>(self, column: &'static str, value: Option<T>) -> Result<T, BadRow> {
        value.ok_or_else(|| self.bad(column, "absent"))
    }

    fn instant(self, column: &'static str, ms: i64) -> Result<Timestamp, BadRow> {
        let at = Timestamp::from_timestamp_millis(ms);
        at.ok_or_else(|| self.bad(column, "an impossible instant"))
    }

    fn instant_or_none(
        self,
        column: &'static str,
        ms: Option<i64>,
    ) -> Result<Option<Timestamp>, BadRow> {
        ms.map(|ms| self.instant(column, ms)).transpose()
    }

    fn present_instant(self, column: &'static str, ms: Option<i64>) -> Result<Timestamp, BadRow> {
        self.instant(column, self.present(column, ms)?)
    }

    fn word<W: Word>(self, column: &'static str, word: &str) -> Result<W, BadRow> {
        W::from_word(word).ok_or_else(|| self.bad(column, "an unknown word"))
    }

    fn present_word<W: Word>(self, column: &'static str, word: Option<&str>) -> Result<W, BadRow> {
        self.word(column, self.present(column, word)?)
    }

    fn money(self, minor: i64, code: &str) -> Result<Money, BadRow> {
        let currency = Currency::from_code(code);
        let currency = currency.ok_or_else(|| self.bad("currency", "an unknown currency"))?;
        Ok(Money { minor, currency })
    }

    fn count(self, column: &'static str, count: i64) -> Result<u32, BadRow> {
        u32::try_from(count).map_err(|_| self.bad(column, "out of range"))
    }

    fn sealed(self, column: &'static str, error: VaultError) -> BadRow {
        self.bad(column, error.to_string())
    }
}

/// An instant as it is stored.
pub fn ms(at: Timestamp) -> i64 {
    at.timestamp_millis()
}
