//! A shop over servers: the gate in Redis, the log in Kafka, the ledger on a SQL server. Any number
//! of processes open it.

use std::sync::Arc;

use adapters::config::{Config, Kafka, Redis, RedisMode, Servers};
use adapters::crypto::Keyring;
use adapters::item_cache::CachedItems;
use adapters::kafka::{KafkaLog, KafkaSettings, Topics};
use adapters::redis::{GateSettings, Mode, RedisGate, RedisItems, RedisLimiter, RedisSettings};
use adapters::sql::{Ledger, LedgerSettings};
use domain::Fault;

use super::{Base, Engines, World, entropy};
use crate::process::patiently;

const REDIS: &str = "redis";
const KAFKA: &str = "kafka";
const SQL: &str = "sql";

impl World {
    /// Opens the shop of the configured servers, which `firstcome migrate` has prepared. Servers
    /// that do not answer yet are waited for.
    ///
    /// # Errors
    /// Servers that do not answer, or that nobody has prepared.
    pub async fn distributed(config: &Config) -> Result<Self, Fault> {
        // Boxed, or whoever opens a shop would carry all of this on the stack.
        Box::pin(open(config)).await
    }
}

async fn open(config: &Config) -> Result<World, Fault> {
    let servers = servers(config)?;
    let base = base(config)?;
    let patience = config.process.start.duration();
    let ledger = open_ledger(config, servers, &base).await?;
    let log = patiently(patience, KAFKA, async || {
        KafkaLog::connect(kafka(config, servers.kafka), base.clock.clone()).await
    });
    let log = log.await?;
    let gate = patiently(patience, REDIS, async || {
        let settings = redis(config, servers.redis);
        let (clock, entropy) = (base.clock.clone(), base.entropy.clone());
        RedisGate::connect(&settings, gate(config), clock, entropy).await
    });
    let gate = gate.await?;
    let limiter = patiently(patience, REDIS, async || {
        RedisLimiter::connect(&redis(config, servers.redis)).await
    });
    let limiter = limiter.await?;
    let shared = servers.redis.cache.as_ref();
    let shared = shared.map(|url| RedisItems::new(url.expose(), &config.namespace));
    let engines = Engines {
        gate: Arc::new(gate),
        log: Arc::new(log),
        items: Arc::new(CachedItems::new(ledger.clone(), shared.transpose()?)?),
        limiter: Arc::new(limiter),
        ledger,
    };
    World::of(config, base, engines).await
}

/// Brings the schema of the ledger's server up to date.
///
/// # Errors
/// A server that does not answer or refuses, or a schema of a later program.
pub async fn migrate_ledger(config: &Config) -> Result<(), Fault> {
    let servers = servers(config)?;
    patiently(config.process.start.duration(), SQL, async || {
        Ledger::migrate(servers.ledger_url.expose(), &ledger(servers)).await
    })
    .await
}

/// Makes the topics of the log that are not there yet.
///
/// # Errors
/// Brokers that do not answer or refuse.
pub async fn make_log(config: &Config) -> Result<Topics, Fault> {
    let settings = kafka(config, servers(config)?.kafka);
    patiently(config.process.start.duration(), KAFKA, async || {
        adapters::kafka::create_topics(&settings).await
    })
    .await
}

fn servers(config: &Config) -> Result<Servers<'_>, Fault> {
    let missing = "set ledger.url, redis.nodes and kafka.brokers";
    config
        .servers()
        .ok_or_else(|| Fault::corrupt("looking for servers", missing))
}

pub(super) fn base(config: &Config) -> Result<Base, Fault> {
    let folder = &config.data_dir.0;
    let keys = Keyring::read(folder)?.ok_or_else(|| {
        let text = format!(
            "there are none in {}: run `firstcome migrate` first, or share the folder that it \
             made them in",
            folder.display()
        );
        Fault::corrupt("reading the keys", text)
    })?;
    Ok(Base::new(config, &keys, entropy()))
}

pub(super) async fn open_ledger(
    config: &Config,
    servers: Servers<'_>,
    base: &Base,
) -> Result<Arc<Ledger>, Fault> {
    let opened = patiently(config.process.start.duration(), SQL, async || {
        let url = servers.ledger_url.expose();
        Ledger::open(
            url,
            &ledger(servers),
            base.clock.clone(),
            base.keys.vault.clone(),
        )
        .await
    });
    Ok(Arc::new(opened.await?))
}

fn ledger(servers: Servers<'_>) -> LedgerSettings {
    LedgerSettings {
        connections: servers.ledger.connections,
        statement_timeout: servers.ledger.statement_timeout.duration(),
        idle_timeout: servers.ledger.idle_timeout.duration(),
        ..LedgerSettings::default()
    }
}

fn kafka(config: &Config, kafka: &Kafka) -> KafkaSettings {
    KafkaSettings {
        brokers: kafka.brokers.joined(),
        namespace: config.namespace.clone(),
        partitions: kafka.partitions,
        replication: kafka.replication,
        // One may be away and nothing stops; a record is on more than one.
        min_insync: kafka.replication.saturating_sub(1).max(1),
        retention: kafka.retention.duration(),
        // What is given up is over then: it does not arrive behind the back of whoever gave it up.
        delivery_timeout: config.guards.log.duration(),
        session_timeout: kafka.session.duration(),
        ..KafkaSettings::default()
    }
}

fn redis(config: &Config, redis: &Redis) -> RedisSettings {
    let nodes = redis.nodes.to_vec();
    RedisSettings {
        namespace: config.namespace.clone(),
        mode: match redis.mode {
            RedisMode::Standalone => Mode::Standalone {
                url: nodes.concat(),
            },
            RedisMode::Sentinel => Mode::Sentinel {
                sentinels: nodes,
                primary: redis.primary.clone(),
            },
            RedisMode::Cluster => Mode::Cluster { nodes },
        },
        username: redis.username.clone(),
        password: redis.password.clone(),
        command_timeout: redis.timeout.duration(),
    }
}

fn gate(config: &Config) -> GateSettings {
    GateSettings {
        shards: config.gate.shards,
        edge_queue_max: config.gate.edge_queue,
        receipt_life: config.gate.receipts.duration(),
        trust: config.gate.trust.duration(),
        ..GateSettings::default()
    }
}
