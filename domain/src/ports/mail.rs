//! Mail that goes out, and the local mailbox it goes to where there is no mail server.

use async_trait::async_trait;

use crate::account::Email;
use crate::{Fault, Timestamp};

#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, letter: &Letter) -> Result<(), Fault>;
}

/// A letter to one person. Without `Debug`: it carries an address and may carry a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    pub to: Email,
    pub subject: String,
    pub text: String,
}

/// Reads what was mailed locally.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// The newest letters first.
    async fn letters(&self, most: usize) -> Result<Vec<(Timestamp, Letter)>, Fault>;
}
