//! The workers by name.

use std::fmt;
use std::str::FromStr;

/// One concern that runs on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WorkerName {
    OrderWriter,
    Payment,
    Cancellation,
    Expiry,
    Delivery,
    Returns,
    Mail,
    DeadLetters,
    EdgeRelay,
    OutboxRelay,
    GateKeeper,
    Housekeeping,
}

impl WorkerName {
    pub const ALL: [Self; 12] = [
        Self::OrderWriter,
        Self::Payment,
        Self::Cancellation,
        Self::Expiry,
        Self::Delivery,
        Self::Returns,
        Self::Mail,
        Self::DeadLetters,
        Self::EdgeRelay,
        Self::OutboxRelay,
        Self::GateKeeper,
        Self::Housekeeping,
    ];

    /// Its name on the command line and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderWriter => "order-writer",
            Self::Payment => "payment",
            Self::Cancellation => "cancellation",
            Self::Expiry => "expiry",
            Self::Delivery => "delivery",
            Self::Returns => "returns",
            Self::Mail => "mail",
            Self::DeadLetters => "dead-letters",
            Self::EdgeRelay => "edge-relay",
            Self::OutboxRelay => "outbox-relay",
            Self::GateKeeper => "gate-keeper",
            Self::Housekeeping => "housekeeping",
        }
    }
}

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WorkerName {
    type Err = UnknownWorker;

    fn from_str(text: &str) -> Result<Self, UnknownWorker> {
        Self::ALL
            .into_iter()
            .find(|worker| worker.name() == text)
            .ok_or_else(|| UnknownWorker(text.to_owned()))
    }
}

/// There is no worker of this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownWorker(pub String);

impl fmt::Display for UnknownWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = WorkerName::ALL.map(WorkerName::name).join(", ");
        write!(f, "there is no worker \"{}\"; there are {known}", self.0)
    }
}

impl std::error::Error for UnknownWorker {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_again() {
        for worker in WorkerName::ALL {
            assert_eq!(worker.name().parse(), Ok(worker));
        }
        let unknown = "order_writer".parse::<WorkerName>().unwrap_err();
        assert!(unknown.to_string().contains("order-writer"));
    }
}
