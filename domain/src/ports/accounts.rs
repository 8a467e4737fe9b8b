//! The ledger's side of accounts.

use async_trait::async_trait;

use crate::account::{Account, Email, ProfileChange, Role};
use crate::act::Act;
use crate::event::Event;
use crate::{AccountId, Fault, Timestamp, VerificationId};

#[async_trait]
pub trait Accounts: Send + Sync {
    async fn account(&self, id: AccountId) -> Result<Option<Account>, Fault>;

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, Fault>;

    /// By address, whatever its spelling.
    async fn by_email(&self, email: &Email) -> Result<Option<Account>, Fault>;

    /// Adds accounts, all or none; `false` when an address is taken.
    async fn create(&self, accounts: &[Account]) -> Result<bool, Fault>;

    /// Adds the account whose address `verification` proves, and uses that up.
    async fn sign_up(
        &self,
        account: &Account,
        verification: VerificationId,
        at: Timestamp,
    ) -> Result<Changed, Fault>;

    /// Replaces a password, ends every session of the account, and makes void what else was under way
    /// to sign in.
    async fn change_password(&self, change: &PasswordChange) -> Result<Changed, Fault>;

    /// Moves an account to another address, which these two verifications prove.
    async fn change_email(
        &self,
        account: AccountId,
        to: &Email,
        proofs: [VerificationId; 2],
        at: Timestamp,
    ) -> Result<Changed, Fault>;

    /// Changes what a person says about themselves, beside others who change something else of it:
    /// the account as it is then. Nothing when it is gone.
    async fn update_profile(
        &self,
        account: AccountId,
        change: ProfileChange,
    ) -> Result<Option<Account>, Fault>;

    /// Sets whether signing in asks for a code too, and writes `event` where it did not already;
    /// `false` when the account is gone.
    async fn set_second_factor(
        &self,
        account: AccountId,
        on: bool,
        event: &Event,
    ) -> Result<bool, Fault>;

    /// Removes an account with everything personal: its wishlist, its proofs, the addresses of its
    /// orders, the reasons it gave for returns. Ends its sessions. The orders stay, with their
    /// figures.
    async fn delete_account(&self, account: AccountId, at: Timestamp) -> Result<Deleted, Fault>;

    /// Replaces the hash of a password that is still `from`; `false` when it is not.
    async fn replace_password_hash(
        &self,
        id: AccountId,
        from: &str,
        to: &str,
    ) -> Result<bool, Fault>;

    /// Gives an account that still has the role `from` another one, and writes down who did so; where
    /// it is a lesser one all sessions end. `false`, and nothing written, when it has not.
    async fn change_role(
        &self,
        id: AccountId,
        from: Role,
        to: Role,
        act: &Act,
    ) -> Result<bool, Fault>;

    /// The ids of up to `most` rehearsal buyers.
    async fn rehearsal_buyers(&self, most: usize) -> Result<Vec<AccountId>, Fault>;

    /// Removes every rehearsal buyer; their orders stay. Returns how many there were.
    async fn remove_rehearsal_buyers(&self) -> Result<u64, Fault>;

    /// Whether there is any account at all.
    async fn is_empty(&self) -> Result<bool, Fault>;
}

/// A new password.
pub struct PasswordChange {
    pub account: AccountId,
    /// The hash that it replaces: whoever has changed it in between comes first.
    pub from: String,
    pub to: String,
    /// What proves the address of who does not know the old one.
    pub proof: Option<VerificationId>,
    /// That it changed, and when.
    pub event: Event,
}

/// What became of a change of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    Done,
    EmailTaken,
    /// Somebody came first: a verification was used in the meantime, or what it replaces is no longer
    /// there.
    TooLate,
}

/// What became of a deletion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deleted {
    Done,
    /// So many orders are under way: they have to be paid, delivered or cancelled first, and returns
    /// settled.
    OrdersOpen(u64),
    /// It is gone.
    Gone,
}
