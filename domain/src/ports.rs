//! What the decisions need of the world. Few, coarse and `dyn`; a method that writes is one
//! transaction. Every implementation of one port passes the same conformance suite.

pub mod accounts;
pub mod audit;
pub mod back_office;
pub mod catalogue;
pub mod dead_letters;
pub mod gate;
pub mod housekeeping;
pub mod letters;
pub mod limiter;
pub mod log;
pub mod mail;
pub mod orders;
pub mod outbox;
pub mod provider;
pub mod secrets;
pub mod sessions;
pub mod verifications;
pub mod wishlists;

use std::sync::Arc;

use uuid::Uuid;

use crate::Timestamp;
use crate::policy::Policies;

pub use accounts::Accounts;
pub use audit::LedgerAudit;
pub use back_office::BackOffice;
pub use catalogue::{Catalogue, ItemCache};
pub use dead_letters::DeadLetters;
pub use gate::Gate;
pub use housekeeping::Housekeeping;
pub use letters::Letters;
pub use limiter::Limiter;
pub use log::{Consumer, Log};
pub use mail::{Mailbox, Mailer};
pub use orders::Orders;
pub use outbox::Outbox;
pub use provider::Provider;
pub use secrets::{AccessTokens, Digests, Passwords};
pub use sessions::Sessions;
pub use verifications::Verifications;
pub use wishlists::Wishlists;

/// Everything a use case may touch. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub gate: Arc<dyn Gate>,
    pub log: Arc<dyn Log>,
    pub items: Arc<dyn ItemCache>,
    pub catalogue: Arc<dyn Catalogue>,
    pub orders: Arc<dyn Orders>,
    pub outbox: Arc<dyn Outbox>,
    pub accounts: Arc<dyn Accounts>,
    pub sessions: Arc<dyn Sessions>,
    pub verifications: Arc<dyn Verifications>,
    pub wishlists: Arc<dyn Wishlists>,
    pub letters: Arc<dyn Letters>,
    pub housekeeping: Arc<dyn Housekeeping>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub audit: Arc<dyn LedgerAudit>,
    pub back_office: Arc<dyn BackOffice>,
    pub provider: Arc<dyn Provider>,
    pub mailer: Arc<dyn Mailer>,
    pub passwords: Arc<dyn Passwords>,
    pub digests: Arc<dyn Digests>,
    pub tokens: Arc<dyn AccessTokens>,
    pub limiter: Arc<dyn Limiter>,
    pub policies: Arc<Policies>,
}

/// What time it is, to the millisecond, and how to wait for a later one.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Returns after so many milliseconds of this clock.
    async fn sleep_ms(&self, ms: u64);
}

/// Randomness good enough for secrets.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl Ports {
    /// A random id (UUID version 4).
    #[must_use]
    pub fn random_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// An id that sorts by the time it was made (UUID version 7).
    #[must_use]
    pub fn sortable_id(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.entropy.fill(&mut bytes);
        let now = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now, &bytes).into_uuid()
    }
}
