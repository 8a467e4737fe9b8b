//! A fresh ledger in a SQLite file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use adapters::clock::ManualClock;
use adapters::crypto::vault::{Vault, VaultKey};
use adapters::entropy::SystemEntropy;
use adapters::sql::Ledger;
use domain::Timestamp;
use domain::ports::Clock;

use tempfile::TempDir;

use super::bench::Bench;

/// The ledger, and the folder that it lives as long as.
pub async fn open() -> (Bench, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::with(key, &[9; 32], Arc::new(SystemEntropy));
    let clock = clock();
    let ledger = ledger(folder.path(), vault, clock.clone()).await;
    (bench(ledger, clock), folder)
}

pub fn clock() -> Arc<ManualClock> {
    let start = Timestamp::from_timestamp_millis(1_790_000_000_000).unwrap();
    Arc::new(ManualClock::new(start))
}

/// The ledger of a folder, as another process would open it.
pub async fn ledger(folder: &Path, vault: Vault, clock: Arc<ManualClock>) -> Arc<Ledger> {
    let ledger = Ledger::open_sqlite(&folder.join("ledger.db"), clock, vault).await;
    Arc::new(ledger.map_err(|fault| fault.detail()).unwrap())
}

/// A ledger's ports, for the suite.
pub fn bench(ledger: Arc<Ledger>, clock: Arc<ManualClock>) -> Bench {
    Bench {
        orders: ledger.clone(),
        catalogue: ledger.clone(),
        outbox: ledger.clone(),
        accounts: ledger.clone(),
        sessions: ledger.clone(),
        verifications: ledger.clone(),
        wishlists: ledger.clone(),
        back_office: ledger.clone(),
        letters: ledger.clone(),
        housekeeping: ledger.clone(),
        references: ledger.clone(),
        dead_letters: ledger.clone(),
        audit: ledger,
        pass_time: Box::new(move || {
            let before = clock.now();
            clock.advance_ms(1_000);
            before
        }),
        time_waits: true,
        next: AtomicI64::new(0),
    }
}
