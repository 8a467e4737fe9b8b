//! A SQLite file of an embedded engine: one connection that writes, a few that read.

use std::path::Path;
use std::time::Duration;

use domain::Fault;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, raw_sql};

/// How long a connection waits for a file that another process is writing to.
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

pub(crate) struct File {
    pub writer: SqliteConnection,
    pub readers: SqlitePool,
}

/// Opens a file, or makes it, with this schema. Every commit is on the disk when it returns: the
/// process and the machine may die at any moment.
pub(crate) async fn open(
    path: &Path,
    schema: &'static str,
    doing: &'static str,
) -> Result<File, Fault> {
    let fault = |error: sqlx::Error| Fault::unavailable(doing, error);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let mut writer = options.connect().await.map_err(fault)?;
    raw_sql(schema).execute(&mut writer).await.map_err(fault)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.read_only(true))
        .await
        .map_err(fault)?;
    Ok(File { writer, readers })
}
