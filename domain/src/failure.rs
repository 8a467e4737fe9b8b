//! Why a use case did not do what it was asked: refused, or the infrastructure failed.

use std::error::Error;

use crate::refusal::{Reason, Refusal};

/// How a use case ends when it does not succeed.
#[derive(Debug)]
pub enum Failure {
    /// An expected *no*; at least one refusal.
    Refused(Vec<Refusal>),
    Fault(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(vec![reason.into()])
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What sort of infrastructure failure it is; decides whether a repetition can help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// Away, overloaded or out of time: may work again by itself.
    Unavailable,
    /// What was read makes no sense; a repetition reads the same.
    Corrupt,
}

/// Infrastructure failed. Without `Display` on purpose, so that no blanket conversion can carry a
/// driver's text to a client; its whole chain goes to the log through [`Fault::detail`].
#[derive(Debug)]
pub struct Fault {
    pub kind: FaultKind,
    /// What was being done, a fixed sentence without data.
    pub doing: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    pub fn unavailable(
        doing: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind: FaultKind::Unavailable,
            doing,
            source: Some(source.into()),
        }
    }

    pub fn corrupt(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: FaultKind::Corrupt,
            doing,
            source: Some(source.into()),
        }
    }

    /// Everything that is known about it, for the log only.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut detail = self.doing.to_owned();
        let mut next = self.source.as_deref().map(|e| e as &dyn Error);
        while let Some(cause) = next {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            next = cause.source();
        }
        detail
    }
}
