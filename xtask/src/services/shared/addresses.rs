//! Where the set's services are, as a test reads it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::services::packages;

/// The variable that names another file than the usual one.
const OVERRIDE: &str = "FIRSTCOME_TEST_SERVICES";

/// The file's public part. What could not be started is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Addresses {
    pub redis: RedisAddresses,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Log>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mariadb: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgresql: Option<Url>,
}

/// Redis in its three shapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RedisAddresses {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standalone: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<Sentinel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

/// A server that a URL leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    pub url: String,
}

/// Sentinels by their URLs, and the name by which they know their primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinel {
    pub sentinels: Vec<String>,
    pub primary: String,
}

/// Nodes of a cluster by their URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    pub nodes: Vec<String>,
}

/// Kafka's brokers, `host:port`, with commas between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub brokers: String,
}

impl Addresses {
    /// The usual file.
    pub(super) fn file() -> PathBuf {
        packages::folder().join("services.json")
    }

    /// Takes a service out, by its path in the file.
    pub(super) fn forget(&mut self, service: &str) {
        match service {
            "redis.standalone" => self.redis.standalone = None,
            "redis.sentinel" => self.redis.sentinel = None,
            "redis.cluster" => self.redis.cluster = None,
            "kafka" => self.kafka = None,
            "mariadb" => self.mariadb = None,
            "postgresql" => self.postgresql = None,
            _ => {}
        }
    }

    /// What is up, for a test; says what to do when nothing is.
    pub fn read() -> Result<Self, Failure> {
        #[allow(
            clippy::disallowed_methods,
            reason = "a test's setting, not the product's configuration"
        )]
        let elsewhere = std::env::var_os(OVERRIDE).map(PathBuf::from);
        let file = elsewhere.unwrap_or_else(Self::file);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(serde_json::from_str(&text)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "{} is missing: run `cargo xtask services up` first",
                file.display()
            )
            .into()),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        }
    }
}
