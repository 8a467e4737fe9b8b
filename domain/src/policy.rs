//! The rules that a shop sets.

use std::sync::{Arc, PoisonError, RwLock};

use crate::delivery::DeliveryCalendar;
use crate::rate::{Action, Rate};

/// How long, how many, how often. All but the rates hold for as long as the process runs.
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
    pub rates: LiveRates,
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

/// How often each thing may be done just now: an operator may say otherwise while the shop runs.
/// Clones are the same rates.
#[derive(Clone, Debug, Default)]
pub struct LiveRates(Arc<RwLock<RatePolicy>>);

impl LiveRates {
    #[must_use]
    pub fn new(rates: RatePolicy) -> Self {
        Self(Arc::new(RwLock::new(rates)))
    }

    #[must_use]
    pub fn of(&self, action: Action) -> Rates {
        self.read().of(action)
    }

    /// All of them, as they are now.
    #[must_use]
    pub fn read(&self) -> RatePolicy {
        // A policy is put in its place whole, so there is no broken one behind a panic.
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// These hold from now on.
    pub fn replace(&self, rates: RatePolicy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rates;
    }
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
