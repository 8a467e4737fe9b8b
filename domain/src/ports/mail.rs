//! Mail that goes out, and the local mailbox it goes to where there is no mail server.

use async_trait::async_trait;
use chrono::NaiveDate;
use uuid::Uuid;

use crate::account::Email;
use crate::language::Language;
use crate::payment::RefundReason;
use crate::verification::Purpose;
use crate::{Fault, Money, Timestamp};

#[async_trait]
pub trait Mailer: Send + Sync {
    /// Writes a letter in its language and hands it over.
    ///
    /// # Errors
    /// An *unavailable* mail server: the letter may go out another time, and may have gone out. A
    /// letter that it refuses for good is *corrupt*.
    async fn send(&self, letter: &Letter) -> Result<(), Fault>;
}

/// A letter to one person. Without `Debug`, like its content: it carries an address and may carry a
/// code.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its Message-ID is made of this: a letter that is sent again with the same content has the
    /// same, and is one letter for mail systems.
    pub id: Uuid,
    pub to: Email,
    pub language: Language,
    pub content: Content,
}

/// What a letter tells. Dates are days of the shop's zone; an order is named by its number.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// The code that proves an address.
    Code {
        purpose: Purpose,
        code: String,
        valid_minutes: i64,
    },
    /// Somebody wants an account with an address that has one.
    KnownAddress,
    PasswordChanged,
    SecondFactorSet {
        on: bool,
    },
    OrderPaid {
        bill: Bill,
        /// When the parcel leaves, where it has not yet.
        dispatch_on: Option<NaiveDate>,
    },
    OrderCancelled {
        bill: Bill,
        /// What goes back to the buyer, who had paid.
        refund: Option<Money>,
    },
    /// Some units of the order are cancelled, the rest goes on.
    PartCancelled {
        number: String,
        refund: Option<Money>,
    },
    /// The provider gave money back.
    Refunded {
        number: String,
        amount: Money,
        reason: RefundReason,
    },
    Dispatched {
        number: String,
        tracking_number: String,
        /// When the parcel arrives, where it has not yet.
        delivery_on: Option<NaiveDate>,
    },
    Delivered {
        number: String,
        delivered_on: NaiveDate,
        /// The last day on which a return can be asked for.
        return_until: NaiveDate,
    },
    ReturnCompleted {
        number: String,
        refund: Option<Money>,
    },
}

/// What an order came to.
#[derive(Clone, PartialEq, Eq)]
pub struct Bill {
    pub number: String,
    pub lines: Vec<BillLine>,
    pub total: Money,
}

/// Units of one item, at the price they were ordered at.
#[derive(Clone, PartialEq, Eq)]
pub struct BillLine {
    pub item: String,
    pub quantity: u32,
    pub amount: Money,
}

/// Reads what was mailed locally.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// The newest letters first.
    async fn letters(&self, most: usize) -> Result<Vec<MailedLetter>, Fault>;

    /// The letter of this id, if it is there.
    async fn letter(&self, id: Uuid) -> Result<Option<MailedLetter>, Fault>;
}

/// A letter as it arrived. Without `Debug`, as it was when it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct MailedLetter {
    /// Names it in its mailbox.
    pub id: Uuid,
    pub arrived_at: Timestamp,
    pub to: Email,
    pub subject: String,
    pub text: String,
    /// The same for who reads HTML.
    pub html: Option<String>,
}
