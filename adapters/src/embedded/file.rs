//! A SQLite file of an embedded engine: one connection that writes, a few that read.

use std::path::Path;
use std::time::Duration;

use domain::Fault;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, raw_sql};

/// How long a connection waits for a file that another process is writing to.
const BUSY: Duration = Duration::from_secs(10);
/// Processes that open a new file at the same moment are in each other's way, however long a
/// connection waits: the journal is not changed while somebody looks. Then they try again.
const TRIES: u32 = 100;
const TRY_AGAIN: Duration = Duration::from_millis(50);
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
    let writer = connect(&options, schema).await.map_err(fault)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.read_only(true))
        .await
        .map_err(fault)?;
    Ok(File { writer, readers })
}

async fn connect(
    options: &SqliteConnectOptions,
    schema: &'static str,
) -> sqlx::Result<SqliteConnection> {
    let mut tries = 1;
    loop {
        let connected = async {
            let mut connection = options.connect().await?;
            raw_sql(schema).execute(&mut connection).await?;
            Ok(connection)
        };
        match connected.await {
            Err(sqlx::Error::Database(error)) if is_locked(&*error) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(TRY_AGAIN).await;
            }
            connected => return connected,
        }
    }
}

fn is_locked(error: &dyn DatabaseError) -> bool {
    // SQLITE_BUSY and what is more precise: the low byte is 5.
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
