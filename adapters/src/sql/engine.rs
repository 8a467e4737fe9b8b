//! What the engines do not share: how they are opened, how a transaction begins, whose clock is the
//! ledger's. Nothing outside knows which engine it is, but `many`, which speaks to each in its own
//! words.

mod pool;
mod server;
mod sqlite;
mod unbroken;

use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;
use domain::ports::Clock;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, SqliteTransactionMode, Statement, TransactionOptions,
};

pub use pool::Pool;
pub use server::{Address, LedgerSettings, Purpose};
pub use unbroken::Transaction;

/// The most bind parameters of one statement, with room to spare: SQLite allows 32,766, the servers
/// 65,535.
pub const MAX_PARAMETERS: usize = 30_000;

/// The ledger's connections: some write, some only read. SQLite has one writer at a time, so there
/// is one connection that writes, and writers wait for it in line instead of for the file; readers
/// never wait for it.
pub struct Engine {
    pub writer: Pool,
    pub reader: Pool,
    clock: Arc<dyn Clock>,
}

impl Engine {
    /// Opens a SQLite file, which is created where it is missing, with a durable write-ahead log.
    pub async fn sqlite(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, DbErr> {
        let writer = Pool::to_file(sqlite::options(file, 1, false)).await?;
        // Opened second: a reader can't make the file.
        let reader = Pool::to_file(sqlite::options(file, sqlite::READERS, true)).await?;
        Ok(Self {
            writer,
            reader,
            clock,
        })
    }

    /// Opens connections to a server.
    pub async fn server(
        address: &Address,
        settings: &LedgerSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DbErr> {
        let readers = Ord::max(settings.connections / 2, 1);
        let writers = Ord::max(settings.connections.saturating_sub(readers), 1);
        let writing = address.options(settings, Purpose::Writing, writers);
        let reading = address.options(settings, Purpose::Reading, readers);
        Ok(Self {
            writer: Pool::to_server(writing, settings.longest()).await?,
            reader: Pool::to_server(reading, settings.longest()).await?,
            clock,
        })
    }

    /// Whether other processes write, too.
    pub fn is_server(&self) -> bool {
        self.writer.get_database_backend() != DbBackend::Sqlite
    }

    /// Begins a transaction that will write. In SQLite at once, so that what it reads can't be
    /// changed by another writer before it writes; on a server it locks what it reads.
    pub async fn begin_write(&self) -> Result<Transaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions {
            sqlite_transaction_mode,
            ..Default::default()
        };
        self.writer.begin(options).await
    }

    /// Begins a transaction that reads one state of the ledger, however many statements it takes.
    pub async fn begin_read(&self) -> Result<Transaction, DbErr> {
        self.reader.begin(TransactionOptions::default()).await
    }

    /// The ledger's clock, by which alone deadlines are set and compared: the server's own, as it
    /// is at this statement and not where the transaction began. SQLite has no server, so its clock
    /// is this process's.
    pub async fn now(&self, within: &impl ConnectionTrait) -> Result<Timestamp, DbErr> {
        let backend = within.get_database_backend();
        let ask = match backend {
            DbBackend::MySql => "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
            DbBackend::Postgres => {
                "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000) AS BIGINT)"
            }
            _ => return Ok(self.clock.now()),
        };
        let answer = within
            .query_one_raw(Statement::from_string(backend, ask))
            .await?;
        let ms = answer
            .map(|row| row.try_get_by_index::<i64>(0))
            .transpose()?;
        ms.and_then(Timestamp::from_timestamp_millis)
            .ok_or_else(|| DbErr::Type("the server's clock makes no sense".to_owned()))
    }

    /// Ends all connections; what is written to a file is moved into it.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// A sum as a 64-bit number; the servers make it a decimal.
pub fn sum(backend: DbBackend, expr: SimpleExpr) -> SimpleExpr {
    let kind = match backend {
        DbBackend::MySql => "signed",
        _ => "bigint",
    };
    Expr::expr(expr.sum()).cast_as(kind)
}
