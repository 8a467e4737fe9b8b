//! What a failed statement means. The only place that looks into a `DbErr`.

use domain::Fault;
use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// Why work on the ledger stopped; nothing of its transaction stays.
#[derive(Debug)]
pub enum Stop {
    Db(DbErr),
    Fault(Fault),
}

/// What a failed statement says about the ledger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Somebody inserted the same key first: looking again will show it.
    Taken,
    /// A row or a write that can't be: a repetition ends the same.
    Broken,
    /// The ledger is away, busy or out of time.
    Away,
}

fn meaning(error: &DbErr) -> Meaning {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => return Meaning::Taken,
        // A foreign key.
        Some(_) => return Meaning::Broken,
        None => {}
    }
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            match cause.as_ref() {
                SqlxError::Database(answer) if answer.is_check_violation() => Meaning::Broken,
                // A value of another type than its column's.
                SqlxError::ColumnDecode { .. } | SqlxError::Decode(_) => Meaning::Broken,
                _ => Meaning::Away,
            }
        }
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => Meaning::Broken,
        _ => Meaning::Away,
    }
}

impl Stop {
    /// Whether somebody else inserted first, so that the whole work should be done again.
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Db(error) => meaning(error) == Meaning::Taken,
            Self::Fault(_) => false,
        }
    }

    /// The fault of whoever was `doing` this.
    pub fn fault(self, doing: &'static str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Db(error) => match meaning(&error) {
                Meaning::Broken => Fault::corrupt(doing, error),
                Meaning::Taken | Meaning::Away => Fault::unavailable(doing, error),
            },
        }
    }

    /// A write that did not move exactly the rows it must.
    pub fn moved(doing: &'static str, expected: u64, moved: u64) -> Self {
        let detail = format!("{moved} rows moved where {expected} had to");
        Self::Fault(Fault::corrupt(doing, detail))
    }
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What became of `work`, in the words of whoever was `doing` this.
pub async fn while_doing<T, E: Into<Stop>>(
    doing: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    work.await.map_err(|stop| stop.into().fault(doing))
}
