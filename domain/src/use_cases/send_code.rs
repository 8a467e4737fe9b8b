//! Makes the code of a verification, and the letter that it is in.
//!
//! The code exists in the letter alone: the ledger has its digest, events have neither. A letter
//! that may not have gone out is made again with a new code, and the newest one counts.

use crate::account::Account;
use crate::ports::Ports;
use crate::ports::mail::{Content, Letter};
use crate::verification::{Purpose, Verification};
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
    let Some(verification) = ports.verifications.verification(id).await? else {
        return Ok(None);
    };
    let policy = &ports.policies.accounts;
    if !verification.is_open(policy.verification_attempts, ports.clock.now()) {
        return Ok(None);
    }
    let account = ports.accounts.by_email(&verification.email).await?;
    let (id, content) = match answer(&verification, account.as_ref()) {
        Answer::Nothing => return Ok(None),
        Answer::KnownAddress => (event.0, Content::KnownAddress),
        Answer::Code => {
            let code = code(ports);
            let digest = ports.digests.digest(CODE, &code);
            ports.verifications.set_code(id, &digest).await?;
            let content = Content::Code {
                purpose: verification.purpose,
                code,
                valid_minutes: policy.verification_ms.saturating_add(59_999) / 60_000,
            };
            // Every code is another letter: the first of two is void, so a mail system must not drop
            // the second.
            (ports.random_id(), content)
        }
    };
    Ok(Some(Letter {
        id,
        to: verification.email,
        language: verification.language,
        content,
    }))
}

/// What the letter of a verification says.
enum Answer {
    Code,
    KnownAddress,
    /// There is no letter.
    Nothing,
}

/// It is found out here, by a worker, so that whoever asks can't time who has an account.
fn answer(verification: &Verification, known: Option<&Account>) -> Answer {
    let is_its_own = known.is_some_and(|known| Some(known.id) == verification.account);
    match (verification.purpose, known) {
        (Purpose::SignUp | Purpose::NewAddress, None) => Answer::Code,
        (Purpose::SignUp | Purpose::NewAddress, Some(_)) => Answer::KnownAddress,
        (Purpose::PasswordReset, Some(known)) if known.password_hash.is_some() => Answer::Code,
        (Purpose::SignIn | Purpose::OldAddress, Some(_)) if is_its_own => Answer::Code,
        (Purpose::PasswordReset | Purpose::SignIn | Purpose::OldAddress, _) => Answer::Nothing,
    }
}

/// Eight digits: with the bounded number of tries, guessing one is hopeless.
fn code(ports: &Ports) -> String {
    let mut bytes = [0; 16];
    ports.entropy.fill(&mut bytes);
    format!("{:08}", u128::from_be_bytes(bytes) % 100_000_000)
}
