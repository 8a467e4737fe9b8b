//! The log in a SQLite file under the log's conformance suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/log.rs"]
mod conformance;

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::embedded::log::SqliteLog;
use async_trait::async_trait;
use conformance::{PARTITIONS, World, log_suite, suite};
use domain::ports::Log;
use tempfile::TempDir;

struct Sqlite {
    folder: TempDir,
    log: Arc<SqliteLog>,
}

impl Sqlite {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder).await;
        Self { folder, log }
    }
}

async fn open(folder: &TempDir) -> Arc<SqliteLog> {
    let path = folder.path().join("log.db");
    let partitions = u16::try_from(PARTITIONS).unwrap();
    let log = SqliteLog::open(&path, partitions, Arc::new(SystemClock)).await;
    Arc::new(log.map_err(|fault| fault.detail()).unwrap())
}

#[async_trait]
impl World for Sqlite {
    fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }

    async fn after_a_restart(&self) -> Arc<dyn Log> {
        open(&self.folder).await
    }
}

log_suite!(Sqlite::new().await);
