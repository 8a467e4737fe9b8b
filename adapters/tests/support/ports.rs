//! The ports of a shop in one process, over a bench's ledger and by a clock that is told the time.

use std::sync::Arc;

use adapters::clock::ManualClock;
use adapters::config::Simulated;
use adapters::crypto::{Argon2Passwords, JwtTokens, KeyedDigests};
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings};
use adapters::embedded::limiter::MemoryLimiter;
use adapters::embedded::log::SqliteLog;
use adapters::entropy::SystemEntropy;
use adapters::item_cache::CachedItems;
use adapters::payment::SimulatedProvider;
use domain::delivery::DeliveryCalendar;
use domain::policy::{AccountPolicy, LiveRates, Policies, ReturnPolicy};
use domain::ports::{Mailer, Ports};
use tempfile::TempDir;

use crate::stores::bench::Bench;

/// Log and provider are in the folder, the gate in memory.
pub async fn ports(
    (bench, folder): (&Bench, &TempDir),
    clock: Arc<ManualClock>,
    mailer: Arc<dyn Mailer>,
    policies: Policies,
) -> Ports {
    let entropy = Arc::new(SystemEntropy);
    let log = SqliteLog::open(&folder.path().join("log.db"), 1, clock.clone()).await;
    let books = folder.path().join("provider.db");
    let provider = SimulatedProvider::open(&books, Simulated::default()).await;
    let gate = MemoryGate::new(clock.clone(), MemoryGateSettings::default());
    let items = CachedItems::new(bench.catalogue.clone(), None);
    Ports {
        limiter: Arc::new(MemoryLimiter::new(clock.clone())),
        clock,
        entropy: entropy.clone(),
        gate: Arc::new(gate),
        log: Arc::new(log.unwrap()),
        items: Arc::new(items.unwrap()),
        catalogue: bench.catalogue.clone(),
        orders: bench.orders.clone(),
        outbox: bench.outbox.clone(),
        accounts: bench.accounts.clone(),
        sessions: bench.sessions.clone(),
        verifications: bench.verifications.clone(),
        wishlists: bench.wishlists.clone(),
        letters: bench.letters.clone(),
        housekeeping: bench.housekeeping.clone(),
        dead_letters: bench.dead_letters.clone(),
        back_office: bench.back_office.clone(),
        audit: bench.audit.clone(),
        provider: Arc::new(provider.unwrap()),
        mailer,
        passwords: Arc::new(Argon2Passwords::new(entropy).unwrap()),
        digests: Arc::new(KeyedDigests::new(&[3; 32])),
        tokens: Arc::new(JwtTokens::with([4; 32])),
        policies: Arc::new(policies),
    }
}

/// The rules of these shops, but for their days.
pub fn policies(calendar: DeliveryCalendar, returns: ReturnPolicy) -> Policies {
    Policies {
        hold_ms: 120_000,
        max_lines: 1_000,
        calendar,
        returns,
        receipt_ms: 600_000,
        ask_again_after_ms: 5_000,
        provider_key_ms: 86_400_000,
        accounts: AccountPolicy {
            verification_ms: 600_000,
            verification_attempts: 5,
            verification_resend_ms: 60_000,
            access_ms: 900_000,
            refresh_ms: 86_400_000,
        },
        rates: LiveRates::default(),
    }
}
