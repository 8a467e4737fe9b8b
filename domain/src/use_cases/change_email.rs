//! Moves an account to another address, which its owner proves beside the old one.

use crate::account::Email;
use crate::ports::Ports;
use crate::ports::accounts::Changed;
use crate::refusal::Reason;
use crate::use_cases::change_password::who_knows;
use crate::use_cases::proofs::{self, Wish};
use crate::verification::Purpose;
use crate::{AccountId, Failure};

/// Has a code mailed to the old address and one to the new. The answer is the same whether or not
/// somebody has an account at the new one; who has gets a letter that says so.
///
/// # Errors
/// [`Reason::InvalidCredentials`] when the password is wrong.
pub async fn request_email_change(
    ports: &Ports,
    account: AccountId,
    password: &str,
    to: Email,
) -> Result<(), Failure> {
    let account = who_knows(ports, account, password, "password").await?;
    let wish = |purpose, email| Wish {
        purpose,
        account: Some(account.id),
        email,
        language: account.language,
    };
    let old = wish(Purpose::OldAddress, account.email.clone());
    let new = wish(Purpose::NewAddress, to);
    proofs::begin(ports, vec![old, new]).await?;
    Ok(())
}

/// Moves the account with both codes; returns its new address. Sessions go on.
///
/// # Errors
/// [`Reason::VerificationInvalid`] at the code that is wrong; each wrong one counts.
pub async fn confirm_email_change(
    ports: &Ports,
    account: AccountId,
    code_from_old: &str,
    code_from_new: &str,
) -> Result<Email, Failure> {
    let newest = async |purpose| {
        let newest = ports.verifications.newest_verification_of(account, purpose);
        newest.await
    };
    let (old, new) = (
        newest(Purpose::OldAddress).await?,
        newest(Purpose::NewAddress).await?,
    );
    let old = proofs::prove(ports, old, code_from_old, "codeFromOldAddress").await?;
    let new = proofs::prove(ports, new, code_from_new, "codeFromNewAddress").await?;
    let now = ports.clock.now();
    let changed = ports
        .accounts
        .change_email(account, &new.email, [old.id, new.id], now)
        .await?;
    match changed {
        Changed::Done => Ok(new.email),
        Changed::EmailTaken | Changed::TooLate => Err(Reason::VerificationInvalid
            .at(["codeFromNewAddress"])
            .into()),
    }
}
