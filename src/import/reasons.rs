//! Refusals of imported rows as sentences for the shop.

use domain::money::MAX_PRICE_MINOR;
use domain::refusal::{Reason, Rule};
use domain::{Currency, Money};

/// The refusal of a cell in one sentence.
pub fn sentence(reason: &Reason) -> String {
    match reason {
        Reason::Invalid(rule) => of_rule(rule),
        // An import only checks rules; whatever else a later one may answer is still named.
        other => format!("refused: {other:?}"),
    }
}

/// The same of a price, whose bounds the domain gives in minor units.
pub fn sentence_of_price(reason: &Reason, currency: Currency) -> String {
    match reason {
        Reason::Invalid(Rule::TooLarge { .. }) => {
            let most = Money {
                minor: MAX_PRICE_MINOR,
                currency,
            };
            format!("must be {} or less", most.to_decimal())
        }
        other => sentence(other),
    }
}

fn of_rule(rule: &Rule) -> String {
    match rule {
        Rule::TooSmall { least } => format!("must be {least} or more"),
        Rule::TooLarge { most } => format!("must be {most} or less"),
        Rule::TooShort { least: 1 } => "must not be empty".to_owned(),
        Rule::TooShort { least } => format!("must have {least} characters or more"),
        Rule::TooLong { most } => format!("must have {most} characters or fewer"),
        Rule::Decimal => "is not a plain decimal number like 12.50".to_owned(),
        Rule::DecimalPlaces { most: 0 } => "this currency has no decimal places".to_owned(),
        Rule::DecimalPlaces { most } => format!("has more than {most} decimal places"),
        Rule::Currency => "is not a currency code of ISO 4217".to_owned(),
        Rule::Email => "is not an e-mail address".to_owned(),
        Rule::Phone => "is not a telephone number".to_owned(),
        Rule::CommonPassword => "is on the list of common passwords".to_owned(),
        Rule::Characters => "has control characters".to_owned(),
        Rule::EndsBeforeItBegins => "ends before it begins".to_owned(),
        Rule::InThePast => "is in the past".to_owned(),
        Rule::Repeated => {
            "is there already, from a row above or an earlier import; left as it is".to_owned()
        }
        Rule::Id => "is not an id".to_owned(),
        Rule::ExactlyOne => "takes exactly one of several fields".to_owned(),
    }
}
