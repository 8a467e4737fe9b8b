//! The one configuration: typed, checked as a whole before anything starts. Some of it can be read
//! again while the process runs.
//!
//! Later sources win: the defaults (a whole shop in one process), a TOML file, variables of the
//! environment (`FIRSTCOME_ORDERS__HOLD=90s`). A key that nobody knows is an error.

mod addresses;
mod check;
mod graphql;
mod limits;
mod networks;
mod payment;
mod policies;
mod rates;
mod secret;
mod servers;
mod settings;
mod sources;
mod span;

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::Figment;
use serde::{Deserialize, Serialize};

pub use addresses::Addresses;
pub use graphql::{Graphql, Origins};
pub use limits::Limits;
pub use networks::Networks;
pub use payment::{Payment, Simulated};
pub use rates::{Often, Rates};
pub use secret::Secret;
pub use servers::{Kafka, Ledger, Redis, RedisMode, Servers};
pub use settings::{Reread, Settings};
pub use span::Span;

/// The file that is read from the working folder where none is named.
pub const FILE: &str = "firstcome.toml";

/// Everything that can be set.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where keys and mailbox are kept, and database and log where no servers are set.
    pub data_dir: DataDir,
    /// What the names of this shop's keys, topics and groups begin with, where it shares its Redis
    /// and Kafka with others.
    pub namespace: String,
    /// Address and port of the endpoint; port 0 takes a free one.
    pub listen: Listen,
    /// Whether an empty shop is filled with items and accounts to try it with.
    pub demo: Switch<true>,
    /// Whether the playground, the mailbox page and introspection are there.
    pub playground: Switch<true>,
    pub graphql: Graphql,
    pub process: Process,
    pub work: Work,
    pub log: Log,
    pub ledger: Ledger,
    pub redis: Redis,
    pub kafka: Kafka,
    pub guards: Guards,
    pub orders: Orders,
    pub gate: Gate,
    pub delivery: Delivery,
    pub returns: Returns,
    pub payment: Payment,
    pub mail: Mail,
    pub accounts: Accounts,
    pub rates: Rates,
    pub limits: Limits,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataDir(pub PathBuf);

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Listen(pub SocketAddr);

/// A switch with its default.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Switch<const DEFAULT: bool>(pub bool);

/// How a process begins and ends.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// How long a start waits for servers that do not answer.
    pub start: Span,
    /// How long `serve` says that it is leaving before it stops taking requests.
    pub notice: Span,
    /// How long requests, sockets and workers may take to end.
    pub drain: Span,
}

/// What `work` does, and where it tells how it is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// Address and port of its health; nowhere, when absent.
    pub listen: Option<SocketAddr>,
    /// How long the order writer gathers before its next batch.
    pub linger: Span,
    /// After what time without a successful round a worker counts as unwell.
    pub late_after: Span,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged, in the words of tracing's `EnvFilter`.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How long calls to what may go away may take, and when none is made any more.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guards {
    pub gate: Span,
    /// The same for calls that carry many items, buyers or receipts.
    pub gate_bulk: Span,
    /// How long the log may take to have what is published; then the edge queue keeps it.
    pub log: Span,
    pub provider: Span,
    pub mail: Span,
    /// After how many calls in a row without an answer none is made for a while.
    pub failures: usize,
    /// How long that is.
    pub pause: Span,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orders {
    /// How long an order waits for its payment.
    pub hold: Span,
    /// The most lines of an order.
    pub max_lines: usize,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// Over how many shards items are spread.
    pub shards: u16,
    /// The most orders that wait for the log; past it a buyer is told to try again.
    pub edge_queue: usize,
    /// How long a repeated request finds its first answer.
    pub receipts: Span,
    /// How long refusals are trusted after a sign of life of the gate keeper: shorter than any
    /// failover or restart of Redis takes.
    pub trust: Span,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// The zone whose days count, by its IANA name.
    pub zone: String,
    /// The hour at which parcels move, 0 to 23.
    pub hour: u32,
    pub days_to_dispatch: u32,
    pub days_to_deliver: u32,
    /// How long a day lasts, for a demo; a day of the calendar, when absent.
    pub day: Option<Span>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Returns {
    pub days_to_request: u32,
    pub days_to_complete: u32,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Who letters are from.
    pub from: String,
    /// A mail server's URL; letters go into a folder of the data folder, when absent.
    pub smtp: Option<Secret>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// How long a verification code is good.
    pub verification: Span,
    /// Wrong codes before a verification is void.
    pub verification_attempts: u32,
    /// The shortest time between two letters to one address.
    pub verification_resend: Span,
    /// How long an access token is good.
    pub access: Span,
    /// How long a refresh token is good.
    pub refresh: Span,
}

impl Default for DataDir {
    fn default() -> Self {
        Self(PathBuf::from(".firstcome"))
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8000)))
    }
}

impl<const DEFAULT: bool> Default for Switch<DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Default for Process {
    fn default() -> Self {
        Self {
            start: Span::minutes(1),
            notice: Span::seconds(3),
            drain: Span::seconds(10),
        }
    }
}

impl Default for Work {
    fn default() -> Self {
        Self {
            listen: None,
            linger: Span::milliseconds(20),
            late_after: Span::seconds(30),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "warn".to_owned(),
            format: LogFormat::Text,
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            gate: Span::seconds(2),
            gate_bulk: Span::seconds(30),
            log: Span::seconds(3),
            provider: Span::seconds(10),
            mail: Span::seconds(10),
            failures: 5,
            pause: Span::seconds(1),
        }
    }
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            hold: Span::minutes(2),
            max_lines: 1_000,
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shards: 1,
            edge_queue: 100_000,
            receipts: Span::hours(24),
            trust: Span::seconds(2),
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            zone: "Asia/Seoul".to_owned(),
            hour: 6,
            days_to_dispatch: 1,
            days_to_deliver: 1,
            day: None,
        }
    }
}

impl Default for Returns {
    fn default() -> Self {
        Self {
            days_to_request: 1,
            days_to_complete: 1,
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "firstcome <no-reply@shop.example>".to_owned(),
            smtp: None,
        }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            verification: Span::minutes(10),
            verification_attempts: 5,
            verification_resend: Span::seconds(30),
            access: Span::minutes(15),
            refresh: Span::hours(24 * 14),
        }
    }
}

impl Config {
    fn from_sources(sources: &Figment) -> Result<Self, Vec<String>> {
        let config: Self = sources
            .extract()
            .map_err(|error| sources::everything_wrong(sources, error))?;
        config.check()?;
        Ok(config)
    }

    /// A file in the data folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.data_dir.0.join(name)
    }
}

#[cfg(test)]
mod tests;
