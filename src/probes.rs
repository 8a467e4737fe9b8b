//! Whether the servers behind a process answer, looked at all the time, for its readiness.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::app::Lacks;
use domain::Fault;
use domain::message::Topic;
use domain::ports::Ports;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(2);
/// For how long a gate that does not answer is waited for: longer than a failover takes, in which
/// no other node would be better off.
const FAILOVER: Duration = Duration::from_secs(15);

/// What is known of the servers. Cheap to clone.
#[derive(Clone)]
pub struct Probes {
    gate: Arc<Seen>,
    log: Arc<Seen>,
    ledger: Arc<Seen>,
}

/// What is known of one.
struct Seen(Mutex<Sight>);

#[derive(Clone, Copy)]
struct Sight {
    answers: bool,
    /// When it last did, or was first looked at.
    since: Instant,
}

impl Probes {
    /// Looks from now until `stop`. The servers have just answered: everything is connected.
    pub fn start(ports: &Ports, stop: &CancellationToken) -> Self {
        let probes = Self {
            gate: Arc::default(),
            log: Arc::default(),
            ledger: Arc::default(),
        };
        let asked = ports.clone();
        watch(&probes.gate, stop, move || {
            let gate = asked.gate.clone();
            async move { gate.edge_length().await.map(drop) }
        });
        let asked = ports.clone();
        watch(&probes.log, stop, move || {
            let log = asked.log.clone();
            async move { log.ends(Topic::OrderAccepted).await.map(drop) }
        });
        let asked = ports.clone();
        watch(&probes.ledger, stop, move || {
            let accounts = asked.accounts.clone();
            async move { accounts.is_empty().await.map(drop) }
        });
        probes
    }

    /// What an API node lacks. Without the gate nobody can order; without the log orders wait at the
    /// edge, without the ledger in the log, and neither is a reason to send requests elsewhere.
    pub fn lacks(&self) -> Lacks {
        let mut lacks = Lacks::default();
        let gate = self.gate.sight();
        if !gate.answers && gate.since.elapsed() > FAILOVER {
            lacks.missing.push("gate");
        } else if !gate.answers {
            lacks.degraded.push("gate");
        }
        for (seen, name) in [(&self.log, "log"), (&self.ledger, "ledger")] {
            if !seen.sight().answers {
                lacks.degraded.push(name);
            }
        }
        lacks
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self(Mutex::new(Sight {
            answers: true,
            since: Instant::now(),
        }))
    }
}

impl Seen {
    fn sight(&self) -> Sight {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, answers: bool) {
        let mut sight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sight.answers = answers;
        if answers {
            sight.since = Instant::now();
        }
    }
}

/// Looks again and again. What does not answer is told by whoever needs it, so not here.
fn watch<F>(seen: &Arc<Seen>, stop: &CancellationToken, look: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (seen, stop) = (seen.clone(), stop.clone());
    let looking = async move {
        loop {
            let answer = timeout(LIMIT, look()).await;
            seen.note(matches!(answer, Ok(Ok(()))));
            sleep(PERIOD).await;
        }
    };
    tokio::spawn(stop.run_until_cancelled_owned(looking));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_node_is_ready_as_long_as_the_gate_may_come_back() {
        let probes = Probes {
            gate: Arc::default(),
            log: Arc::default(),
            ledger: Arc::default(),
        };
        let told = || {
            let Lacks { missing, degraded } = probes.lacks();
            (missing, degraded)
        };
        assert_eq!(told(), (vec![], vec![]));
        probes.log.note(false);
        probes.ledger.note(false);
        probes.gate.note(false);
        assert_eq!(told(), (vec![], vec!["gate", "log", "ledger"]));
        tokio::time::advance(FAILOVER + PERIOD).await;
        assert_eq!(told(), (vec!["gate"], vec!["log", "ledger"]));
        probes.gate.note(true);
        probes.log.note(true);
        assert_eq!(told(), (vec![], vec!["ledger"]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_answer_in_time_does_not_answer() {
        let (seen, stop) = (Arc::<Seen>::default(), CancellationToken::new());
        watch(&seen, &stop, std::future::pending);
        sleep(LIMIT + PERIOD).await;
        assert!(!seen.sight().answers);
        stop.cancel();
    }
}
