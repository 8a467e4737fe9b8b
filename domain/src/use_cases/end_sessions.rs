//! Ends sessions of an account, on every device or on one.

use crate::ports::Ports;
use crate::refusal::Reason;
use crate::session::Ending;
use crate::{AccountId, Failure, SessionId};

/// Ends one session of the account that asks; its access token stops working within a second or two
/// on every node.
///
/// # Errors
/// [`Reason::NotFound`] for a session that is over, or somebody else's.
pub async fn end_session(
    ports: &Ports,
    account: AccountId,
    session: SessionId,
) -> Result<(), Failure> {
    let now = ports.clock.now();
    let which = Ending::One(session);
    match ports.sessions.end_sessions(account, which, now).await? {
        0 => Err(Reason::NotFound.at(["sessionId"]).into()),
        _ => Ok(()),
    }
}

/// Ends every session of the account that asks, all but `kept` where there is one; returns how many
/// there were.
///
/// # Errors
/// A fault of the ledger.
pub async fn sign_out_everywhere(
    ports: &Ports,
    account: AccountId,
    kept: Option<SessionId>,
) -> Result<usize, Failure> {
    let now = ports.clock.now();
    let which = kept.map_or(Ending::All, Ending::AllBut);
    Ok(ports.sessions.end_sessions(account, which, now).await?)
}
