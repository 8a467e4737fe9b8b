//! Begins the proof of an e-mail address.

use chrono::TimeDelta;

use crate::account::{Email, Verification};
use crate::event::Event;
use crate::ports::Ports;
use crate::{Failure, Language, VerificationId};

/// Has a code mailed to `email`, in this language. The answer is the same whether or not somebody has an account
/// there; who has one gets a letter that says so instead. Asking again too soon sends nothing.
///
/// # Errors
/// A fault of the ledger.
pub async fn request_verification(
    ports: &Ports,
    email: Email,
    language: Language,
) -> Result<(), Failure> {
    let now = ports.clock.now();
    let policy = &ports.policies.accounts;
    let resend = TimeDelta::milliseconds(policy.verification_resend_ms);
    let newest = ports.accounts.newest_verification(&email).await?;
    if newest.is_some_and(|newest| newest.used_at.is_none() && now < newest.requested_at + resend) {
        return Ok(());
    }
    let verification = Verification {
        id: VerificationId(ports.sortable_id()),
        email,
        language,
        code_digest: None,
        requested_at: now,
        expires_at: now + TimeDelta::milliseconds(policy.verification_ms),
        attempts: 0,
        used_at: None,
    };
    let event = Event::verification_requested(verification.id, now);
    ports
        .accounts
        .add_verification(&verification, &event)
        .await?;
    Ok(())
}
