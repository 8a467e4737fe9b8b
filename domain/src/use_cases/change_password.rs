//! A new password, from who knows the old one or who proves their address.

use crate::account::{Account, Email};
use crate::event::{AccountEvent, Event};
use crate::ports::Ports;
use crate::ports::accounts::{Changed, PasswordChange};
use crate::refusal::Reason;
use crate::use_cases::proofs::{self, Wish};
use crate::use_cases::sign_in::{self, SignedIn};
use crate::use_cases::sign_up::new_password;
use crate::verification::Purpose;
use crate::{AccountId, EventId, Failure, Language, VerificationId};

/// Changes the password of who is signed in, and ends every session, this one too; a new one is
/// opened.
///
/// # Errors
/// What is wrong with the new one; [`Reason::InvalidCredentials`] when the present one is wrong.
pub async fn change_password(
    ports: &Ports,
    account: AccountId,
    present: &str,
    new: String,
) -> Result<SignedIn, Failure> {
    let new = new_password(ports, new, "newPassword")?;
    let account = who_knows(ports, account, present, "password").await?;
    let to = ports.passwords.hash(&new).await?;
    let changed = change(ports, account, to, None).await?;
    let account = changed.ok_or_else(|| Reason::InvalidCredentials.at(["password"]))?;
    sign_in::open(ports, account).await
}

/// Has a code mailed that a new password can be set with. The answer is the same whether or not
/// somebody has an account there; who has none gets no letter.
///
/// # Errors
/// A fault of the ledger.
pub async fn request_password_reset(
    ports: &Ports,
    email: Email,
    language: Language,
) -> Result<(), Failure> {
    let wish = Wish {
        purpose: Purpose::PasswordReset,
        account: None,
        email,
        language,
    };
    proofs::begin(ports, vec![wish]).await?;
    Ok(())
}

/// Sets a new password with a code, and ends every session.
///
/// # Errors
/// What is wrong with the password; [`Reason::VerificationInvalid`].
pub async fn reset_password(
    ports: &Ports,
    email: &Email,
    code: &str,
    new: String,
) -> Result<(), Failure> {
    let new = new_password(ports, new, "newPassword")?;
    let newest = ports
        .verifications
        .newest_verification(email, Purpose::PasswordReset)
        .await?;
    let proof = proofs::prove(ports, newest, code, "code").await?;
    let wrong = || proofs::wrong_code("code");
    let account = ports.accounts.by_email(email).await?.ok_or_else(wrong)?;
    let to = ports.passwords.hash(&new).await?;
    let changed = change(ports, account, to, Some(proof.id)).await?;
    changed.map(|_| ()).ok_or_else(wrong)
}

/// The account of who is signed in and types its password.
///
/// # Errors
/// [`Reason::InvalidCredentials`] at `field`.
pub(crate) async fn who_knows(
    ports: &Ports,
    account: AccountId,
    password: &str,
    field: &'static str,
) -> Result<Account, Failure> {
    let account = ports.accounts.account(account).await?;
    let known = sign_in::whose_password(ports, account, password).await?;
    known.ok_or_else(|| Reason::InvalidCredentials.at([field]).into())
}

/// The account with its new password; nothing when somebody else came first.
async fn change(
    ports: &Ports,
    mut account: Account,
    to: String,
    proof: Option<VerificationId>,
) -> Result<Option<Account>, Failure> {
    let Some(from) = account.password_hash.replace(to.clone()) else {
        return Ok(None);
    };
    let event = account_event(ports, account.id, AccountEvent::PasswordChanged);
    let change = PasswordChange {
        account: account.id,
        from,
        to,
        proof,
        event,
    };
    Ok(match ports.accounts.change_password(&change).await? {
        Changed::Done => Some(account),
        Changed::EmailTaken | Changed::TooLate => None,
    })
}

/// What its owner is told of.
pub(crate) fn account_event(ports: &Ports, account: AccountId, happened: AccountEvent) -> Event {
    let id = EventId(ports.random_id());
    Event::of_account(id, account, ports.clock.now(), happened)
}
