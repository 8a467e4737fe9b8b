//! The ledger's side of accounts and proofs of addresses.

use async_trait::async_trait;

use crate::account::{Account, Email, Verification};
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
    ) -> Result<SignedUp, Fault>;

    /// Adds a verification with its event.
    async fn add_verification(
        &self,
        verification: &Verification,
        event: &Event,
    ) -> Result<(), Fault>;

    async fn verification(&self, id: VerificationId) -> Result<Option<Verification>, Fault>;

    /// The newest of an address.
    async fn newest_verification(&self, email: &Email) -> Result<Option<Verification>, Fault>;

    /// Sets the code of one that is not used; a newer code replaces an older.
    async fn set_code(&self, id: VerificationId, digest: &str) -> Result<(), Fault>;

    /// Counts one wrong code.
    async fn count_wrong_code(&self, id: VerificationId) -> Result<(), Fault>;

    /// The ids of up to `most` rehearsal buyers.
    async fn rehearsal_buyers(&self, most: usize) -> Result<Vec<AccountId>, Fault>;

    /// Removes every rehearsal buyer; their orders stay. Returns how many there were.
    async fn remove_rehearsal_buyers(&self) -> Result<u64, Fault>;

    /// Whether there is any account at all.
    async fn is_empty(&self) -> Result<bool, Fault>;
}

/// What became of a sign-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignedUp {
    Done,
    EmailTaken,
    /// The verification was used in the meantime.
    Used,
}
