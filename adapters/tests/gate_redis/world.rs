//! A gate of its own in the Redis that all tests share.

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::entropy::SystemEntropy;
use adapters::redis::{GateSettings, Mode, RedisGate, RedisSettings};
use async_trait::async_trait;
use domain::ports::Gate;
use redis::{Client, Connection, Value};

use crate::conformance::{EDGE_QUEUE_MAX, World};
use crate::services::{namespace, services};

pub struct RedisWorld {
    pub gate: Arc<RedisGate>,
    pub settings: RedisSettings,
    pub gate_settings: GateSettings,
    /// Every server that may hold its keys.
    servers: Vec<Client>,
}

impl RedisWorld {
    pub async fn standalone(shards: u16) -> Self {
        let url = services().redis.standalone.url.clone();
        let servers = vec![Client::open(url.as_str()).unwrap()];
        Self::open(Mode::Standalone { url }, shards, servers).await
    }

    pub async fn sentinel(shards: u16) -> Self {
        let found = &services().redis.sentinel;
        let sentinels: Vec<_> = found.sentinels.iter().map(String::as_str).collect();
        let mut asked = redis::sentinel::Sentinel::build(sentinels).unwrap();
        let primary = asked.master_for(&found.primary, None).unwrap();
        let mode = Mode::Sentinel {
            sentinels: found.sentinels.clone(),
            primary: found.primary.clone(),
        };
        Self::open(mode, shards, vec![primary]).await
    }

    pub async fn cluster(shards: u16) -> Self {
        let nodes = services().redis.cluster.nodes.clone();
        let servers = nodes
            .iter()
            .map(|node| Client::open(node.as_str()).unwrap());
        let servers = servers.collect();
        Self::open(Mode::Cluster { nodes }, shards, servers).await
    }

    /// A gate with other settings, in one server that is reached at `address`.
    pub async fn standalone_with(address: Option<String>, gate_settings: GateSettings) -> Self {
        let server = services().redis.standalone.url.clone();
        let servers = vec![Client::open(server.as_str()).unwrap()];
        let url = address.unwrap_or(server);
        let settings = settings(Mode::Standalone { url });
        Self {
            gate: connect(&settings, gate_settings).await,
            settings,
            gate_settings,
            servers,
        }
    }

    async fn open(mode: Mode, shards: u16, servers: Vec<Client>) -> Self {
        let settings = settings(mode);
        let gate_settings = GateSettings {
            shards,
            ..gate_settings()
        };
        let gate = connect(&settings, gate_settings).await;
        Self {
            gate,
            settings,
            gate_settings,
            servers,
        }
    }

    /// Another process that uses the same gate.
    pub async fn another(&self) -> Arc<RedisGate> {
        connect(&self.settings, self.gate_settings).await
    }

    /// A connection to the only server.
    pub fn server(&self) -> Connection {
        self.servers[0].get_connection().unwrap()
    }

    /// The name of a key of shard 0.
    pub fn key(&self, name: &str) -> String {
        format!("fc1:{{{}g0}}:{name}", self.settings.namespace)
    }

    fn delete_all(&self) {
        for server in &self.servers {
            let mut connection = server.get_connection().unwrap();
            let ours = format!("fc1:{{{}g*", self.settings.namespace);
            let keys: Vec<String> = redis::cmd("KEYS").arg(ours).query(&mut connection).unwrap();
            for key in keys {
                let _: Value = redis::cmd("DEL").arg(key).query(&mut connection).unwrap();
            }
        }
    }
}

fn settings(mode: Mode) -> RedisSettings {
    RedisSettings {
        namespace: namespace(),
        mode,
        username: None,
        password: None,
        // The machine may have much else to do.
        command_timeout: Duration::from_secs(5),
    }
}

/// What a test can rely on: nothing runs out by itself.
pub fn gate_settings() -> GateSettings {
    GateSettings {
        edge_queue_max: EDGE_QUEUE_MAX,
        trust: Duration::from_mins(1),
        ..GateSettings::default()
    }
}

async fn connect(settings: &RedisSettings, gate: GateSettings) -> Arc<RedisGate> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    match RedisGate::connect(settings, gate, clock, entropy).await {
        Ok(gate) => Arc::new(gate),
        Err(fault) => panic!("{}", fault.detail()),
    }
}

#[async_trait]
impl World for RedisWorld {
    fn gate(&self) -> Arc<dyn Gate> {
        self.gate.clone()
    }

    async fn lose_everything(&self) {
        self.delete_all();
    }
}

impl Drop for RedisWorld {
    fn drop(&mut self) {
        self.delete_all();
    }
}
