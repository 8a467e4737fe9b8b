//! The servers behind a shop of several processes: all of them, or none.

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::{Addresses, Config, Secret, Span};

/// The longest namespace: with it, the longest name of a topic stays far below Kafka's limit.
const LONGEST_NAMESPACE: usize = 40;

/// The ledger's server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// Its URL, `mysql://`, `mariadb://` or `postgres://`; SQLite in the data folder, when absent.
    pub url: Option<Secret>,
    /// The most connections a process holds.
    pub connections: u32,
    /// How long one statement may take.
    pub statement_timeout: Span,
    /// After what time without a statement the server takes a transaction back, and with it the
    /// locks of a process that was stopped in the middle.
    pub idle_timeout: Span,
}

/// The gate's Redis.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    pub mode: RedisMode,
    /// The server, the Sentinels, or some nodes of the cluster.
    pub nodes: Addresses,
    /// What the Sentinels call the primary.
    pub primary: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// How long one command may take.
    pub timeout: Span,
    /// The URL of another Redis for caches; none beside those in the process, when absent.
    pub cache: Option<Secret>,
}

/// How the gate's Redis is set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedisMode {
    /// One server.
    Standalone,
    /// A primary with replicas, and Sentinels that know which it is.
    Sentinel,
    /// Shards over several primaries.
    Cluster,
}

/// The log's Kafka.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Some of its brokers.
    pub brokers: Addresses,
    /// Partitions of each topic that `migrate` makes.
    pub partitions: u16,
    /// On how many brokers a record is kept. All but one of them, and at least one, have to have it
    /// before it counts as written.
    pub replication: u16,
    /// How long records are kept: longer than any outage that has to be survived.
    pub retention: Span,
    /// After how long without a sign of life a worker's partitions are given to another.
    pub session: Span,
}

/// The servers of a shop that has them.
#[derive(Clone, Copy)]
pub struct Servers<'a> {
    pub ledger_url: &'a Secret,
    pub ledger: &'a Ledger,
    pub redis: &'a Redis,
    pub kafka: &'a Kafka,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            url: None,
            connections: 16,
            statement_timeout: Span::seconds(5),
            idle_timeout: Span::seconds(10),
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            mode: RedisMode::Standalone,
            nodes: Addresses::default(),
            primary: "firstcome".to_owned(),
            username: None,
            password: None,
            timeout: Span::seconds(1),
            cache: None,
        }
    }
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: Addresses::default(),
            partitions: 6,
            replication: 3,
            retention: Span::hours(24 * 14),
            session: Span::seconds(10),
        }
    }
}

impl Config {
    /// The servers, where they are set; without them everything is in one process.
    #[must_use]
    pub fn servers(&self) -> Option<Servers<'_>> {
        Some(Servers {
            ledger_url: self.ledger.url.as_ref()?,
            ledger: &self.ledger,
            redis: &self.redis,
            kafka: &self.kafka,
        })
    }

    pub(super) fn check_servers(&self, check: &mut Check) {
        self.check_all_or_none(check);
        let is_sound = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        check.that(
            self.namespace.len() <= LONGEST_NAMESPACE && self.namespace.chars().all(is_sound),
            "namespace",
            "must be at most 40 letters, digits and hyphens",
        );
        self.check_ledger(check);
        self.check_redis(check);
        self.check_gate(check);
        self.check_kafka(check);
        self.check_mailbox(check);
    }

    fn check_all_or_none(&self, check: &mut Check) {
        let parts = [
            (self.ledger.url.is_some(), "ledger.url"),
            (!self.redis.nodes.is_empty(), "redis.nodes"),
            (!self.kafka.brokers.is_empty(), "kafka.brokers"),
        ];
        let set: Vec<&str> = parts
            .iter()
            .filter(|part| part.0)
            .map(|part| part.1)
            .collect();
        let rule = format!("must be set too, as {} is", set.join(" and "));
        for (is_set, key) in parts {
            check.that(is_set || set.is_empty(), key, &rule);
        }
    }

    fn check_ledger(&self, check: &mut Check) {
        let schemes = ["mysql://", "mariadb://", "postgres://", "postgresql://"];
        let is_known = |url: &Secret| {
            schemes
                .iter()
                .any(|scheme| url.expose().starts_with(scheme))
        };
        check.that(
            self.ledger.url.as_ref().is_none_or(is_known),
            "ledger.url",
            "must begin with mysql://, mariadb:// or postgres://",
        );
        check.that(
            (2..=1_000).contains(&self.ledger.connections),
            "ledger.connections",
            "must be 2 to 1000",
        );
        let least = Span::milliseconds(100);
        check.wait(
            self.ledger.statement_timeout,
            least,
            "ledger.statement_timeout",
        );
        let least = Span::seconds(1);
        check.wait(self.ledger.idle_timeout, least, "ledger.idle_timeout");
    }

    fn check_redis(&self, check: &mut Check) {
        let redis = &self.redis;
        addresses(check, &redis.nodes, "redis.nodes");
        check.that(
            redis.mode != RedisMode::Standalone || redis.nodes.iter().count() <= 1,
            "redis.nodes",
            "must be one where redis.mode is \"standalone\"",
        );
        check.that(
            redis.mode != RedisMode::Sentinel || !redis.primary.is_empty(),
            "redis.primary",
            "must be set where redis.mode is \"sentinel\"",
        );
        check.that(
            redis.username.is_none() || redis.password.is_some(),
            "redis.password",
            "must be set too, as redis.username is",
        );
        let is_redis = |url: &Secret| url.expose().starts_with("redis://");
        check.that(
            redis.cache.as_ref().is_none_or(is_redis),
            "redis.cache",
            "must begin with redis://",
        );
        check.wait(redis.timeout, Span::milliseconds(10), "redis.timeout");
    }

    /// What the scripts of the gate take.
    fn check_gate(&self, check: &mut Check) {
        let gate = &self.gate;
        check.that(gate.shards <= 1_000, "gate.shards", "must be at most 1000");
        check.that(
            gate.edge_queue <= 10_000_000,
            "gate.edge_queue",
            "must be at most 10000000",
        );
        check.that(
            (Span::seconds(1)..=Span::hours(24 * 31)).contains(&gate.receipts),
            "gate.receipts",
            "must last between a second and 31 days",
        );
        check.that(
            (Span::milliseconds(200)..=Span::minutes(1)).contains(&gate.trust),
            "gate.trust",
            "must last between 200 ms and a minute",
        );
    }

    fn check_kafka(&self, check: &mut Check) {
        let kafka = &self.kafka;
        addresses(check, &kafka.brokers, "kafka.brokers");
        check.that(
            (1..=1_000).contains(&kafka.partitions),
            "kafka.partitions",
            "must be 1 to 1000",
        );
        check.that(
            (1..=7).contains(&kafka.replication),
            "kafka.replication",
            "must be 1 to 7",
        );
        check.span(kafka.retention, "kafka.retention");
        check.that(
            kafka.retention >= Span::minutes(1),
            "kafka.retention",
            "must last at least a minute",
        );
        check.wait(kafka.session, Span::seconds(1), "kafka.session");
    }

    /// The mailbox page shows everybody's letters, and with them the codes that prove addresses.
    fn check_mailbox(&self, check: &mut Check) {
        let is_open = self.servers().is_some() && !self.listen.0.ip().is_loopback();
        check.that(
            !(is_open && self.playground.0 && self.mail.smtp.is_none()),
            "mail.smtp",
            "must be set where others reach `listen`: the mailbox page would show them every \
             letter (or set playground = false)",
        );
    }
}

fn addresses(check: &mut Check, addresses: &Addresses, key: &str) {
    check.that(
        addresses.unsound().is_none(),
        key,
        "must be addresses like `host:port`",
    );
}
