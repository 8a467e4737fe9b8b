//! Makes the code of a verification, and the letter that it is in.
//!
//! The code exists in the letter alone: the ledger has its digest, events have neither. A letter
//! that may not have gone out is made again with a new code, and the newest one counts.

use crate::ports::Ports;
use crate::ports::mail::{Content, Letter};
use crate::{EventId, Fault, VerificationId};

/// What a code's digest is keyed by, so that it is good for nothing else.
pub(crate) const CODE: &str = "verification-code";

/// The letter of a verification that is still open, with a new code.
///
/// # Errors
/// A fault of the ledger.
pub(crate) async fn code_letter(
    ports: &Ports,
    event: EventId,
    id: VerificationId,
) -> Result<Option<Letter>, Fault> {
    let Some(verification) = ports.accounts.verification(id).await? else {
        return Ok(None);
    };
    let policy = &ports.policies.accounts;
    if !verification.is_open(policy.verification_attempts, ports.clock.now()) {
        return Ok(None);
    }
    let account = ports.accounts.by_email(&verification.email).await?;
    let (id, content) = if account.is_some() {
        (event.0, Content::KnownAddress)
    } else {
        let code = code(ports);
        let digest = ports.digests.digest(CODE, &code);
        ports.accounts.set_code(id, &digest).await?;
        let valid_minutes = policy.verification_ms.saturating_add(59_999) / 60_000;
        // Every code is another letter: the first of two is void, so a mail system must not drop
        // the second.
        let content = Content::Code {
            code,
            valid_minutes,
        };
        (ports.random_id(), content)
    };
    Ok(Some(Letter {
        id,
        to: verification.email,
        language: verification.language,
        content,
    }))
}

/// Eight digits: with the bounded number of tries, guessing one is hopeless.
fn code(ports: &Ports) -> String {
    let mut bytes = [0; 16];
    ports.entropy.fill(&mut bytes);
    format!("{:08}", u128::from_be_bytes(bytes) % 100_000_000)
}
