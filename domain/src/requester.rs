//! Who asks, and what it may do: the one place where roles are compared.

use crate::account::Role;
use crate::refusal::Reason;
use crate::{AccountId, SessionId, Timestamp};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requester {
    Anonymous,
    SignedIn {
        account: AccountId,
        role: Role,
        /// The session it asks from; none for a token that an operator made.
        session: Option<SessionId>,
        until: Timestamp,
    },
}

impl Requester {
    /// The account that asks.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] for anybody not signed in.
    pub fn account(&self) -> Result<AccountId, Reason> {
        match self {
            Self::Anonymous => Err(Reason::Unauthenticated),
            Self::SignedIn { account, .. } => Ok(*account),
        }
    }

    /// The session that is asked from, where there is one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Anonymous => None,
            Self::SignedIn { session, .. } => *session,
        }
    }

    /// The account that asks, if it may act as `role`. An admin may do what a seller may, a seller
    /// what a customer may.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`], or [`Reason::Forbidden`] for a lesser role.
    pub fn acting_as(&self, role: Role) -> Result<AccountId, Reason> {
        match self {
            Self::Anonymous => Err(Reason::Unauthenticated),
            Self::SignedIn {
                account, role: own, ..
            } if *own >= role => Ok(*account),
            Self::SignedIn { .. } => Err(Reason::Forbidden),
        }
    }
}
