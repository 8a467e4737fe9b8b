//! What became of a crowd's requests. A refusal is never counted as a success, and a failure to get
//! an answer is neither.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use serde_json::{Value, json};

use super::client::NoAnswer;
use super::requests::UserError;

/// How a buyer came out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Accepted,
    /// The code of the first refusal.
    Refused(String),
    /// The code of the first fault.
    Fault(String),
    /// What happened to the connection.
    Transport(String),
}

impl Fate {
    /// The fate of somebody who gives up on this.
    pub fn of(no_answer: &NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Fault { code, .. } => Self::Fault(code.clone()),
            NoAnswer::Transport(transport) => Self::Transport(transport.to_string()),
        }
    }

    /// The fate of somebody who was refused.
    pub fn refused(errors: &[UserError]) -> Self {
        let code = errors.first().map(|error| error.code.clone());
        Self::Refused(code.unwrap_or_else(|| "UNKNOWN".to_owned()))
    }
}

/// Counts of fates.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    pub accepted: u64,
    pub refused: BTreeMap<String, u64>,
    pub faults: BTreeMap<String, u64>,
    pub transport: BTreeMap<String, u64>,
    /// Requests sent, the repeated ones included.
    pub requests: u64,
}

impl Tally {
    pub fn note(&mut self, fate: Fate) {
        let (counts, name) = match fate {
            Fate::Accepted => {
                self.accepted += 1;
                return;
            }
            Fate::Refused(code) => (&mut self.refused, code),
            Fate::Fault(code) => (&mut self.faults, code),
            Fate::Transport(what) => (&mut self.transport, what),
        };
        *counts.entry(name).or_default() += 1;
    }

    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.requests += other.requests;
        for (counts, others) in [
            (&mut self.refused, other.refused),
            (&mut self.faults, other.faults),
            (&mut self.transport, other.transport),
        ] {
            for (name, count) in others {
                *counts.entry(name).or_default() += count;
            }
        }
    }

    /// Everybody who got no answer that counts.
    pub fn unanswered(&self) -> u64 {
        self.faults.values().chain(self.transport.values()).sum()
    }

    /// For people: one line a kind.
    pub fn lines(&self, accepted: &str) -> Vec<String> {
        let mut lines = vec![format!("{:>9}  {accepted}", self.accepted)];
        for (kind, counts) in [
            ("refused", &self.refused),
            ("fault", &self.faults),
            ("transport", &self.transport),
        ] {
            let kinds = counts
                .iter()
                .map(|(name, count)| format!("{count:>9}  {kind}: {name}"));
            lines.extend(kinds);
        }
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "accepted": self.accepted,
            "refused": self.refused,
            "faults": self.faults,
            "transportErrors": self.transport,
            "requests": self.requests,
        })
    }
}

/// How long answers took.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

impl Latency {
    /// The longest time that is told apart, in microseconds.
    const LONGEST_US: u64 = 600_000_000;
    /// Significant digits of what is remembered.
    const DIGITS: u8 = 3;

    /// # Errors
    /// Never with these bounds.
    pub fn new() -> Result<Self, CreationError> {
        Histogram::new_with_max(Self::LONGEST_US, Self::DIGITS).map(Self)
    }

    pub fn note(&mut self, took: Duration) {
        self.0
            .saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn add(&mut self, other: &Self) {
        // They have the same bounds, so there is room for all.
        let _ = self.0.add(&other.0);
    }

    /// The time within which such a share of the answers came.
    fn at(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(quantile))
    }

    fn most(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    /// For people.
    pub fn line(&self) -> String {
        format!(
            "latency: p50 {}, p90 {}, p99 {}, max {} over {} answers",
            ms(self.at(0.5)),
            ms(self.at(0.9)),
            ms(self.at(0.99)),
            ms(self.most()),
            self.0.len(),
        )
    }

    /// For machines, in microseconds.
    pub fn to_json(&self) -> Value {
        json!({
            "answers": self.0.len(),
            "p50Us": self.0.value_at_quantile(0.5),
            "p90Us": self.0.value_at_quantile(0.9),
            "p99Us": self.0.value_at_quantile(0.99),
            "maxUs": self.0.max(),
        })
    }
}

/// Milliseconds, with one digit more.
fn ms(time: Duration) -> String {
    let tenths = time.as_micros().div_ceil(100);
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::client::Transport;
    use super::*;

    #[test]
    fn a_refusal_and_a_failure_are_no_success() {
        let mut tally = Tally::default();
        tally.note(Fate::Accepted);
        tally.note(Fate::Refused("OUT_OF_STOCK".to_owned()));
        tally.note(Fate::of(&NoAnswer::Transport(Transport::Timeout)));
        let unavailable = NoAnswer::Fault {
            code: "UNAVAILABLE".to_owned(),
            retryable: true,
        };
        tally.note(Fate::of(&unavailable));
        let mut sum = tally.clone();
        sum.add(tally);
        assert_eq!((sum.accepted, sum.unanswered()), (2, 4));
        let json = sum.to_json();
        assert_eq!(json["refused"], json!({ "OUT_OF_STOCK": 2 }));
        assert_eq!(json["transportErrors"], json!({ "no answer in time": 2 }));
        assert_eq!(sum.lines("orders accepted").len(), 4);
    }

    #[test]
    fn latencies_of_many_add_up() {
        let mut latency = Latency::new().unwrap();
        for ms in 1..=100 {
            let mut one = Latency::new().unwrap();
            one.note(Duration::from_millis(ms));
            latency.add(&one);
        }
        latency.note(Duration::from_secs(1_000_000));
        let json = latency.to_json();
        assert_eq!(json["answers"], 101);
        let median = json["p50Us"].as_u64().unwrap();
        assert!((50_000..52_000).contains(&median), "{median}");
        assert!(latency.line().contains("p90 "), "{}", latency.line());
    }
}
