//! What an account's owner changes about it, and how it goes.

use crate::account::{Account, ProfileChange, Role};
use crate::event::AccountEvent;
use crate::ports::Ports;
use crate::ports::accounts::Deleted;
use crate::refusal::Reason;
use crate::use_cases::change_password::{account_event, who_knows};
use crate::{AccountId, Failure, Requester};

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
    let mut changed = present.ok_or(Reason::NotFound)?;
    change.clone().apply_to(&mut changed);
    let refusals = changed.profile.refusals();
    if !refusals.is_empty() {
        return Err(Failure::Refused(refusals));
    }
    let updated = ports.accounts.update_profile(account, change).await?;
    updated.ok_or_else(|| Reason::NotFound.into())
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
    let event = account_event(ports, account.id, AccountEvent::SecondFactorSet { on });
    let accounts = &ports.accounts;
    if !accounts.set_second_factor(account.id, on, &event).await? {
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
