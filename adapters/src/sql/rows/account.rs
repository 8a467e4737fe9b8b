//! Accounts, verifications and sessions. What is personal is sealed on the way in and opened on the
//! way out.

use domain::account::{Account, Email, Profile};
use domain::session::{Ended, Session};
use domain::verification::{Purpose, Verification};
use domain::{AccountId, Language, SessionId, VerificationId};

use super::{BadRow, Reading, ms};
use crate::crypto::vault::{Place, Vault};
use crate::sql::entities::{accounts, ended_sessions, sessions, verifications};
use crate::words::Word;

const ACCOUNTS: &str = "accounts";
const VERIFICATIONS: &str = "verifications";

/// The digest by which an address is found, whatever its spelling.
pub fn email_index(vault: &Vault, email: &Email) -> Vec<u8> {
    vault.index("email", &email.lookup_key()).to_vec()
}

/// The account of a row.
///
/// # Errors
/// A column makes no sense, or does not open.
pub fn account(vault: &Vault, row: accounts::Model) -> Result<Account, BadRow> {
    let reading = Reading {
        table: ACCOUNTS,
        id: row.id,
    };
    let open = |column: &'static str, sealed: &[u8]| open(vault, reading, column, sealed);
    let phone = row
        .phone
        .as_deref()
        .map(|phone| open("phone", phone))
        .transpose()?;
    let address = row
        .address
        .as_deref()
        .map(|address| open("address", address))
        .transpose()?;
    Ok(Account {
        id: AccountId(row.id),
        role: reading.word("role", &row.role)?,
        email: email(reading, &open("email", &row.email)?)?,
        profile: Profile {
            name: open("name", &row.name)?,
            phone,
            address,
        },
        language: language(reading, row.language.as_deref())?,
        second_factor: has_second_factor(&row),
        password_hash: row.password_hash,
        rehearsal: row.rehearsal,
        created_at: reading.instant("created_at", row.created_at)?,
    })
}

/// Accounts from before there was one say nothing of it: they have none.
pub fn has_second_factor(row: &accounts::Model) -> bool {
    row.second_factor.unwrap_or(false)
}

/// The row of an account.
///
/// # Errors
/// A text that is too long to be sealed.
pub fn account_row(vault: &Vault, account: &Account) -> Result<accounts::Model, BadRow> {
    let SealedProfile {
        name,
        phone,
        address,
    } = sealed_profile(vault, account.id, &account.profile)?;
    Ok(accounts::Model {
        id: account.id.0,
        role: account.role.word().to_owned(),
        email: sealed_email(vault, account.id, &account.email)?,
        email_index: email_index(vault, &account.email),
        name,
        phone,
        address,
        password_hash: account.password_hash.clone(),
        rehearsal: account.rehearsal,
        created_at: ms(account.created_at),
        language: Some(account.language.word().to_owned()),
        second_factor: Some(account.second_factor),
    })
}

/// What a person says about themselves, sealed for the row of their account.
pub struct SealedProfile {
    pub name: Vec<u8>,
    pub phone: Option<Vec<u8>>,
    pub address: Option<Vec<u8>>,
}

/// Seals a profile for its account's row.
///
/// # Errors
/// A text that is too long to be sealed.
pub fn sealed_profile(
    vault: &Vault,
    account: AccountId,
    profile: &Profile,
) -> Result<SealedProfile, BadRow> {
    let reading = of_account(account);
    let seal = |column: &'static str, text: &str| seal(vault, reading, column, text);
    let (phone, address) = (profile.phone.as_deref(), profile.address.as_deref());
    Ok(SealedProfile {
        name: seal("name", &profile.name)?,
        phone: phone.map(|phone| seal("phone", phone)).transpose()?,
        address: address
            .map(|address| seal("address", address))
            .transpose()?,
    })
}

/// Seals an address for its account's row.
///
/// # Errors
/// A text that is too long to be sealed.
pub fn sealed_email(vault: &Vault, account: AccountId, email: &Email) -> Result<Vec<u8>, BadRow> {
    seal(vault, of_account(account), "email", email.as_str())
}

fn of_account(account: AccountId) -> Reading {
    Reading {
        table: ACCOUNTS,
        id: account.0,
    }
}

/// The verification of a row.
///
/// # Errors
/// A column makes no sense, or does not open.
pub fn verification(vault: &Vault, row: verifications::Model) -> Result<Verification, BadRow> {
    let reading = Reading {
        table: VERIFICATIONS,
        id: row.id,
    };
    Ok(Verification {
        id: VerificationId(row.id),
        purpose: match row.purpose.as_deref() {
            Some(word) => reading.word("purpose", word)?,
            None => Purpose::SignUp,
        },
        account: row.account_id.map(AccountId),
        email: email(reading, &open(vault, reading, "email", &row.email)?)?,
        language: language(reading, row.language.as_deref())?,
        code_digest: row.code_digest,
        requested_at: reading.instant("requested_at", row.requested_at)?,
        expires_at: reading.instant("expires_at", row.expires_at)?,
        attempts: reading.count("attempts", row.attempts)?,
        used_at: reading.instant_or_none("used_at", row.used_at)?,
    })
}

/// The row of a verification.
///
/// # Errors
/// A text that is too long to be sealed.
pub fn verification_row(
    vault: &Vault,
    verification: &Verification,
) -> Result<verifications::Model, BadRow> {
    let reading = Reading {
        table: VERIFICATIONS,
        id: verification.id.0,
    };
    Ok(verifications::Model {
        id: verification.id.0,
        email: seal(vault, reading, "email", verification.email.as_str())?,
        email_index: email_index(vault, &verification.email),
        code_digest: verification.code_digest.clone(),
        requested_at: ms(verification.requested_at),
        expires_at: ms(verification.expires_at),
        attempts: i64::from(verification.attempts),
        used_at: verification.used_at.map(ms),
        language: Some(verification.language.word().to_owned()),
        purpose: Some(verification.purpose.word().to_owned()),
        account_id: verification.account.map(|account| account.0),
    })
}

impl TryFrom<sessions::Model> for Session {
    type Error = BadRow;

    fn try_from(row: sessions::Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "sessions",
            id: row.id,
        };
        Ok(Self {
            id: SessionId(row.id),
            account: AccountId(row.account_id),
            refresh_digest: row.refresh_digest,
            created_at: reading.instant("created_at", row.created_at)?,
            refreshed_at: reading.instant_or_none("refreshed_at", row.refreshed_at)?,
            expires_at: reading.instant("expires_at", row.expires_at)?,
        })
    }
}

impl TryFrom<ended_sessions::Model> for Ended {
    type Error = BadRow;

    fn try_from(row: ended_sessions::Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "ended_sessions",
            id: row.session_id,
        };
        Ok(Self {
            session: SessionId(row.session_id),
            at: reading.instant("ended_at", row.ended_at)?,
        })
    }
}

/// The row of a session.
pub fn session_row(session: &Session) -> sessions::Model {
    sessions::Model {
        id: session.id.0,
        account_id: session.account.0,
        refresh_digest: session.refresh_digest.clone(),
        created_at: ms(session.created_at),
        refreshed_at: session.refreshed_at.map(ms),
        expires_at: ms(session.expires_at),
    }
}

fn place(Reading { table, id }: Reading, column: &'static str) -> Place {
    Place {
        table,
        column,
        row: id,
    }
}

/// What was sealed in a column.
pub(super) fn open(
    vault: &Vault,
    reading: Reading,
    column: &'static str,
    sealed: &[u8],
) -> Result<String, BadRow> {
    let opened = vault.open(place(reading, column), sealed);
    opened.map_err(|error| reading.sealed(column, error))
}

/// The text sealed for a column.
pub(super) fn seal(
    vault: &Vault,
    reading: Reading,
    column: &'static str,
    text: &str,
) -> Result<Vec<u8>, BadRow> {
    let sealed = vault.seal(place(reading, column), text);
    sealed.map_err(|error| reading.sealed(column, error))
}

fn email(reading: Reading, text: &str) -> Result<Email, BadRow> {
    Email::parse(text).map_err(|_| reading.bad("email", "no address"))
}

/// The default where nobody said.
fn language(reading: Reading, word: Option<&str>) -> Result<Language, BadRow> {
    word.map_or(Ok(Language::default()), |word| {
        reading.word("language", word)
    })
}
