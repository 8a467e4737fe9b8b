//! An expected *no*, with what a screen needs to show it. Part of the product, not a fault.

use crate::dead_letter::Settlement;
use crate::order::{OrderAction, OrderStatus};
use crate::return_request::ReturnStatus;
use crate::{Failure, ItemId, Money, Timestamp, VerificationId, WishlistEntryId};

/// Why something was refused, and which input it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub reason: Reason,
    /// The path of the input the refusal is about, e.g. `["lines", "2", "quantity"]`.
    pub field: Option<Vec<String>>,
}

/// What is wrong with an input, collected so that all of it is said at once.
#[derive(Default)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// The value, or nothing, with the refusal noted.
    pub fn take<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.0.push(refusal);
                None
            }
        }
    }

    /// `value`, if nothing was noted.
    ///
    /// # Errors
    /// All that was noted.
    pub fn or<T>(self, value: T) -> Result<T, Failure> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.into())
        }
    }
}

impl From<Vec<Refusal>> for Refusals {
    fn from(noted: Vec<Refusal>) -> Self {
        Self(noted)
    }
}

impl From<Refusals> for Failure {
    fn from(refusals: Refusals) -> Self {
        Self::Refused(refusals.0)
    }
}

/// The rule that an input breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    TooSmall {
        least: i64,
    },
    TooLarge {
        most: i64,
    },
    TooShort {
        least: u32,
    },
    TooLong {
        most: u32,
    },
    Decimal,
    DecimalPlaces {
        most: u32,
    },
    Currency,
    Email,
    Phone,
    /// A word on the list of common passwords.
    CommonPassword,
    /// Control characters, or nothing but blanks.
    Characters,
    /// `closesAt` not after `opensAt`.
    EndsBeforeItBegins,
    InThePast,
    /// The same thing named twice where once is meant.
    Repeated,
    /// An id of another type, or not an id.
    Id,
    /// None or several of the fields of which exactly one is meant.
    ExactlyOne,
}

/// What was refused, in the words of the business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The input breaks a rule; nothing was looked up.
    Invalid(Rule),
    /// Nothing of that id, or not the requester's.
    NotFound,
    /// Who asks must be signed in.
    Unauthenticated,
    /// Who asks may not do this.
    Forbidden,
    /// Fewer units are left than asked for.
    OutOfStock {
        item: ItemId,
        available: i64,
    },
    /// The buyer would hold more units of the deal than its limit.
    PurchaseLimitReached {
        item: ItemId,
        limit: u32,
        held: i64,
        remaining: i64,
    },
    DealNotOpen {
        item: ItemId,
        opens_at: Timestamp,
    },
    DealClosed {
        item: ItemId,
        closed_at: Timestamp,
    },
    DealPaused {
        item: ItemId,
    },
    /// The engine can't say now without risking a wrong answer; the same key may be sent again.
    TryAgain {
        after_ms: u32,
    },
    /// The lines' prices are in different currencies.
    CurrencyMismatch,
    /// The order's total does not fit.
    TotalTooLarge,
    /// The order is in a state that does not allow this.
    StateConflict {
        state: OrderStatus,
        allowed: Vec<OrderAction>,
    },
    /// The time to pay is over.
    PaymentWindowClosed {
        since: Timestamp,
    },
    /// The days in which a delivered line may come back are over.
    ReturnWindowClosed {
        since: Timestamp,
    },
    /// The return was completed or rejected already.
    ReturnSettled {
        state: ReturnStatus,
    },
    /// More money than is left of what was captured.
    MoreThanCaptured {
        refundable: Money,
    },
    /// The dead letter was replayed or dropped already.
    DeadLetterSettled {
        settlement: Settlement,
    },
    /// Of the dead letter's record there is nothing to publish again.
    DeadLetterNotWhole,
    /// The key was used before with another input.
    IdempotencyKeyReused,
    /// Somebody edited it in between.
    VersionConflict {
        current: i64,
    },
    /// Stock may not fall under what orders hold.
    StockBelowHeld {
        held: i64,
    },
    /// A deal's start can't move once it has begun.
    DealHasBegun {
        opened_at: Timestamp,
    },
    /// Only a TIME_DEAL has a window.
    NotATimeDeal,
    /// The item is on the wishlist, by this entry.
    OnWishlistAlready {
        entry: WishlistEntryId,
    },
    /// A wishlist has room for so many entries.
    WishlistFull {
        most: u32,
    },
    /// Wrong e-mail or password, without saying which.
    InvalidCredentials,
    /// The code is wrong, used, replaced by a newer one, or too old.
    VerificationInvalid,
    /// The refresh token is unknown, used or too old.
    SessionEnded,
    /// The password is right; a code was mailed that has to come with this.
    SecondFactorRequired {
        challenge: VerificationId,
        expires_at: Timestamp,
    },
    /// So many orders of the account are under way.
    OrdersOpen {
        orders: u64,
    },
    /// Too many tries.
    RateLimited {
        retry_after_ms: u64,
    },
}

impl From<Rule> for Reason {
    fn from(rule: Rule) -> Self {
        Self::Invalid(rule)
    }
}

impl Reason {
    /// The refusal of the input at `path`.
    pub fn at<S: ToString>(self, path: impl IntoIterator<Item = S>) -> Refusal {
        let field = path.into_iter().map(|part| part.to_string()).collect();
        Refusal {
            reason: self,
            field: Some(field),
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            field: None,
        }
    }
}
