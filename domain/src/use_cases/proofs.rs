//! Proofs of addresses, from the wish for a code to the code that is typed.

use chrono::TimeDelta;

use crate::account::Email;
use crate::event::Event;
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::send_code::CODE;
use crate::verification::{Purpose, Verification};
use crate::{AccountId, Failure, Fault, Language, VerificationId};

/// What an address is to be proven for.
pub(crate) struct Wish {
    pub purpose: Purpose,
    pub account: Option<AccountId>,
    pub email: Email,
    pub language: Language,
}

/// Has a code mailed for each of these, all or none; returns what it will prove. Where all of them were
/// asked for a moment ago nothing more is sent, and those go on.
pub(crate) async fn begin(ports: &Ports, wishes: Vec<Wish>) -> Result<Vec<Verification>, Fault> {
    let now = ports.clock.now();
    let policy = &ports.policies.accounts;
    let resend = TimeDelta::milliseconds(policy.verification_resend_ms);
    let mut going_on = Vec::new();
    for wish in &wishes {
        let newest = ports
            .verifications
            .newest_verification(&wish.email, wish.purpose)
            .await?;
        let is_fresh = |newest: &Verification| {
            newest.used_at.is_none()
                && newest.account == wish.account
                && now < newest.requested_at + resend
        };
        going_on.extend(newest.filter(is_fresh));
    }
    if going_on.len() == wishes.len() {
        return Ok(going_on);
    }
    let added: Vec<_> = wishes
        .into_iter()
        .map(|wish| {
            let verification = Verification {
                // Random, since it is shown to who signs in.
                id: VerificationId(ports.random_id()),
                purpose: wish.purpose,
                account: wish.account,
                email: wish.email,
                language: wish.language,
                code_digest: None,
                requested_at: now,
                expires_at: now + TimeDelta::milliseconds(policy.verification_ms),
                attempts: 0,
                used_at: None,
            };
            let event = Event::verification_requested(verification.id, now);
            (verification, event)
        })
        .collect();
    ports.verifications.add_verifications(&added).await?;
    Ok(added.into_iter().map(|(added, _)| added).collect())
}

/// The verification, if it is open and `code` is its own. Each wrong code counts.
///
/// # Errors
/// [`Reason::VerificationInvalid`] at `field`.
pub(crate) async fn prove(
    ports: &Ports,
    verification: Option<Verification>,
    code: &str,
    field: &'static str,
) -> Result<Verification, Failure> {
    let most = ports.policies.accounts.verification_attempts;
    let now = ports.clock.now();
    let Some(verification) = verification.filter(|it| it.is_open(most, now)) else {
        return Err(wrong_code(field));
    };
    let typed = ports.digests.digest(CODE, code.trim());
    if verification.code_digest.as_ref() == Some(&typed) {
        Ok(verification)
    } else {
        let counting = ports.verifications.count_wrong_code(verification.id);
        counting.await?;
        Err(wrong_code(field))
    }
}

/// The refusal of a code.
pub(crate) fn wrong_code(field: &'static str) -> Failure {
    Reason::VerificationInvalid.at([field]).into()
}
