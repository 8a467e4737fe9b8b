//! Circuit breakers and time limits around what may go away: Redis, Kafka, the SQL server, the
//! payment provider and the mail server.
//!
//! A breaker opens after some calls in a row got no answer ([`FaultKind::Unavailable`], or no answer
//! in time). While it is open a call is answered *unavailable* at once, so nobody waits for what is
//! away. After a pause one call may try; if it gets through, the breaker is closed. What the other
//! side *says*, a refusal, a decline, nonsense, is an answer and opens nothing.

mod breaker;
mod gate;
mod ledger;
mod limiter;
mod log;
mod mailer;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use domain::ports::Ports;

pub use breaker::Breaker;
pub use gate::GuardedGate;
pub use ledger::{GuardedLedger, LedgerPorts};
pub use limiter::GuardedLimiter;
pub use log::GuardedLog;
pub use mailer::GuardedMailer;
pub use provider::GuardedProvider;

#[cfg(doc)]
use domain::FaultKind;

/// How long calls may take, and when a breaker opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuardSettings {
    /// How long a call of the gate may take.
    pub gate: Duration,
    /// The same for calls that carry many items, buyers or receipts.
    pub gate_bulk: Duration,
    /// How long the log may take to have what is published.
    pub log: Duration,
    /// How long the payment provider may take. It may have charged all the same: afterwards the
    /// outcome is unknown, and it is asked again.
    pub provider: Duration,
    /// How long the mail server may take for a letter.
    pub mail: Duration,
    /// Calls in a row without an answer that open a breaker.
    pub failures: usize,
    /// How long an open breaker lets nothing through.
    pub pause: Duration,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            gate: Duration::from_secs(2),
            gate_bulk: Duration::from_secs(30),
            log: Duration::from_secs(3),
            provider: Duration::from_secs(10),
            mail: Duration::from_secs(10),
            failures: 5,
            // Well below what a consumer waits between its attempts at a record: an attempt must
            // reach the other side again before the record is given up.
            pause: Duration::from_secs(1),
        }
    }
}

/// The guards of one process, as far as somebody asks them.
#[derive(Clone)]
pub struct Guards {
    provider: Arc<GuardedProvider>,
    mailer: Arc<GuardedMailer>,
}

impl Guards {
    /// Guards everything that is reached over the network. The workers take these ports too, the
    /// gate keeper and the relays among them: a breaker that is open for a second delays healing by
    /// no more than that, and the keeper's beats are what tries it again where nobody orders.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn servers(ports: Ports, settings: &GuardSettings) -> Result<(Ports, Self), Fault> {
        let (ports, guards) = Self::embedded(ports, settings)?;
        let gate = GuardedGate::new(ports.gate.clone(), settings)?;
        let log = GuardedLog::new(ports.log.clone(), settings)?;
        let (limiter, clock) = (ports.limiter.clone(), ports.clock.clone());
        let limiter = GuardedLimiter::new(limiter, clock, settings)?;
        let ledger = LedgerPorts {
            orders: ports.orders.clone(),
            accounts: ports.accounts.clone(),
            sessions: ports.sessions.clone(),
            verifications: ports.verifications.clone(),
            wishlists: ports.wishlists.clone(),
            back_office: ports.back_office.clone(),
            letters: ports.letters.clone(),
            dead_letters: ports.dead_letters.clone(),
            catalogue: ports.catalogue.clone(),
        };
        let ledger = GuardedLedger::new(ledger, settings)?;
        let ledger = Arc::new(ledger);
        let ports = Ports {
            gate: Arc::new(gate),
            log: Arc::new(log),
            orders: ledger.clone(),
            accounts: ledger.clone(),
            sessions: ledger.clone(),
            verifications: ledger.clone(),
            wishlists: ledger.clone(),
            back_office: ledger.clone(),
            letters: ledger.clone(),
            dead_letters: ledger.clone(),
            catalogue: ledger,
            limiter: Arc::new(limiter),
            ..ports
        };
        Ok((ports, guards))
    }

    /// Guards the provider and the mail server; gate and log are in this process.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn embedded(ports: Ports, settings: &GuardSettings) -> Result<(Ports, Self), Fault> {
        let provider = Arc::new(GuardedProvider::new(ports.provider.clone(), settings)?);
        let mailer = Arc::new(GuardedMailer::new(ports.mailer.clone(), settings)?);
        let guards = Self {
            provider: provider.clone(),
            mailer: mailer.clone(),
        };
        let ports = Ports {
            provider,
            mailer,
            ..ports
        };
        Ok((ports, guards))
    }

    /// Which of the payment provider and the mail server do not answer just now, each as a short
    /// word. Redis, Kafka and the ledger can be asked without consequences, so whoever tells how a
    /// process is doing asks them instead.
    #[must_use]
    pub fn away(&self) -> Vec<&'static str> {
        let breakers = [
            ("provider", self.provider.breaker()),
            ("mail", self.mailer.breaker()),
        ];
        let open = breakers.into_iter().filter(|(_, it)| it.is_open());
        open.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests;
