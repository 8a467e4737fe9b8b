//! A shop in one process: the gate in memory, log and ledger in files.

use std::sync::Arc;

use adapters::config::Config;
use adapters::crypto::Keyring;
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings};
use adapters::embedded::limiter::MemoryLimiter;
use adapters::embedded::log::SqliteLog;
use adapters::item_cache::CachedItems;
use adapters::sql::Ledger;
use domain::Fault;

use super::{Base, Engines, World, entropy};
use crate::instance;

/// Partitions of the embedded log: one process writes one file, so more would only make the order
/// writer's batches smaller.
const PARTITIONS: u16 = 1;

impl World {
    /// Opens everything in the data folder, and makes what is not there yet. `epoch` is above that
    /// of every gate before.
    ///
    /// # Errors
    /// Whatever can't be opened.
    pub async fn embedded(config: &Config, epoch: u32) -> Result<Self, Fault> {
        let base = base(config)?;
        let ledger = open_ledger(config, &base).await?;
        let log = SqliteLog::open(&config.path("log.db"), PARTITIONS, base.clock.clone()).await?;
        let gate = MemoryGateSettings {
            shards: config.gate.shards,
            edge_queue_max: config.gate.edge_queue,
            receipt_life: config.gate.receipts.duration(),
            epoch,
            ..MemoryGateSettings::default()
        };
        let engines = Engines {
            gate: Arc::new(MemoryGate::new(base.clock.clone(), gate)),
            log: Arc::new(log),
            items: Arc::new(CachedItems::new(ledger.clone(), None)?),
            limiter: Arc::new(MemoryLimiter::new(base.clock.clone())),
            ledger,
        };
        Self::of(config, base, engines).await
    }
}

pub(super) fn base(config: &Config) -> Result<Base, Fault> {
    let entropy = entropy();
    let keys = Keyring::open(&config.data_dir.0, entropy.as_ref())?;
    Ok(Base::new(config, &keys, entropy))
}

pub(super) async fn open_ledger(config: &Config, base: &Base) -> Result<Arc<Ledger>, Fault> {
    let file = config.path(instance::LEDGER);
    let ledger = Ledger::open_sqlite(&file, base.clock.clone(), base.keys.vault.clone()).await?;
    Ok(Arc::new(ledger))
}
