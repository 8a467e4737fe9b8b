//! How an e-mail address is proven: by a code that was mailed to it.

use crate::account::Email;
use crate::language::Language;
use crate::{AccountId, Timestamp, VerificationId};

/// What an address is proven for. A code for one is good for no other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A new account.
    SignUp,
    /// A new password for who forgot theirs.
    PasswordReset,
    /// The second factor of a sign-in.
    SignIn,
    /// The address that an account moves to.
    NewAddress,
    /// The address that it moves away from.
    OldAddress,
}

/// A proof of an e-mail address in progress: a code was or will be mailed to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Verification {
    pub id: VerificationId,
    pub purpose: Purpose,
    /// Whose; none where nobody has to have an account.
    pub account: Option<AccountId>,
    pub email: Email,
    /// What the letter with the code is written in.
    pub language: Language,
    /// Digest of the code; absent until the mail worker made one.
    pub code_digest: Option<String>,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// Wrong codes so far.
    pub attempts: u32,
    pub used_at: Option<Timestamp>,
}

impl Verification {
    /// Whether a code can still be tried.
    #[must_use]
    pub fn is_open(&self, most_attempts: u32, now: Timestamp) -> bool {
        self.used_at.is_none() && self.attempts < most_attempts && now < self.expires_at
    }
}
