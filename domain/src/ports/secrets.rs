//! Passwords, digests and tokens.

use async_trait::async_trait;

use crate::account::{Password, Role};
use crate::{AccountId, Fault, SessionId, Timestamp};

/// Slow hashing, off the threads that serve.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The hash in the PHC string format, with a fresh salt.
    async fn hash(&self, password: &Password) -> Result<String, Fault>;

    /// Whether `typed` is the password of `hash`. Without a hash it takes as long and says no, so
    /// that nobody can time who has an account.
    async fn verify(&self, typed: &str, hash: Option<&str>) -> Result<bool, Fault>;

    /// Whether `hash` was made in a weaker way than [`Passwords::hash`] would now.
    fn is_outdated(&self, hash: &str) -> bool;

    /// Whether everybody's lists of guesses have it; `lower_case` is in lower case.
    fn is_common(&self, lower_case: &str) -> bool;
}

/// Keyed digests of secrets that only have to be recognised.
pub trait Digests: Send + Sync {
    fn digest(&self, purpose: &'static str, secret: &str) -> String;
}

/// Short-lived signed access tokens.
pub trait AccessTokens: Send + Sync {
    fn issue(&self, claims: &Claims) -> Result<String, Fault>;

    /// The claims of a token that is ours and not over at `now`.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenRefused>;

    /// The public keys as a JWK set (RFC 7517), in JSON.
    fn jwks(&self) -> String;
}

/// What an access token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims {
    pub account: AccountId,
    pub role: Role,
    /// The session it was issued for; none for an operator's.
    pub session: Option<SessionId>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenRefused {
    Expired,
    /// Not a token, not ours, or tampered with; no more is said.
    Invalid,
}
