//! Connections to a server: where it is, and what every session is told before its first statement.

use std::time::Duration;

use domain::Fault;
use percent_encoding::percent_decode_str;
use sea_orm::ConnectOptions;
use sea_orm::sqlx::{AssertSqlSafe, Executor};
use url::Url;

/// How long a connection may rest in the pool before it is closed.
const REST: Duration = Duration::from_mins(10);
/// How long a connection lives: a server's memory for a session only grows, and a proxy in between
/// moves nobody who stays.
const LIFE: Duration = Duration::from_mins(30);
/// A connection that rested longer is tried before it is used.
const TRIED_AFTER: Duration = Duration::from_secs(5);
/// How long a statement and its answer may be on their way.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// How long a migration waits for another one, and for tables that are in use.
const MIGRATION_WAITS: Duration = Duration::from_mins(1);

/// What the ledger may ask of its server.
#[derive(Clone, Copy, Debug)]
pub struct LedgerSettings {
    /// Connections of this process, at least two: half of them write, the others read.
    pub connections: u32,
    /// How long one statement may take. (MySQL 8 applies it to reading ones only.)
    pub statement_timeout: Duration,
    /// How long a statement waits for a row that another transaction has locked.
    pub lock_timeout: Duration,
    /// How long a transaction may do nothing until the server takes it back: what a process that
    /// was stopped in the middle holds is free after that.
    pub idle_timeout: Duration,
    /// How long work waits for a connection.
    pub acquire_timeout: Duration,
}

impl LedgerSettings {
    /// After what time a statement has its answer, unless the server is silent: a connection for it,
    /// the locks it waits for, and itself.
    pub fn longest(&self) -> Duration {
        self.acquire_timeout + self.lock_timeout + self.statement_timeout + ON_THE_WAY
    }
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(10),
            acquire_timeout: Duration::from_secs(3),
        }
    }
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Transactions that write: READ COMMITTED, since every one locks what it decides by.
    Writing,
    /// Transactions that only read: REPEATABLE READ, one state however many statements.
    Reading,
    /// Changes of the schema, which take their time.
    Migrating,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    MySql,
    Postgres,
}

/// Where a server's database is. The password is kept apart, so that no error and no log can have
/// it.
#[derive(Clone)]
pub struct Address {
    kind: Kind,
    url: Url,
    password: Option<String>,
}

impl Address {
    /// Takes apart `mysql://`, `mariadb://` or `postgres://`.
    ///
    /// # Errors
    /// It is none of these, or names no database. The error says nothing of what is in it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let bad = |problem: &'static str| Fault::corrupt("reading the ledger's address", problem);
        let (kind, rest) = ["mysql://", "mariadb://"]
            .iter()
            .find_map(|scheme| Some((Kind::MySql, text.strip_prefix(scheme)?)))
            .or_else(|| {
                ["postgres://", "postgresql://"]
                    .iter()
                    .find_map(|scheme| Some((Kind::Postgres, text.strip_prefix(scheme)?)))
            })
            .ok_or_else(|| bad("it begins with none of mysql://, mariadb:// and postgres://"))?;
        let scheme = match kind {
            Kind::MySql => "mysql",
            Kind::Postgres => "postgres",
        };
        let mut url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| bad("it is no URL"))?;
        let password = url.password().map(|password| {
            let decoded = percent_decode_str(password).decode_utf8();
            decoded
                .map(String::from)
                .map_err(|_| bad("its password is not UTF-8"))
        });
        let password = password.transpose()?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        url.set_password(None)
            .map_err(|()| bad("it can't have a password"))?;
        let address = Self {
            kind,
            url,
            password,
        };
        if address.database().is_empty() {
            return Err(bad("it names no database"));
        }
        Ok(address)
    }

    /// The name of the database.
    pub fn database(&self) -> String {
        let path = self.url.path().trim_start_matches('/');
        percent_decode_str(path).decode_utf8_lossy().into_owned()
    }

    /// The same server without the database, for whoever is about to create it.
    pub fn without_database(&self) -> Self {
        let mut address = self.clone();
        address.url.set_path(match self.kind {
            Kind::MySql => "",
            // The one that is always there.
            Kind::Postgres => "/postgres",
        });
        address
    }

    /// The statement that creates the database where it is missing.
    pub fn creation(&self) -> String {
        let name = self.database();
        match self.kind {
            Kind::MySql => format!(
                "CREATE DATABASE IF NOT EXISTS `{}` CHARACTER SET utf8mb4",
                name.replace('`', "``")
            ),
            Kind::Postgres => format!(
                "CREATE DATABASE \"{}\" ENCODING 'UTF8' TEMPLATE template0",
                name.replace('"', "\"\"")
            ),
        }
    }

    /// How so many connections are opened and kept.
    pub fn options(
        &self,
        settings: &LedgerSettings,
        purpose: Purpose,
        connections: u32,
    ) -> ConnectOptions {
        let mut options = ConnectOptions::new(self.url.as_str());
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(settings.acquire_timeout)
            .sqlx_logging(false)
            .record_stmt_in_spans(false);
        if purpose == Purpose::Migrating {
            // One session from the beginning to the end: it holds the lock.
            options
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false);
        } else {
            options
                .idle_timeout(REST)
                .max_lifetime(LIFE)
                .test_before_acquire_if_idle_for(TRIED_AFTER);
        }
        match self.kind {
            Kind::MySql => self.mysql(&mut options, settings, purpose),
            Kind::Postgres => self.postgres(&mut options, settings, purpose),
        }
        options
    }

    fn mysql(&self, options: &mut ConnectOptions, settings: &LedgerSettings, purpose: Purpose) {
        let password = self.password.clone();
        options.map_sqlx_mysql_opts(move |mysql| match &password {
            Some(password) => mysql.password(password),
            None => mysql,
        });
        let session = mysql_session(settings, purpose);
        options.map_sqlx_mysql_pool_opts(move |pool| {
            let session = session.clone();
            pool.after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move {
                    connection.execute(AssertSqlSafe(session)).await?;
                    Ok(())
                })
            })
        });
    }

    fn postgres(&self, options: &mut ConnectOptions, settings: &LedgerSettings, purpose: Purpose) {
        let password = self.password.clone();
        let session = postgres_session(settings, purpose);
        options.map_sqlx_postgres_opts(move |postgres| {
            let postgres = postgres
                .application_name("firstcome")
                .options(session.iter().map(|(name, value)| (*name, value.as_str())));
            match &password {
                Some(password) => postgres.password(password),
                None => postgres,
            }
        });
    }
}

/// MariaDB reads what is in `/*M!`, MySQL what is in `/*!80000`.
fn mysql_session(settings: &LedgerSettings, purpose: Purpose) -> String {
    let idle = whole_seconds(settings.idle_timeout);
    let (transactions, statement, lock) = match purpose {
        Purpose::Writing => (
            "READ COMMITTED, READ WRITE",
            settings.statement_timeout,
            settings.lock_timeout,
        ),
        Purpose::Reading => (
            "REPEATABLE READ, READ ONLY",
            settings.statement_timeout,
            settings.lock_timeout,
        ),
        Purpose::Migrating => (
            "READ COMMITTED, READ WRITE",
            Duration::ZERO,
            MIGRATION_WAITS,
        ),
    };
    format!(
        "SET SESSION TRANSACTION ISOLATION LEVEL {transactions}; \
         SET SESSION time_zone = '+00:00', \
         sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', \
         innodb_lock_wait_timeout = {lock}, lock_wait_timeout = {lock} \
         /*M! , max_statement_time = {seconds}, idle_transaction_timeout = {idle} */ \
         /*!80000 , max_execution_time = {milliseconds}, wait_timeout = {idle} */",
        lock = whole_seconds(lock),
        seconds = statement.as_secs_f64(),
        milliseconds = statement.as_millis(),
    )
}

fn postgres_session(settings: &LedgerSettings, purpose: Purpose) -> Vec<(&'static str, String)> {
    let (isolation, read_only, statement, lock) = match purpose {
        Purpose::Writing => (
            "read committed",
            "off",
            settings.statement_timeout,
            settings.lock_timeout,
        ),
        Purpose::Reading => (
            "repeatable read",
            "on",
            settings.statement_timeout,
            settings.lock_timeout,
        ),
        Purpose::Migrating => ("read committed", "off", Duration::ZERO, MIGRATION_WAITS),
    };
    let ms = |time: Duration| time.as_millis().to_string();
    vec![
        ("default_transaction_isolation", isolation.to_owned()),
        ("default_transaction_read_only", read_only.to_owned()),
        ("statement_timeout", ms(statement)),
        ("lock_timeout", ms(lock)),
        (
            "idle_in_transaction_session_timeout",
            ms(settings.idle_timeout),
        ),
        // Compiling a statement costs more than any of ours runs.
        ("jit", "off".to_owned()),
    ]
}

/// A time in whole seconds, at least one.
fn whole_seconds(time: Duration) -> u128 {
    time.as_millis().div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (text, database, creation) in [
            (
                "mariadb://shop:p%40ss%2Fword@db.example.test:3307/shop?ssl-mode=REQUIRED",
                "shop",
                "CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET utf8mb4",
            ),
            (
                "postgresql://shop:p%40ss%2Fword@db.example.test/my%22shop",
                "my\"shop",
                "CREATE DATABASE \"my\"\"shop\" ENCODING 'UTF8' TEMPLATE template0",
            ),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.password.as_deref(), Some("p@ss/word"));
            assert_eq!(address.database(), database);
            assert_eq!(address.creation(), creation);
            assert!(!address.without_database().database().contains("shop"));
            let options = address.options(&LedgerSettings::default(), Purpose::Writing, 3);
            let shown = format!("{options:?}");
            assert!(shown.contains("db.example.test"), "{shown}");
            assert!(!shown.contains("word"), "{shown}");
        }
        for scheme in ["mysql", "mariadb", "postgres", "postgresql"] {
            let address = Address::parse(&format!("{scheme}://db.example.test/shop"));
            assert!(address.is_ok(), "{scheme}");
        }
        for text in [
            "",
            "sqlite://ledger.db",
            "mysql://",
            "mysql:///shop",
            "mysql://db.example.test",
            "postgres://db.example.test:port/shop",
            "postgres://shop:%ff@db.example.test/shop",
        ] {
            let fault = Address::parse(text).err().expect(text);
            assert!(!fault.detail().contains("example"), "{}", fault.detail());
        }
    }

    #[test]
    fn a_session_is_told_what_it_may() {
        let settings = LedgerSettings {
            statement_timeout: Duration::from_millis(2_500),
            lock_timeout: Duration::from_millis(200),
            ..LedgerSettings::default()
        };
        let session = mysql_session(&settings, Purpose::Writing);
        assert!(
            session.contains("innodb_lock_wait_timeout = 1,"),
            "{session}"
        );
        assert!(session.contains("max_statement_time = 2.5,"), "{session}");
        assert!(session.contains("max_execution_time = 2500,"), "{session}");
        let session = mysql_session(&settings, Purpose::Migrating);
        assert!(session.contains("max_statement_time = 0,"), "{session}");
        let reading = postgres_session(&settings, Purpose::Reading);
        assert!(reading.contains(&(
            "default_transaction_isolation",
            "repeatable read".to_owned()
        )));
        assert!(reading.contains(&("lock_timeout", "200".to_owned())));
    }
}
