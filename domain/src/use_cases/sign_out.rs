//! Ends a session.

use crate::Failure;
use crate::ports::Ports;
use crate::session::Ending;
use crate::use_cases::refresh_tokens;

/// Ends the session that a refresh token was made for, be it its newest or not. Ending one that is
/// not there is no error.
///
/// # Errors
/// A fault of the ledger.
pub async fn sign_out(ports: &Ports, refresh_token: &str) -> Result<(), Failure> {
    let Some(id) = refresh_tokens::session_of(ports, refresh_token) else {
        return Ok(());
    };
    if let Some(session) = ports.sessions.session(id).await? {
        let now = ports.clock.now();
        ports
            .sessions
            .end_sessions(session.account, Ending::One(id), now)
            .await?;
    }
    Ok(())
}
