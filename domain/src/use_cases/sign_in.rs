//! Opens a session with e-mail and password.

use chrono::TimeDelta;

use crate::account::{Account, Email, Session};
use crate::ports::Ports;
use crate::ports::secrets::Claims;
use crate::refusal::Reason;
use crate::{Failure, Fault, SessionId, Timestamp};

/// What a client signs in with from now on.
pub struct SignedIn {
    pub account: Account,
    pub access_token: String,
    pub access_until: Timestamp,
    /// Known to the client alone; the ledger has its digest.
    pub refresh_token: String,
    pub refresh_until: Timestamp,
}

/// What a refresh token's digest is keyed by.
pub(crate) const REFRESH: &str = "refresh-token";

/// Signs in.
///
/// # Errors
/// [`Reason::InvalidCredentials`] without saying which is wrong, after the same time either way.
pub async fn sign_in(ports: &Ports, email: &Email, password: &str) -> Result<SignedIn, Failure> {
    let account = ports.accounts.by_email(email).await?;
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.as_deref());
    let is_right = ports.passwords.verify(password, hash).await?;
    let Some(account) = account.filter(|_| is_right) else {
        return Err(Reason::InvalidCredentials.into());
    };
    let now = ports.clock.now();
    let (refresh_token, refresh_until) = new_refresh_token(ports, now);
    let session = Session {
        id: SessionId(ports.sortable_id()),
        account: account.id,
        refresh_digest: ports.digests.digest(REFRESH, &refresh_token),
        created_at: now,
        expires_at: refresh_until,
    };
    ports.accounts.open_session(&session).await?;
    Ok(signed_in(
        ports,
        account,
        session.id,
        (refresh_token, refresh_until),
    )?)
}

/// A refresh token of 256 random bits, in hexadecimal, and when it is over.
pub(crate) fn new_refresh_token(ports: &Ports, now: Timestamp) -> (String, Timestamp) {
    use std::fmt::Write;
    let mut bytes = [0; 32];
    ports.entropy.fill(&mut bytes);
    let token = bytes
        .iter()
        .fold(String::with_capacity(64), |mut token, byte| {
            // Writing into a String can't fail.
            let _ = write!(token, "{byte:02x}");
            token
        });
    (
        token,
        now + TimeDelta::milliseconds(ports.policies.accounts.refresh_ms),
    )
}

pub(crate) fn signed_in(
    ports: &Ports,
    account: Account,
    session: SessionId,
    (refresh_token, refresh_until): (String, Timestamp),
) -> Result<SignedIn, Fault> {
    let now = ports.clock.now();
    let access_until = now + TimeDelta::milliseconds(ports.policies.accounts.access_ms);
    let claims = Claims {
        account: account.id,
        role: account.role,
        session: Some(session),
        issued_at: now,
        expires_at: access_until,
    };
    let access_token = ports.tokens.issue(&claims)?;
    Ok(SignedIn {
        account,
        access_token,
        access_until,
        refresh_token,
        refresh_until,
    })
}
