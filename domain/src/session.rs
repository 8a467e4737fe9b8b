//! A place where somebody is signed in.

use crate::{AccountId, SessionId, Timestamp};

/// A signed-in session. Of its refresh tokens, each good once, it knows the digest of the newest:
/// whoever comes with an older one has stolen it, or was stolen from.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub refresh_digest: String,
    pub created_at: Timestamp,
    /// When its tokens were last traded.
    pub refreshed_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

/// Which sessions of an account to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    One(SessionId),
    /// Those on other devices.
    AllBut(SessionId),
    All,
}

/// A session that ended before its time, so that its access token does not outlive it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    pub session: SessionId,
    pub at: Timestamp,
}
