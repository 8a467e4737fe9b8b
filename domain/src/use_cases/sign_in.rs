//! Opens a session with e-mail and password.

use chrono::TimeDelta;

use crate::account::{Account, Email, Password};
use crate::ports::Ports;
use crate::ports::secrets::Claims;
use crate::refusal::Reason;
use crate::session::Session;
use crate::use_cases::proofs::{self, Wish};
use crate::use_cases::refresh_tokens;
use crate::verification::{Purpose, Verification};
use crate::{Failure, Fault, SessionId, Timestamp, VerificationId};

/// What a client signs in with from now on.
pub struct SignedIn {
    pub account: Account,
    pub access_token: String,
    pub access_until: Timestamp,
    /// Known to the client alone; the ledger has its digest.
    pub refresh_token: String,
    pub refresh_until: Timestamp,
}

/// Signs in, or begins to where the account has a second factor.
///
/// # Errors
/// [`Reason::InvalidCredentials`] without saying which is wrong, after the same time either way;
/// [`Reason::SecondFactorRequired`], and a code is mailed.
pub async fn sign_in(ports: &Ports, email: &Email, password: &str) -> Result<SignedIn, Failure> {
    let account = ports.accounts.by_email(email).await?;
    let Some(account) = whose_password(ports, account, password).await? else {
        return Err(Reason::InvalidCredentials.into());
    };
    let Some(account) = kept_up(ports, account, password).await? else {
        return Err(Reason::InvalidCredentials.into());
    };
    if account.second_factor {
        return Err(challenge(ports, account).await?.into());
    }
    open(ports, account).await
}

/// Hashes the right password anew where its hash was made in a weaker way than today's: nobody else
/// ever has the password to do so with. The account as it is then; nothing if it has another password
/// by now.
async fn kept_up(
    ports: &Ports,
    mut account: Account,
    typed: &str,
) -> Result<Option<Account>, Fault> {
    let hash = account.password_hash.as_deref();
    let Some(outdated) = hash.filter(|hash| ports.passwords.is_outdated(hash)) else {
        return Ok(Some(account));
    };
    // What is on the list of common ones by now was none when it was chosen.
    let Ok(password) = Password::new(typed.to_owned(), &|_| false) else {
        return Ok(Some(account));
    };
    let hash = ports.passwords.hash(&password).await?;
    let replaced = ports
        .accounts
        .replace_password_hash(account.id, outdated, &hash);
    if replaced.await? {
        account.password_hash = Some(hash);
        return Ok(Some(account));
    }
    // Somebody signed in at the same time and did so first, or the password was changed.
    let account = ports.accounts.account(account.id).await?;
    whose_password(ports, account, typed).await
}

/// The account, if this is its password. Without one it takes as long to say so.
pub(crate) async fn whose_password(
    ports: &Ports,
    account: Option<Account>,
    typed: &str,
) -> Result<Option<Account>, Fault> {
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.as_deref());
    let is_right = ports.passwords.verify(typed, hash).await?;
    Ok(account.filter(|_| is_right))
}

/// Has a code mailed to who knows the password.
async fn challenge(ports: &Ports, account: Account) -> Result<Reason, Failure> {
    let wish = Wish {
        purpose: Purpose::SignIn,
        account: Some(account.id),
        email: account.email,
        language: account.language,
    };
    let begun = proofs::begin(ports, vec![wish]).await?;
    let required = |begun: &Verification| Reason::SecondFactorRequired {
        challenge: begun.id,
        expires_at: begun.expires_at,
    };
    Ok(begun.first().map_or(Reason::InvalidCredentials, required))
}

/// Goes on with a sign-in: the code from the letter, for what [`sign_in`] was refused with.
///
/// # Errors
/// [`Reason::VerificationInvalid`].
pub async fn confirm_sign_in(
    ports: &Ports,
    challenge: VerificationId,
    code: &str,
) -> Result<SignedIn, Failure> {
    let begun = ports.verifications.verification(challenge).await?;
    let begun = begun.filter(|begun| begun.purpose == Purpose::SignIn);
    let proof = proofs::prove(ports, begun, code, "code").await?;
    let wrong = || proofs::wrong_code("code");
    let account = match proof.account {
        Some(account) => ports.accounts.account(account).await?,
        None => None,
    };
    // Another address in the meantime, and the code proves nothing.
    let account = account.filter(|account| account.email == proof.email);
    let account = account.ok_or_else(wrong)?;
    let now = ports.clock.now();
    if !ports.verifications.use_verification(proof.id, now).await? {
        return Err(wrong());
    }
    open(ports, account).await
}

/// Opens a session of an account whose password was just proven.
///
/// # Errors
/// [`Reason::InvalidCredentials`] when the password was changed in the meantime.
pub(crate) async fn open(ports: &Ports, account: Account) -> Result<SignedIn, Failure> {
    let now = ports.clock.now();
    let id = SessionId(ports.sortable_id());
    let token = refresh_tokens::make(ports, id);
    let session = Session {
        id,
        account: account.id,
        refresh_digest: refresh_tokens::digest(ports, &token),
        created_at: now,
        refreshed_at: None,
        expires_at: refresh_until(ports, now),
    };
    let hash = account.password_hash.as_deref().unwrap_or_default();
    if !ports.sessions.open_session(&session, hash).await? {
        return Err(Reason::InvalidCredentials.into());
    }
    let refresh = (token, session.expires_at);
    Ok(signed_in(ports, account, session.id, refresh)?)
}

/// Until when a refresh token that is made now is good.
pub(crate) fn refresh_until(ports: &Ports, now: Timestamp) -> Timestamp {
    now + TimeDelta::milliseconds(ports.policies.accounts.refresh_ms)
}

pub(crate) fn signed_in(
    ports: &Ports,
    account: Account,
    session: SessionId,
    (refresh_token, refresh_until): (String, Timestamp),
) -> Result<SignedIn, Fault> {
    let now = ports.clock.now();
    let access_until = now + TimeDelta::milliseconds(ports.policies.accounts.access_ms);
    let claims = Claims {
        account: account.id,
        role: account.role,
        session: Some(session),
        issued_at: now,
        expires_at: access_until,
    };
    let access_token = ports.tokens.issue(&claims)?;
    Ok(SignedIn {
        account,
        access_token,
        access_until,
        refresh_token,
        refresh_until,
    })
}
