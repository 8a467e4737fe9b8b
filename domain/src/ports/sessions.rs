//! The ledger's side of sessions.

use async_trait::async_trait;

use crate::session::{Ended, Ending, Session};
use crate::{AccountId, Fault, SessionId, Timestamp};

#[async_trait]
pub trait Sessions: Send + Sync {
    /// Opens a session of an account whose password is still the one of this hash; `false`, and
    /// nothing opened, when it has changed or the account is gone.
    async fn open_session(&self, session: &Session, password_hash: &str) -> Result<bool, Fault>;

    async fn session(&self, id: SessionId) -> Result<Option<Session>, Fault>;

    /// Replaces the refresh token of a session that still has `from`; `false` when it has not.
    async fn rotate_session(
        &self,
        id: SessionId,
        from: &str,
        to: &str,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, Fault>;

    /// Sessions of an account that are not over by `now`, newest first.
    async fn sessions_of(
        &self,
        account: AccountId,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<Session>, Fault>;

    /// Ends sessions of an account and notes that for [`Sessions::ended_since`]; returns how many
    /// there were.
    async fn end_sessions(
        &self,
        account: AccountId,
        which: Ending,
        at: Timestamp,
    ) -> Result<usize, Fault>;

    /// The sessions that were ended since, the time of whoever ended them.
    async fn ended_since(&self, since: Timestamp) -> Result<Vec<Ended>, Fault>;
}
