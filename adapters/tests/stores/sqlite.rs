//! A fresh ledger in a SQLite file.

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
    let start = Timestamp::from_timestamp_millis(1_790_000_000_000).unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::new(&key, &[], &[9; 32], Arc::new(SystemEntropy));
    let file = folder.path().join("ledger.db");
    let ledger = Ledger::open_sqlite(&file, clock.clone(), vault).await;
    let ledger = Arc::new(ledger.map_err(|fault| fault.detail()).unwrap());
    let bench = Bench {
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
    };
    (bench, folder)
}
