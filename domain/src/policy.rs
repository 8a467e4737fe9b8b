//! The rules that a shop sets.

use crate::delivery::DeliveryCalendar;
use crate::rate::{Action, Rate};

/// How long, how many, how often. Read once from the configuration.
#[derive(Clone, Debug)]
pub struct Policies {
    /// How long an order waits for its payment, in milliseconds.
    pub hold_ms: i64,
    /// The most lines an order may have.
    pub max_lines: usize,
    pub calendar: DeliveryCalendar,
    pub returns: ReturnPolicy,
    /// How long a receipt answers a repeated request, in milliseconds.
    pub receipt_ms: i64,
    /// How long a payment may be in flight before the provider is asked again, in milliseconds.
    pub ask_again_after_ms: i64,
    /// How long the provider remembers a key; afterwards a payment is looked up, never sent again.
    pub provider_key_ms: i64,
    pub accounts: AccountPolicy,
    pub rates: RatePolicy,
}

/// When a delivered line may come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReturnPolicy {
    /// Days after delivery until whose end a return can be asked for.
    pub days_to_request: u32,
    /// Days after the request until it is completed.
    pub days_to_complete: u32,
}

/// How accounts are proven and sessions last, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountPolicy {
    pub verification_ms: i64,
    /// Wrong codes before a verification is void.
    pub verification_attempts: u32,
    /// The shortest time between two mails to one address.
    pub verification_resend_ms: i64,
    pub access_ms: i64,
    pub refresh_ms: i64,
}

/// How often each thing may be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RatePolicy {
    pub letters: Rates,
    pub codes: Rates,
    pub passwords: Rates,
    pub sign_in: Rates,
    pub refresh: Rates,
    pub orders: Rates,
    pub requests: Rates,
}

/// How often one thing may be done; as often as one likes where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// From one place.
    pub peer: Option<Rate>,
    /// By one account.
    pub account: Option<Rate>,
    /// With one e-mail address.
    pub email: Option<Rate>,
}

impl RatePolicy {
    #[must_use]
    pub fn of(&self, action: Action) -> Rates {
        match action {
            Action::RequestCode => self.letters,
            Action::TryCode => self.codes,
            Action::TryPassword => self.passwords,
            Action::SignIn => self.sign_in,
            Action::RefreshSession => self.refresh,
            Action::PlaceOrder => self.orders,
            Action::Request => self.requests,
        }
    }
}
