//! The composition root: the one place where ports meet their adapters.

mod distributed;
mod embedded;

use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::crypto::{Argon2Passwords, KeyedDigests, Keyring, LiveKeys};
use adapters::entropy::SystemEntropy;
use adapters::guard::{GuardSettings, Guards};
use adapters::mail::{FolderMailbox, FolderMailer, SmtpMailer};
use adapters::payment::{SimulatedProvider, StripeProvider, StripeSettings};
use adapters::sql::Ledger;
use domain::Fault;
use domain::ports::{
    Clock, Entropy, Gate, ItemCache, Limiter, Log, Mailbox, Mailer, Ports, Provider,
};
use tokio::task::AbortHandle;

pub use distributed::{make_log, migrate_ledger};

/// A shop, as one process has it.
pub struct World {
    pub ports: Ports,
    /// What stands before everything that may be away.
    pub guards: Guards,
    /// Where letters can be read; nowhere, when a mail server takes them.
    pub mailbox: Option<Arc<dyn Mailbox>>,
    ledger: Arc<Ledger>,
    /// Takes keys that come into their file.
    following: AbortHandle,
}

/// What a shop in one process and one over servers have each in their own way.
struct Engines {
    gate: Arc<dyn Gate>,
    log: Arc<dyn Log>,
    items: Arc<dyn ItemCache>,
    limiter: Arc<dyn Limiter>,
    ledger: Arc<Ledger>,
}

/// What everything else is made with.
struct Base {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keys: LiveKeys,
}

impl World {
    /// Opens the shop of these settings, for a command beside its processes. In one process it has
    /// no gate of its own then, and nothing in it moves.
    ///
    /// # Errors
    /// Whatever can't be opened.
    pub async fn open(config: &Config) -> Result<Self, Fault> {
        if config.servers().is_some() {
            Self::distributed(config).await
        } else {
            Self::embedded(config, 0).await
        }
    }

    async fn of(config: &Config, base: Base, engines: Engines) -> Result<Self, Fault> {
        let Base {
            clock,
            entropy,
            keys,
        } = base;
        let policies = config
            .policies()
            .map_err(|errors| Fault::corrupt("reading the rules", errors.join("; ")))?;
        let (mailer, mailbox) = mail(config)?;
        let ledger = engines.ledger;
        let provider = provider(config, &ledger, &clock).await?;
        let ports = Ports {
            gate: engines.gate,
            log: engines.log,
            items: engines.items,
            catalogue: ledger.clone(),
            orders: ledger.clone(),
            outbox: ledger.clone(),
            accounts: ledger.clone(),
            sessions: ledger.clone(),
            verifications: ledger.clone(),
            wishlists: ledger.clone(),
            letters: ledger.clone(),
            housekeeping: ledger.clone(),
            dead_letters: ledger.clone(),
            audit: ledger.clone(),
            back_office: ledger.clone(),
            provider,
            mailer,
            passwords: Arc::new(Argon2Passwords::new(entropy.clone())?),
            digests: Arc::new(KeyedDigests::new(&keys.digests)),
            tokens: keys.tokens.clone(),
            limiter: engines.limiter,
            policies: Arc::new(policies),
            clock,
            entropy,
        };
        let settings = guards(config);
        let (ports, guards) = if config.servers().is_some() {
            Guards::servers(ports, &settings)?
        } else {
            Guards::embedded(ports, &settings)?
        };
        Ok(Self {
            ports,
            guards,
            mailbox,
            ledger,
            following: tokio::spawn(keys.follow()).abort_handle(),
        })
    }

    /// Closes the ledger, so that nothing is left for the next start to recover.
    ///
    /// # Errors
    /// It could not be closed cleanly; nothing that was committed is lost.
    pub async fn close(self) -> Result<(), Fault> {
        self.following.abort();
        self.ledger.close().await
    }
}

/// The ledger alone, with the keys that go with it, as they are now.
///
/// # Errors
/// There is none, or it can't be opened.
pub async fn open_ledger(config: &Config) -> Result<(Arc<Ledger>, LiveKeys), Fault> {
    let base = if config.servers().is_some() {
        distributed::base(config)?
    } else {
        embedded::base(config)?
    };
    let ledger = match config.servers() {
        Some(servers) => distributed::open_ledger(config, servers, &base).await?,
        None => embedded::open_ledger(config, &base).await?,
    };
    Ok((ledger, base.keys))
}

impl Base {
    fn new(config: &Config, keys: &Keyring, entropy: Arc<dyn Entropy>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let folder = config.data_dir.0.clone();
        Self {
            keys: LiveKeys::new(folder, keys, clock.clone(), entropy.clone()),
            clock,
            entropy,
        }
    }
}

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy)
}

fn guards(config: &Config) -> GuardSettings {
    let guards = &config.guards;
    GuardSettings {
        gate: guards.gate.duration(),
        gate_bulk: guards.gate_bulk.duration(),
        log: guards.log.duration(),
        provider: guards.provider.duration(),
        mail: guards.mail.duration(),
        failures: guards.failures,
        pause: guards.pause.duration(),
    }
}

/// The provider that the settings name, or the one in this process.
async fn provider(
    config: &Config,
    ledger: &Arc<Ledger>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Provider>, Fault> {
    let payment = &config.payment;
    let (Some(url), Some(secret_key)) = (&payment.url, &payment.secret_key) else {
        let books = config.path("provider.db");
        let simulated = payment.simulated.clone();
        return Ok(Arc::new(SimulatedProvider::open(&books, simulated).await?));
    };
    let settings = StripeSettings {
        url: url.clone(),
        secret_key: secret_key.clone(),
        webhook_secret: payment.webhook_secret.clone(),
        key_life: payment.key_life.duration(),
        timeout: config.guards.provider.duration(),
    };
    let provider = StripeProvider::new(settings, ledger.clone(), clock.clone())?;
    Ok(Arc::new(provider))
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
