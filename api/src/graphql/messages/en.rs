//! English.

use domain::refusal::{Reason, Rule};

pub(super) fn reason(reason: &Reason) -> String {
    let fixed = match reason {
        Reason::Invalid(broken) => return rule(broken),
        Reason::OutOfStock { available: 0, .. } => "Sold out.",
        Reason::OutOfStock { available, .. } => return format!("Only {available} left."),
        Reason::PurchaseLimitReached {
            limit, remaining, ..
        } => {
            return format!("At most {limit} per buyer; you may still order {remaining}.");
        }
        Reason::NotFound => "There is no such thing here.",
        Reason::Unauthenticated => "Please sign in first.",
        Reason::Forbidden => "Your account may not do this.",
        Reason::DealNotOpen { .. } => "This deal is not open yet.",
        Reason::DealClosed { .. } => "This deal is over.",
        Reason::DealPaused { .. } => "This deal is paused.",
        Reason::TryAgain { .. } => "Please try again in a moment.",
        Reason::CurrencyMismatch => "Prices in different currencies can't go together.",
        Reason::TotalTooLarge => "The order's total is too high.",
        Reason::StateConflict { .. } => "The order is in a state that does not allow this.",
        Reason::PaymentWindowClosed { .. } => "The time to pay this order is over.",
        Reason::ReturnWindowClosed { .. } => "The time to return this is over.",
        Reason::ReturnSettled { .. } => "This return is settled already.",
        Reason::MoreThanCaptured { refundable } => {
            let amount = refundable.to_decimal();
            return format!(
                "At most {amount} {} can still be given back.",
                refundable.currency.code()
            );
        }
        Reason::DeadLetterSettled { .. } => "This dead letter is settled already.",
        Reason::DeadLetterNotWhole => {
            "Of this record there is nothing to publish again; it can only be dropped."
        }
        Reason::IdempotencyKeyReused => "This idempotency key was used for something else.",
        Reason::VersionConflict { .. } => "Somebody else has changed this in the meantime.",
        Reason::StockBelowHeld { held } => {
            return format!("Orders hold {held} units: the stock can't be smaller.");
        }
        Reason::DealHasBegun { .. } => "The deal has begun: its start can't move any more.",
        Reason::NotATimeDeal => "This item is not a time deal.",
        Reason::OnWishlistAlready { .. } => "This item is on your wishlist already.",
        Reason::WishlistFull { most } => {
            return format!("Your wishlist is full: it has room for {most}.");
        }
        Reason::InvalidCredentials => "The e-mail address or the password is wrong.",
        Reason::VerificationInvalid => "The code is wrong or no longer valid.",
        Reason::SessionEnded => "Your session has ended. Please sign in again.",
        Reason::SecondFactorRequired { .. } => "We have mailed you a code. Please enter it.",
        Reason::OrdersOpen { orders } => {
            return format!("Orders under way: {orders}. Please wait for them, or cancel them.");
        }
        Reason::RateLimited { .. } => "Too many tries. Please wait a little.",
    };
    fixed.to_owned()
}

fn rule(rule: &Rule) -> String {
    let fixed = match rule {
        Rule::TooSmall { least } => return format!("Must be at least {least}."),
        Rule::TooLarge { most } => return format!("Must be at most {most}."),
        Rule::TooShort { least: 1 } => "Must not be empty.",
        Rule::TooShort { least } => return format!("Must have at least {least}."),
        Rule::TooLong { most } => return format!("Must have at most {most}."),
        Rule::Decimal => "Must be a plain decimal number, such as 12.50.",
        Rule::DecimalPlaces { most: 0 } => "Must be a whole amount.",
        Rule::DecimalPlaces { most } => return format!("Must have at most {most} decimal places."),
        Rule::Currency => "Must be a currency code, such as KRW.",
        Rule::Email => "Must be an e-mail address.",
        Rule::Phone => "Must be a telephone number.",
        Rule::CommonPassword => "This password is too easy to guess.",
        Rule::Characters => "Must have no control characters.",
        Rule::EndsBeforeItBegins => "Must end after it begins.",
        Rule::InThePast => "Must not be in the past.",
        Rule::Repeated => "Is there already.",
        Rule::Id => "Is not an id of the right type.",
        Rule::ExactlyOne => "Exactly one of the fields that exclude each other must be given.",
    };
    fixed.to_owned()
}
