//! What the engines do not share: how they are opened, how a transaction begins, whose clock is the
//! ledger's. Nothing outside knows which engine it is.

use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;
use domain::ports::Clock;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

/// The most bind parameters of one statement, with room to spare: SQLite allows 32,766, the servers
/// 65,535.
pub const MAX_PARAMETERS: usize = 30_000;

/// Connections that read a SQLite file, beside the one that writes: enough that a long read holds
/// nobody up. On two cores, eight read no faster.
const READERS: u32 = 4;
/// How long a statement waits for another process that has the file, in milliseconds.
const BUSY_MS: &str = "5000";
/// Pages of the write-ahead log after which it is moved into the file (16 MiB): a smaller log syncs
/// the file more often than the orders do.
const CHECKPOINT_PAGES: &str = "4000";
/// Memory of the writing connection for pages, in KiB (SQLite counts pages where it is positive).
const CACHE_KIB: &str = "-65536";

/// The ledger's connections. SQLite has one writer at a time, so there is one connection that
/// writes, and writers wait for it in line instead of for the file; readers never wait for it.
pub struct Engine {
    pub writer: DatabaseConnection,
    pub reader: DatabaseConnection,
    clock: Arc<dyn Clock>,
}

impl Engine {
    /// Opens a SQLite file, which is created where it is missing, with a durable write-ahead log.
    pub async fn sqlite(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, DbErr> {
        let writer = Database::connect(sqlite(file, 1, false)).await?;
        // Opened second: a reader can't make the file.
        let reader = Database::connect(sqlite(file, READERS, true)).await?;
        Ok(Self {
            writer,
            reader,
            clock,
        })
    }

    /// Begins a transaction that will write: at once, so that what it reads can't be changed by
    /// another writer before it writes.
    pub async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions {
            sqlite_transaction_mode,
            ..Default::default()
        };
        self.writer.begin_with_options(options).await
    }

    /// Begins a transaction that reads one state of the ledger, however many statements it takes.
    pub async fn begin_read(&self) -> Result<DatabaseTransaction, DbErr> {
        self.reader.begin().await
    }

    /// The ledger's clock, by which alone deadlines are set and compared: a server's own, asked
    /// within the transaction. SQLite has no server, so its clock is this process's.
    pub fn now(
        &self,
        _within: &impl ConnectionTrait,
    ) -> impl Future<Output = Result<Timestamp, DbErr>> {
        std::future::ready(Ok(self.clock.now()))
    }

    /// Ends all connections; what is written is moved into the file.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await
    }
}

fn sqlite(file: &Path, connections: u32, only_reads: bool) -> ConnectOptions {
    let file = file.to_owned();
    // The path in the address is replaced below: a real one may hold what an address can't.
    let mut options = ConnectOptions::new("sqlite:ledger");
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not break by itself.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&file)
                .create_if_missing(!only_reads)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("busy_timeout", BUSY_MS)
                .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
                .pragma("cache_size", if only_reads { "-8192" } else { CACHE_KIB })
                .pragma("temp_store", "MEMORY")
                .pragma("query_only", if only_reads { "ON" } else { "OFF" })
        });
    options
}

/// A sum as a 64-bit number; the servers make it a decimal.
pub fn sum(backend: DbBackend, expr: SimpleExpr) -> SimpleExpr {
    let kind = match backend {
        DbBackend::MySql => "signed",
        _ => "bigint",
    };
    Expr::expr(expr.sum()).cast_as(kind)
}
