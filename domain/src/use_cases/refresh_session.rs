//! Trades a refresh token for a new pair; each is good once.

use crate::Failure;
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::session::{Ending, Session};
use crate::use_cases::refresh_tokens;
use crate::use_cases::sign_in::{self, SignedIn};

/// Goes on with a session. A token that was used before ends its session: of its owner and a thief,
/// one has the older token, and nobody knows which (RFC 9700, section 4.14.2).
///
/// # Errors
/// [`Reason::SessionEnded`] for a token that is unknown, used, or too old.
pub async fn refresh_session(ports: &Ports, refresh_token: &str) -> Result<SignedIn, Failure> {
    let now = ports.clock.now();
    let Some(id) = refresh_tokens::session_of(ports, refresh_token) else {
        return Err(ended());
    };
    let session = ports.sessions.session(id).await?;
    let Some(session) = session.filter(|session| now < session.expires_at) else {
        return Err(ended());
    };
    let from = refresh_tokens::digest(ports, refresh_token);
    if from != session.refresh_digest {
        return used_before(ports, &session).await;
    }
    let Some(account) = ports.accounts.account(session.account).await? else {
        return Err(ended());
    };
    let token = refresh_tokens::make(ports, id);
    let to = refresh_tokens::digest(ports, &token);
    let until = sign_in::refresh_until(ports, now);
    if !ports
        .sessions
        .rotate_session(id, &from, &to, now, until)
        .await?
    {
        return used_before(ports, &session).await;
    }
    Ok(sign_in::signed_in(ports, account, id, (token, until))?)
}

async fn used_before(ports: &Ports, session: &Session) -> Result<SignedIn, Failure> {
    let now = ports.clock.now();
    let which = Ending::One(session.id);
    ports
        .sessions
        .end_sessions(session.account, which, now)
        .await?;
    Err(ended())
}

fn ended() -> Failure {
    Reason::SessionEnded.at(["refreshToken"]).into()
}
