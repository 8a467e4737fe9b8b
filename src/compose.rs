//! The composition root: the one place where ports meet their adapters.

use std::path::Path;
use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::crypto::vault::Vault;
use adapters::crypto::{Argon2Passwords, JwtTokens, KeyedDigests, Keyring};
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings};
use adapters::embedded::log::SqliteLog;
use adapters::entropy::SystemEntropy;
use adapters::item_cache::CachedItems;
use adapters::mail::{FolderMailbox, FolderMailer, SmtpMailer};
use adapters::payment::SimulatedProvider;
use adapters::sql::Ledger;
use domain::Fault;
use domain::ports::{Clock, Entropy, Mailbox, Mailer, Ports};

use crate::instance;

/// Partitions of the embedded log: one process writes one file, so more would only make the order
/// writer's batches smaller.
const PARTITIONS: u16 = 1;

/// A shop in one process.
pub struct World {
    pub ports: Ports,
    /// Where letters can be read; nowhere, when a mail server takes them.
    pub mailbox: Option<Arc<dyn Mailbox>>,
    ledger: Arc<Ledger>,
}

impl World {
    /// Opens everything in the data folder, and makes what is not there yet. `epoch` is above that
    /// of every gate before.
    ///
    /// # Errors
    /// Whatever can't be opened.
    pub async fn open(config: &Config, epoch: u32) -> Result<Self, Fault> {
        let folder = config.data_dir.0.as_path();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let keys = Keyring::open(folder, entropy.as_ref())?;
        let ledger = open_ledger(folder, &keys, &clock, &entropy).await?;
        let log = SqliteLog::open(&folder.join("log.db"), PARTITIONS, clock.clone()).await?;
        let simulated = config.payment.simulated.clone();
        let provider = SimulatedProvider::open(&folder.join("provider.db"), simulated).await?;
        let gate = MemoryGateSettings {
            shards: config.gate.shards,
            edge_queue_max: config.gate.edge_queue,
            epoch,
            ..MemoryGateSettings::default()
        };
        let policies = config
            .policies()
            .map_err(|errors| Fault::corrupt("reading the rules", errors.join("; ")))?;
        let (mailer, mailbox) = mail(config)?;
        let ports = Ports {
            gate: Arc::new(MemoryGate::new(clock.clone(), gate)),
            log: Arc::new(log),
            items: Arc::new(CachedItems::new(ledger.clone())),
            catalogue: ledger.clone(),
            orders: ledger.clone(),
            outbox: ledger.clone(),
            accounts: ledger.clone(),
            audit: ledger.clone(),
            provider: Arc::new(provider),
            mailer,
            passwords: Arc::new(Argon2Passwords::new(entropy.clone())?),
            digests: Arc::new(KeyedDigests::new(&keys.digests)),
            tokens: Arc::new(JwtTokens::new(&keys.tokens)),
            policies: Arc::new(policies),
            clock,
            entropy,
        };
        Ok(Self {
            ports,
            mailbox,
            ledger,
        })
    }

    /// Closes the ledger, so that nothing is left for the next start to recover.
    ///
    /// # Errors
    /// It could not be closed cleanly; nothing that was committed is lost.
    pub async fn close(self) -> Result<(), Fault> {
        self.ledger.close().await
    }
}

/// The ledger of a data folder.
///
/// # Errors
/// A file that can't be opened.
pub async fn open_ledger(
    folder: &Path,
    keys: &Keyring,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<Ledger>, Fault> {
    let vault = Vault::new(&keys.sealing, &keys.older, &keys.index, entropy.clone());
    let path = folder.join(instance::LEDGER);
    Ok(Arc::new(
        Ledger::open_sqlite(&path, clock.clone(), vault).await?,
    ))
}

type Post = (Arc<dyn Mailer>, Option<Arc<dyn Mailbox>>);

fn mail(config: &Config) -> Result<Post, Fault> {
    let from = adapters::mail::sender(&config.mail.from)
        .map_err(|error| Fault::corrupt("reading the sender of mail", error))?;
    if let Some(url) = &config.mail.smtp {
        return Ok((Arc::new(SmtpMailer::new(url.expose(), from)?), None));
    }
    let folder = config.path("mailbox");
    let mailer = FolderMailer::open(&folder, from)?;
    Ok((
        Arc::new(mailer),
        Some(Arc::new(FolderMailbox::new(&folder))),
    ))
}
