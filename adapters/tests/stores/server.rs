//! Fresh databases on a server that all tests share.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::crypto::vault::{Vault, VaultKey};
use adapters::entropy::SystemEntropy;
use adapters::sql::{Ledger, LedgerSettings};
use domain::Fault;
use domain::ports::Clock;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr};

use super::bench::Bench;
use crate::services::namespace;

/// A database of its own, which goes with this.
pub struct Shop {
    /// The server's, with another database.
    server: String,
    database: String,
}

impl Shop {
    /// A database that is not there yet, on the server of `url`.
    pub fn named(url: &str) -> Self {
        let (server, _) = url.rsplit_once('/').expect("it names a database");
        Self {
            server: server.to_owned(),
            database: format!("test_{}", namespace()),
        }
    }

    /// One that has its schema.
    pub async fn fresh(url: &str) -> Self {
        let shop = Self::named(url);
        shop.migrate()
            .await
            .map_err(|fault| fault.detail())
            .unwrap();
        shop
    }

    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.database)
    }

    pub async fn migrate(&self) -> Result<(), Fault> {
        Ledger::migrate(&self.url(), &LedgerSettings::default()).await
    }

    pub async fn try_open(&self, settings: &LedgerSettings) -> Result<Ledger, Fault> {
        Ledger::open(&self.url(), settings, Arc::new(SystemClock), vault()).await
    }

    /// The ledger, with these keys.
    pub async fn ledger_of(&self, vault: Vault) -> Arc<Ledger> {
        let opened = Ledger::open(&self.url(), &settings(), Arc::new(SystemClock), vault).await;
        Arc::new(opened.map_err(|fault| fault.detail()).unwrap())
    }

    /// The ledger, as another process would open it.
    pub async fn ledger(&self) -> Arc<Ledger> {
        self.ledger_with(&settings()).await
    }

    pub async fn ledger_with(&self, settings: &LedgerSettings) -> Arc<Ledger> {
        let opened = self.try_open(settings).await;
        Arc::new(opened.map_err(|fault| fault.detail()).unwrap())
    }

    pub async fn bench(&self) -> Bench {
        bench(self.ledger().await)
    }

    /// A connection that knows nothing of the ledger.
    pub async fn raw(&self) -> Raw {
        Raw(connect(&self.url()).await.unwrap())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let (server, database) = (self.server.clone(), self.database.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(drop_database(&server, &database))
        });
        // What can't be dropped is left to whoever ends the server.
        let _ = dropping.join();
    }
}

async fn drop_database(server: &str, database: &str) -> Result<(), DbErr> {
    let is_mysql = server.starts_with("mysql");
    let other = if is_mysql { "mysql" } else { "postgres" };
    let connection = connect(&format!("{server}/{other}")).await?;
    let force = if is_mysql { "" } else { "WITH (FORCE)" };
    let sql = format!("DROP DATABASE IF EXISTS {database} {force}");
    connection.execute_unprepared(&sql).await?;
    connection.close().await
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

/// A ledger's ports, for the suite.
#[allow(
    clippy::disallowed_methods,
    reason = "the server's clock can only be waited for"
)]
pub fn bench(ledger: Arc<Ledger>) -> Bench {
    Bench {
        orders: ledger.clone(),
        catalogue: ledger.clone(),
        outbox: ledger.clone(),
        accounts: ledger.clone(),
        sessions: ledger.clone(),
        verifications: ledger.clone(),
        wishlists: ledger.clone(),
        back_office: ledger.clone(),
        letters: ledger.clone(),
        housekeeping: ledger.clone(),
        references: ledger.clone(),
        dead_letters: ledger.clone(),
        audit: ledger,
        pass_time: Box::new(|| {
            let before = SystemClock.now();
            // The server's clock goes by itself; longer than any short hold.
            std::thread::sleep(Duration::from_millis(60));
            before
        }),
        time_waits: false,
        next: AtomicI64::new(0),
    }
}

/// Fewer connections than a shop's: many tests run at once.
pub fn settings() -> LedgerSettings {
    LedgerSettings {
        connections: 8,
        ..LedgerSettings::default()
    }
}

pub fn vault() -> Vault {
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    Vault::with(key, &[9; 32], Arc::new(SystemEntropy))
}

/// One session, in which a test says what no port would.
pub struct Raw(DatabaseConnection);

impl Raw {
    pub fn is_mysql(&self) -> bool {
        self.0.get_database_backend() == DbBackend::MySql
    }

    pub async fn say(&self, statement: &str) {
        self.try_say(statement).await.unwrap();
    }

    /// The rows that moved, or the server's own words.
    pub async fn try_say(&self, statement: &str) -> Result<u64, String> {
        let said = self.0.execute_unprepared(statement).await;
        said.map(|done| done.rows_affected())
            .map_err(|error| error.to_string())
    }

    /// The numbers that a statement finds.
    pub async fn numbers(&self, statement: &str) -> Vec<i64> {
        let statement = sea_orm::Statement::from_string(self.0.get_database_backend(), statement);
        let rows = self.0.query_all_raw(statement).await.unwrap();
        let numbers = rows.iter().map(|row| row.try_get_by_index::<i64>(0));
        numbers.collect::<Result<_, _>>().unwrap()
    }

    /// The text that a statement finds.
    pub async fn text(&self, statement: &str) -> String {
        let statement = sea_orm::Statement::from_string(self.0.get_database_backend(), statement);
        let row = self.0.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<String>(0).unwrap()
    }

    /// Ends every other session in this database, as a server that goes down would.
    pub async fn end_others(&self) -> usize {
        if !self.is_mysql() {
            let ended = "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END::bigint \
                         FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";
            return self.numbers(ended).await.len();
        }
        let others = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        let others = self.numbers(others).await;
        for id in &others {
            // One that has ended meanwhile can't be killed.
            let _ = self.try_say(&format!("KILL CONNECTION {id}")).await;
        }
        others.len()
    }
}
