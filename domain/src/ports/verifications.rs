//! The ledger's side of proofs of addresses.

use async_trait::async_trait;

use crate::account::Email;
use crate::event::Event;
use crate::verification::{Purpose, Verification};
use crate::{AccountId, Fault, Timestamp, VerificationId};

#[async_trait]
pub trait Verifications: Send + Sync {
    /// Adds verifications, each with its event.
    async fn add_verifications(&self, added: &[(Verification, Event)]) -> Result<(), Fault>;

    async fn verification(&self, id: VerificationId) -> Result<Option<Verification>, Fault>;

    /// The newest of an address for a purpose.
    async fn newest_verification(
        &self,
        email: &Email,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Fault>;

    /// The newest of an account for a purpose, whichever address it was mailed to.
    async fn newest_verification_of(
        &self,
        account: AccountId,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Fault>;

    /// Sets the code of one that is not used; a newer code replaces an older.
    async fn set_code(&self, id: VerificationId, digest: &str) -> Result<(), Fault>;

    /// Counts one wrong code.
    async fn count_wrong_code(&self, id: VerificationId) -> Result<(), Fault>;

    /// Uses one up; `false` when it was before.
    async fn use_verification(&self, id: VerificationId, at: Timestamp) -> Result<bool, Fault>;
}
