//! A wish to give delivered units back.

use crate::delivery::DeliveryCalendar;
use crate::item::text;
use crate::order::Portion;
use crate::policy::ReturnPolicy;
use crate::refusal::{Reason, Refusal};
use crate::{ReturnId, Timestamp};

/// A return of units of one delivered order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReturnRequest {
    pub id: ReturnId,
    pub lines: Vec<Portion>,
    /// Why, in the buyer's words.
    pub reason: String,
    pub requested_at: Timestamp,
    pub state: ReturnState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReturnState {
    /// Completed when due, unless an operator approves or rejects it before.
    Requested { completion_due: Timestamp },
    /// Restocked; the money goes back.
    Completed { at: Timestamp },
    Rejected {
        at: Timestamp,
        /// Why, in the operator's words.
        note: String,
    },
}

/// The state without its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReturnStatus {
    Requested,
    Completed,
    Rejected,
}

pub const MIN_REASON: usize = 10;
pub const MAX_REASON: usize = 50;
/// The longest note of an operator.
pub const MAX_NOTE: usize = 200;

impl ReturnState {
    #[must_use]
    pub fn status(&self) -> ReturnStatus {
        match self {
            Self::Requested { .. } => ReturnStatus::Requested,
            Self::Completed { .. } => ReturnStatus::Completed,
            Self::Rejected { .. } => ReturnStatus::Rejected,
        }
    }
}

impl ReturnRequest {
    /// A new one; whether the order allows it is the order's to say.
    ///
    /// # Errors
    /// The length of the reason.
    pub fn new(
        id: ReturnId,
        lines: Vec<Portion>,
        reason: &str,
        (policy, calendar): (&ReturnPolicy, &DeliveryCalendar),
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        text(reason, MIN_REASON, MAX_REASON).map_err(|reason| reason.at(["reason"]))?;
        let completion_due = calendar.days_after(now, policy.days_to_complete);
        Ok(Self {
            id,
            lines,
            reason: reason.to_owned(),
            requested_at: now,
            state: ReturnState::Requested { completion_due },
        })
    }

    /// The units are back and the money goes back. `None` unless it is still open, and due or
    /// approved.
    #[must_use]
    pub fn complete(&self, approved: bool, now: Timestamp) -> Option<Self> {
        match self.state {
            ReturnState::Requested { completion_due } if approved || completion_due <= now => {
                Some(Self {
                    state: ReturnState::Completed { at: now },
                    ..self.clone()
                })
            }
            ReturnState::Requested { .. }
            | ReturnState::Completed { .. }
            | ReturnState::Rejected { .. } => None,
        }
    }

    /// An operator does not take it back.
    ///
    /// # Errors
    /// It is not open any more; the length of the note.
    pub fn reject(&self, note: &str, now: Timestamp) -> Result<Self, Refusal> {
        text(note, 1, MAX_NOTE).map_err(|reason| reason.at(["note"]))?;
        match self.state {
            ReturnState::Requested { .. } => Ok(Self {
                state: ReturnState::Rejected {
                    at: now,
                    note: note.to_owned(),
                },
                ..self.clone()
            }),
            ReturnState::Completed { .. } | ReturnState::Rejected { .. } => {
                Err(Reason::ReturnSettled {
                    state: self.state.status(),
                }
                .into())
            }
        }
    }
}
