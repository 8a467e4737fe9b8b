//! Delivered units that come back.

use async_graphql::{Enum, ID, SimpleObject};
use domain::order::Portion;
use domain::return_request::{ReturnRequest, ReturnState as State};

use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{DateTime, count};

/// A wish to give delivered units back.
#[derive(SimpleObject)]
pub struct Return {
    /// Its global id, `return_…`.
    id: ID,
    /// How far it has come.
    state: ReturnState,
    /// What comes back.
    lines: Vec<OrderPortion>,
    /// Why, in the buyer's words.
    reason: String,
    /// When the buyer asked for it.
    requested_at: DateTime,
    /// When it is to be completed; null once it is settled.
    completion_due_at: Option<DateTime>,
    /// When the units were back on sale and the refund on its way; null before.
    completed_at: Option<DateTime>,
    /// When an operator rejected it; null unless one did.
    rejected_at: Option<DateTime>,
    /// Why it was rejected, in the operator's words; null unless it was.
    note: Option<String>,
}

impl From<&ReturnRequest> for Return {
    fn from(request: &ReturnRequest) -> Self {
        let bare = Self {
            id: request.id.to_global(),
            state: request.state.status().into(),
            lines: request.lines.iter().map(Into::into).collect(),
            reason: request.reason.clone(),
            requested_at: request.requested_at.into(),
            completion_due_at: None,
            completed_at: None,
            rejected_at: None,
            note: None,
        };
        match &request.state {
            State::Requested { completion_due } => Self {
                completion_due_at: Some((*completion_due).into()),
                ..bare
            },
            State::Completed { at } => Self {
                completed_at: Some((*at).into()),
                ..bare
            },
            State::Rejected { at, note } => Self {
                rejected_at: Some((*at).into()),
                note: Some(note.clone()),
                ..bare
            },
        }
    }
}

/// Units of one line of an order.
#[derive(SimpleObject)]
pub struct OrderPortion {
    /// The line's `number`.
    line: i32,
    /// Units of it.
    quantity: i32,
}

impl From<&Portion> for OrderPortion {
    fn from(portion: &Portion) -> Self {
        Self {
            line: count(portion.line.saturating_add(1)),
            quantity: count(portion.quantity.get()),
        }
    }
}

/// How far a return has come. New states may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::return_request::ReturnStatus")]
pub enum ReturnState {
    /// It is completed on its day, unless an operator settles it before.
    Requested,
    /// The units are back on sale; what was paid for them goes back, see `refunds`. It stays so.
    Completed,
    /// An operator does not take the units back. It stays so.
    Rejected,
}
