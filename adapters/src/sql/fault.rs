//! What a failed statement means. The only place that looks into a `DbErr`.

use domain::Fault;
use sea_orm::{DbErr, RuntimeErr, SqlxError, SqlxMySqlError, SqlxPostgresError};

/// Why work on the ledger stopped; nothing of its transaction stays.
#[derive(Debug)]
pub enum Stop {
    Db(DbErr),
    Fault(Fault),
}

/// What a failed statement says about the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    /// Somebody inserted the same key first: looking again will show it.
    Taken,
    /// The server ended this transaction for another one that waited for it in turn.
    Deadlock,
    /// Another transaction kept a row locked for too long.
    Locked,
    /// A row or a write that can't be: a repetition ends the same.
    Broken,
    /// The ledger is away, busy or out of time.
    Away,
}

/// When work that stopped is worth doing again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// At once: what was in the way is there to be seen.
    AtOnce,
    /// After a pause, so often.
    Later { most_tries: u32 },
}

/// Tries after deadlocks: whoever else was in it is done after a few.
const TRIES_AFTER_DEADLOCK: u32 = 8;
/// Tries where a row stays locked: each has waited for seconds.
const TRIES_WHERE_LOCKED: u32 = 2;

/// The server has no such database: MySQL's number, PostgreSQL's code.
const MYSQL_NO_DATABASE: u16 = 1049;
const POSTGRES_NO_DATABASE: &str = "3D000";

fn meaning(error: &DbErr) -> Meaning {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause))
        | DbErr::Conn(RuntimeErr::SqlxError(cause)) => match cause.as_ref() {
            // A value of another type than its column's.
            SqlxError::ColumnDecode { .. } | SqlxError::Decode(_) => Meaning::Broken,
            cause => said(cause),
        },
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => Meaning::Broken,
        _ => Meaning::Away,
    }
}

/// What the engine said.
fn said(error: &SqlxError) -> Meaning {
    let Some(answer) = error.as_database_error() else {
        return Meaning::Away;
    };
    if answer.is_unique_violation() {
        return Meaning::Taken;
    }
    if answer.is_check_violation() || answer.is_foreign_key_violation() {
        return Meaning::Broken;
    }
    if let Some(mysql) = answer.try_downcast_ref::<SqlxMySqlError>() {
        return match (mysql.number(), mysql.code()) {
            (1213, _) => Meaning::Deadlock,
            (1205, _) => Meaning::Locked,
            // A text that its column can't hold, which has no code of its own.
            (1366, _) => Meaning::Broken,
            (_, Some(code)) => of_class(code),
            (_, None) => Meaning::Away,
        };
    }
    if let Some(postgres) = answer.try_downcast_ref::<SqlxPostgresError>() {
        return match postgres.code() {
            "40P01" | "40001" => Meaning::Deadlock,
            "55P03" => Meaning::Locked,
            code => of_class(code),
        };
    }
    Meaning::Away
}

/// What the class of an SQLSTATE says: bad data and broken constraints stay so; everything else may
/// pass, a schema that is being changed among it.
fn of_class(code: &str) -> Meaning {
    match code.get(..2) {
        Some("22" | "23") => Meaning::Broken,
        _ => Meaning::Away,
    }
}

/// Whether a server could not be opened because it has no such database.
pub fn is_no_database(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(cause)) = error else {
        return false;
    };
    let answer = cause.as_database_error();
    let mysql = answer.and_then(|answer| answer.try_downcast_ref::<SqlxMySqlError>());
    let postgres = answer.and_then(|answer| answer.try_downcast_ref::<SqlxPostgresError>());
    mysql.is_some_and(|mysql| mysql.number() == MYSQL_NO_DATABASE)
        || postgres.is_some_and(|postgres| postgres.code() == POSTGRES_NO_DATABASE)
}

impl Stop {
    /// When the whole work is worth doing again, if it is.
    pub fn again(&self) -> Option<Again> {
        let Self::Db(error) = self else { return None };
        match meaning(error) {
            Meaning::Taken => Some(Again::AtOnce),
            Meaning::Deadlock => Some(Again::Later {
                most_tries: TRIES_AFTER_DEADLOCK,
            }),
            Meaning::Locked => Some(Again::Later {
                most_tries: TRIES_WHERE_LOCKED,
            }),
            Meaning::Broken | Meaning::Away => None,
        }
    }

    /// The fault of whoever was `doing` this.
    pub fn fault(self, doing: &'static str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Db(error) => match meaning(&error) {
                Meaning::Broken => Fault::corrupt(doing, error),
                Meaning::Taken | Meaning::Deadlock | Meaning::Locked | Meaning::Away => {
                    Fault::unavailable(doing, error)
                }
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
