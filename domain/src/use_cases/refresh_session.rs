//! Trades a refresh token for a new pair; each is good once.

use crate::Failure;
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::sign_in::{self, REFRESH, SignedIn};

/// Goes on with a session.
///
/// # Errors
/// [`Reason::SessionEnded`] for a token that is unknown, used, or too old.
pub async fn refresh_session(ports: &Ports, refresh_token: &str) -> Result<SignedIn, Failure> {
    let now = ports.clock.now();
    let from = ports.digests.digest(REFRESH, refresh_token);
    let session = ports.accounts.session_by_refresh(&from).await?;
    let Some(session) = session.filter(|session| now < session.expires_at) else {
        return Err(ended());
    };
    let Some(account) = ports.accounts.account(session.account).await? else {
        return Err(ended());
    };
    let (token, until) = sign_in::new_refresh_token(ports, now);
    let to = ports.digests.digest(REFRESH, &token);
    if !ports
        .accounts
        .rotate_session(session.id, &from, &to, until)
        .await?
    {
        return Err(ended());
    }
    Ok(sign_in::signed_in(
        ports,
        account,
        session.id,
        (token, until),
    )?)
}

fn ended() -> Failure {
    Reason::SessionEnded.at(["refreshToken"]).into()
}
