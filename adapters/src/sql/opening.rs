//! How the ledger is opened, and its schema brought up to date.

use std::path::Path;
use std::sync::Arc;

use domain::Fault;
use domain::ports::Clock;
use migrations::Schema;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};
use tokio::sync::Notify;

use super::Ledger;
use super::engine::{Address, Engine, LedgerSettings, Purpose};
use super::fault::{Again, Stop, is_no_database};
use super::orders::Together;
use super::pauses::Pauses;
use crate::crypto::vault::Vault;

const OPENING: &str = "opening the ledger";
const MIGRATING: &str = "bringing the ledger's schema up to date";

impl Ledger {
    /// Opens the ledger in a SQLite file, creating it where it is missing, and brings its schema up
    /// to date. `clock` is the ledger's clock.
    ///
    /// # Errors
    /// The file can't be opened, or holds a schema of a later program.
    pub async fn open_sqlite(
        file: &Path,
        clock: Arc<dyn Clock>,
        vault: Vault,
    ) -> Result<Self, Fault> {
        let engine = Engine::sqlite(file, clock.clone())
            .await
            .map_err(|error| Stop::Db(error).fault(OPENING))?;
        migrations::up(&engine.writer.driver())
            .await
            .map_err(|error| Stop::Db(error).fault(OPENING))?;
        Ok(Self::over(engine, clock, vault))
    }

    /// Opens the ledger on a server: `mysql://`, `mariadb://` or `postgres://`, with the driver's own
    /// parameters (`ssl-mode`, `sslmode`, …). The ledger's clock is the server's; `clock` only times
    /// waiting.
    ///
    /// # Errors
    /// The server can't be reached, or its schema is not this program's: see [`Ledger::migrate`].
    pub async fn open(
        url: &str,
        settings: &LedgerSettings,
        clock: Arc<dyn Clock>,
        vault: Vault,
    ) -> Result<Self, Fault> {
        let address = Address::parse(url)?;
        let engine = match Engine::server(&address, settings, clock.clone()).await {
            Ok(engine) => engine,
            Err(error) if is_no_database(&error) => return Err(not_current(Schema::Older)),
            Err(error) => return Err(Stop::Db(error).fault(OPENING)),
        };
        match migrations::schema(&engine.reader.driver()).await {
            Ok(Schema::Current) => Ok(Self::over(engine, clock, vault)),
            Ok(other) => Err(not_current(other)),
            Err(error) => Err(Stop::Db(error).fault(OPENING)),
        }
    }

    /// Brings the schema of a server's database up to this program's; creates the database where it
    /// is missing and its user may. Several that migrate at once do it one after the other.
    ///
    /// # Errors
    /// The server can't be reached, does not let this user, or holds a schema of a later program.
    pub async fn migrate(url: &str, settings: &LedgerSettings) -> Result<(), Fault> {
        let address = Address::parse(url)?;
        let database = match connect(&address, settings).await {
            Err(error) if is_no_database(&error) => {
                create_database(&address, settings).await?;
                connect(&address, settings).await
            }
            connected => connected,
        };
        let database = database.map_err(|error| Stop::Db(error).fault(MIGRATING))?;
        let migrated = async {
            lock(&database).await?;
            if migrations::schema(&database).await? == Schema::Newer {
                return Err(Stop::Fault(not_current(Schema::Newer)));
            }
            Ok(migrations::up(&database).await?)
        };
        let migrated = migrated.await.map_err(|stop: Stop| stop.fault(MIGRATING));
        // The lock is the session's and ends with it.
        let closed = database.close().await;
        migrated.and(closed.map_err(|error| Stop::Db(error).fault(MIGRATING)))
    }

    fn over(engine: Engine, timer: Arc<dyn Clock>, vault: Vault) -> Self {
        Self {
            engine,
            timer,
            vault,
            together: Together::default(),
            pauses: Pauses::default(),
            events: Notify::new(),
        }
    }
}

/// One session that may change the schema.
async fn connect(
    address: &Address,
    settings: &LedgerSettings,
) -> Result<DatabaseConnection, DbErr> {
    Database::connect(address.options(settings, Purpose::Migrating, 1)).await
}

async fn create_database(address: &Address, settings: &LedgerSettings) -> Result<(), Fault> {
    let create = async {
        let server = connect(&address.without_database(), settings).await?;
        let created = server.execute_unprepared(&address.creation()).await;
        server.close().await?;
        created.map(drop)
    };
    match create.await {
        Ok(()) => Ok(()),
        Err(error) => {
            let stop = Stop::Db(error);
            // Somebody else created it in between.
            if stop.again() == Some(Again::AtOnce) {
                return Ok(());
            }
            Err(stop.fault("creating the ledger's database"))
        }
    }
}

/// Waits until nobody else migrates this database.
async fn lock(database: &DatabaseConnection) -> Result<(), Stop> {
    let backend = database.get_database_backend();
    let ask = match backend {
        DbBackend::MySql => {
            "SELECT GET_LOCK(CONCAT('firstcome.', LEFT(SHA2(DATABASE(), 256), 32)), \
             @@SESSION.lock_wait_timeout)"
        }
        // Any number that nobody else uses in this database.
        _ => "SELECT pg_advisory_lock(7311842905563)",
    };
    let answer = database
        .query_one_raw(Statement::from_string(backend, ask))
        .await?;
    let got = match answer {
        Some(row) if backend == DbBackend::MySql => {
            row.try_get_by_index::<Option<i64>>(0)? == Some(1)
        }
        answer => answer.is_some(),
    };
    if got {
        Ok(())
    } else {
        let problem = "somebody else is at it, and does not come to an end";
        Err(Stop::Fault(Fault::unavailable(MIGRATING, problem)))
    }
}

fn not_current(schema: Schema) -> Fault {
    let problem = match schema {
        Schema::Newer => "its schema is of a later program: start that one",
        Schema::Older | Schema::Current => {
            "its schema is older than this program: run `firstcome migrate`"
        }
    };
    Fault::corrupt(OPENING, problem)
}
