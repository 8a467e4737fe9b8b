//! Ends a session.

use crate::Failure;
use crate::ports::Ports;
use crate::use_cases::sign_in::REFRESH;

/// Ends the session that a refresh token belongs to. Ending one that is not there is no error.
///
/// # Errors
/// A fault of the ledger.
pub async fn sign_out(ports: &Ports, refresh_token: &str) -> Result<(), Failure> {
    let digest = ports.digests.digest(REFRESH, refresh_token);
    if let Some(session) = ports.accounts.session_by_refresh(&digest).await? {
        ports.accounts.close_session(session.id).await?;
    }
    Ok(())
}
