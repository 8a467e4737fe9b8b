//! Makes the code of a verification and mails it.
//!
//! The code exists in the letter alone: the ledger has its digest, events have neither. A letter
//! that may not have gone out is sent again with a new code, and the newest one counts.

use crate::account::Verification;
use crate::ports::Ports;
use crate::ports::mail::Letter;
use crate::{Fault, VerificationId};

/// What a code's digest is keyed by, so that it is good for nothing else.
pub(crate) const CODE: &str = "verification-code";

/// Sends the letter of a verification that is still open.
///
/// # Errors
/// A fault of the ledger or the mail server; sending again is harmless.
pub async fn send_code(ports: &Ports, id: VerificationId) -> Result<(), Fault> {
    let Some(verification) = ports.accounts.verification(id).await? else {
        return Ok(());
    };
    let most = ports.policies.accounts.verification_attempts;
    if !verification.is_open(most, ports.clock.now()) {
        return Ok(());
    }
    let letter = if ports
        .accounts
        .by_email(&verification.email)
        .await?
        .is_some()
    {
        known_letter(verification)
    } else {
        let code = code(ports);
        ports
            .accounts
            .set_code(id, &ports.digests.digest(CODE, &code))
            .await?;
        code_letter(ports, verification, &code)
    };
    ports.mailer.send(&letter).await
}

/// Eight digits: with the bounded number of tries, guessing one is hopeless.
fn code(ports: &Ports) -> String {
    let mut bytes = [0; 16];
    ports.entropy.fill(&mut bytes);
    format!("{:08}", u128::from_be_bytes(bytes) % 100_000_000)
}

fn code_letter(ports: &Ports, verification: Verification, code: &str) -> Letter {
    let minutes = ports.policies.accounts.verification_ms / 60_000;
    Letter {
        to: verification.email,
        subject: "Your verification code / 인증 코드".to_owned(),
        text: format!(
            "Your code is {code}. It is valid for {minutes} minutes.\n\
             If you did not ask for it, ignore this letter.\n\n\
             인증 코드는 {code} 입니다. {minutes}분 동안 유효합니다.\n\
             요청하지 않으셨다면 이 메일을 무시하세요.\n"
        ),
    }
}

fn known_letter(verification: Verification) -> Letter {
    Letter {
        to: verification.email,
        subject: "You already have an account / 이미 가입된 주소입니다".to_owned(),
        text: "Somebody, probably you, wanted to sign up with this address. \
               It already has an account: sign in instead.\n\n\
               이 주소로 이미 가입되어 있습니다. 로그인해 주세요.\n"
            .to_owned(),
    }
}
