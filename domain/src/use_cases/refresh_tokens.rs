//! Refresh tokens: made, recognised, and told from what nobody here ever gave out.
//!
//! A token is `session.secret.seal`, opaque to clients. The seal is a keyed digest of the rest, so
//! that a token that is no longer the newest of its session is known to have been one: used twice, by
//! its owner and by a thief (RFC 9700, section 4.14.2). The ledger has the newest one's digest alone.

use std::fmt::Write;

use uuid::Uuid;

use crate::SessionId;
use crate::ports::Ports;

/// What a token's digest is keyed by, so that it is good for nothing else.
const TOKEN: &str = "refresh-token";
/// The same for its seal, and for comparing two seals.
const SEAL: &str = "refresh-token-seal";
const COMPARED: &str = "refresh-token-seal-compared";

/// A token of a session with 256 random bits.
pub(crate) fn make(ports: &Ports, session: SessionId) -> String {
    let mut secret = [0; 32];
    ports.entropy.fill(&mut secret);
    let mut token = session.0.simple().to_string();
    token.push('.');
    for byte in secret {
        // Writing into a String can't fail.
        let _ = write!(token, "{byte:02x}");
    }
    let seal = ports.digests.digest(SEAL, &token);
    format!("{token}.{seal}")
}

/// The session a token was made for; none for what was not made here.
pub(crate) fn session_of(ports: &Ports, token: &str) -> Option<SessionId> {
    let (rest, seal) = token.rsplit_once('.')?;
    let expected = ports.digests.digest(SEAL, rest);
    // Digests of the two, so that the time it takes says nothing of how much was guessed right.
    let compared = |seal: &str| ports.digests.digest(COMPARED, seal);
    if compared(seal) != compared(&expected) {
        return None;
    }
    let (session, _) = rest.split_once('.')?;
    Uuid::try_parse(session).ok().map(SessionId)
}

/// What the ledger knows a token by.
pub(crate) fn digest(ports: &Ports, token: &str) -> String {
    ports.digests.digest(TOKEN, token)
}
