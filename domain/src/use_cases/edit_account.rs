//! What an account's owner changes about it, and how it goes.

use crate::account::{Account, Profile, Role};
use crate::ports::Ports;
use crate::ports::accounts::Deleted;
use crate::refusal::Reason;
use crate::use_cases::change_password::who_knows;
use crate::{AccountId, Failure, Language, Requester};

/// What a person changes of what they say about themselves; what is absent stays.
pub struct ProfileChange {
    pub name: Option<String>,
    /// `Some(None)` takes it away.
    pub phone: Option<Option<String>>,
    /// The same.
    pub address: Option<Option<String>>,
    pub language: Option<Language>,
}

/// Changes a profile.
///
/// # Errors
/// Everything that is wrong by field; [`Reason::NotFound`] when the account is gone.
pub async fn update_profile(
    ports: &Ports,
    account: AccountId,
    change: ProfileChange,
) -> Result<Account, Failure> {
    let present = ports.accounts.account(account).await?;
    let mut account = present.ok_or(Reason::NotFound)?;
    let present = account.profile;
    account.profile = Profile {
        name: change.name.unwrap_or(present.name),
        phone: change.phone.unwrap_or(present.phone),
        address: change.address.unwrap_or(present.address),
    };
    account.language = change.language.unwrap_or(account.language);
    let refusals = account.profile.refusals();
    if !refusals.is_empty() {
        return Err(Failure::Refused(refusals));
    }
    let updated = ports
        .accounts
        .update_profile(account.id, &account.profile, account.language)
        .await?;
    if updated {
        Ok(account)
    } else {
        Err(Reason::NotFound.into())
    }
}

/// Sets whether signing in asks for a code from the mailbox too.
///
/// # Errors
/// [`Reason::InvalidCredentials`] when the password is wrong.
pub async fn set_second_factor(
    ports: &Ports,
    account: AccountId,
    password: &str,
    on: bool,
) -> Result<Account, Failure> {
    let mut account = who_knows(ports, account, password, "password").await?;
    if !ports.accounts.set_second_factor(account.id, on).await? {
        return Err(Reason::NotFound.into());
    }
    account.second_factor = on;
    Ok(account)
}

/// Removes a customer's account and everything personal. Whoever sells, or runs the shop, is made a
/// customer first, by who runs it: what they began would be nobody's.
///
/// # Errors
/// [`Reason::InvalidCredentials`] when the password is wrong; [`Reason::Forbidden`];
/// [`Reason::OrdersOpen`].
pub async fn delete_account(
    ports: &Ports,
    requester: &Requester,
    password: &str,
) -> Result<(), Failure> {
    let account = who_knows(ports, requester.account()?, password, "password").await?;
    if account.role > Role::Customer {
        return Err(Reason::Forbidden.into());
    }
    let now = ports.clock.now();
    match ports.accounts.delete_account(account.id, now).await? {
        Deleted::Done | Deleted::Gone => Ok(()),
        Deleted::OrdersOpen(orders) => Err(Reason::OrdersOpen { orders }.into()),
    }
}
