//! Where the real servers are that all tests share: `cargo xtask services up` starts them and
//! writes their addresses down.
//!
//! Nothing is anybody's own there: whoever uses them takes a [`namespace`] for its keys and topics,
//! or makes a database.

#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;
use std::sync::LazyLock;

use adapters::entropy::SystemEntropy;
use domain::ports::Entropy;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Services {
    pub redis: Redis,
    pub kafka: Kafka,
    pub mariadb: Sql,
    pub postgresql: Sql,
}

#[derive(Deserialize)]
pub struct Redis {
    pub standalone: Server,
    pub sentinel: Sentinel,
    pub cluster: Cluster,
}

#[derive(Deserialize)]
pub struct Server {
    pub url: String,
}

#[derive(Deserialize)]
pub struct Sentinel {
    pub sentinels: Vec<String>,
    /// What the Sentinels call the primary.
    pub primary: String,
}

#[derive(Deserialize)]
pub struct Cluster {
    pub nodes: Vec<String>,
}

#[derive(Deserialize)]
pub struct Kafka {
    pub brokers: String,
}

#[derive(Deserialize)]
pub struct Sql {
    /// Of a user that may make databases.
    pub url: String,
}

/// Whether somebody has started them.
pub fn are_there() -> bool {
    path().exists()
}

/// The shared servers.
pub fn services() -> &'static Services {
    static SERVICES: LazyLock<Services> = LazyLock::new(|| {
        let path = path();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            let path = path.display();
            panic!("run `cargo xtask services up` first: {path}: {error}")
        });
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    &SERVICES
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test's servers are no configuration of the shop"
)]
fn path() -> PathBuf {
    match std::env::var_os("FIRSTCOME_TEST_SERVICES") {
        Some(path) => path.into(),
        None => concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../target/services/services.json"
        )
        .into(),
    }
}

/// A name that no other test has, nor the same one another time: letters and digits.
pub fn namespace() -> String {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    format!("t{:016x}", u64::from_be_bytes(bytes))
}
