//! Where Redis is, and how long it may take.

use std::time::Duration;

use crate::config::Secret;

/// The gate's Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// Keeps the keys of several shops in one Redis apart; empty where there is one.
    pub namespace: String,
    pub mode: Mode,
    /// Who logs in; the default user, when absent.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// How long one command, and one attempt to connect, may take.
    pub command_timeout: Duration,
}

/// How it is set up. A server's address is `host:port` or a URL (`redis://user:password@host:port`).
#[derive(Clone)]
pub enum Mode {
    /// One server.
    Standalone { url: String },
    /// A primary with replicas. The Sentinels know which it is; `primary` is their name for it.
    Sentinel {
        sentinels: Vec<String>,
        primary: String,
    },
    /// Shards over several primaries; some of the nodes, from which the others are learned.
    Cluster { nodes: Vec<String> },
}
