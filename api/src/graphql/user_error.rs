//! Refusals as clients see them: one type a reason, each with what a screen needs.

use async_graphql::{Enum, ID, Interface, SimpleObject};
use domain::Language;
use domain::refusal::{Reason, Refusal, Rule};

use super::ids::GlobalId;
use super::messages;
use super::objects::dead_letter::DeadLetterSettlement;
use super::objects::money::Money;
use super::objects::order::{OrderAction, OrderState};
use super::objects::return_request::ReturnState;
use super::scalars::{DateTime, Decimal, Version, count};

/// What every refusal has.
struct Said {
    message: String,
    field: Option<Vec<String>>,
}

macro_rules! user_errors {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
    })*) => {
        /// What was refused. Codes never change; new ones may come, so expect unknown values.
        #[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
        pub enum UserErrorCode {
            $($(#[$doc])* $name,)*
        }

        $(
            $(#[$doc])*
            #[derive(SimpleObject, Clone, Debug)]
            pub struct $name {
                /// What was refused.
                #[graphql(owned)]
                code: UserErrorCode,
                /// For people, in English or Korean by the request's `Accept-Language`.
                message: String,
                /// The path within `input` that this is about, e.g. `["lines", "2", "quantity"]`;
                /// null when it is about the whole.
                field: Option<Vec<String>>,
                $($(#[$field_doc])* $field: $type,)*
            }

            impl $name {
                fn say(said: Said $(, $field: $type)*) -> UserError {
                    UserError::$name(Self {
                        code: UserErrorCode::$name,
                        message: said.message,
                        field: said.field,
                        $($field,)*
                    })
                }
            }
        )*

        /// An expected *no*: part of the answer, not a failure. Its type has what a screen needs to
        /// show it. New types may come: fall back on `code` and `message`.
        #[derive(Interface, Clone, Debug)]
        #[graphql(
            field(name = "code", ty = "UserErrorCode", desc = "What was refused."),
            field(
                name = "message",
                ty = "&String",
                desc = "For people, in English or Korean by the request's `Accept-Language`."
            ),
            field(
                name = "field",
                ty = "&Option<Vec<String>>",
                desc = "The path within `input` that this is about, e.g. `[\"lines\", \"2\", \"quantity\"]`; null when it is about the whole."
            )
        )]
        pub enum UserError {
            $($name($name),)*
        }
    };
}

user_errors! {
    /// An input breaks a rule; nothing was looked up.
    InvalidInput {
        /// The rule.
        rule: InputRule,
        /// The bound that the rule names, if it names one: characters of a text, entries of a list,
        /// units, decimal places; minor units of the currency for money.
        bound: Option<Decimal>,
    }
    /// There is nothing of that id, or it is somebody else's.
    NotFound {}
    /// Only who is signed in may ask for this.
    Unauthenticated {}
    /// The requester's role does not allow this.
    Forbidden {}
    /// Fewer units are left than were asked for.
    OutOfStock {
        /// The item.
        item_id: ID,
        /// Units that can be had right now.
        available: i32,
    }
    /// The buyer would hold more units of a deal than one buyer may.
    PurchaseLimitReached {
        /// The deal's item.
        item_id: ID,
        /// Units one buyer may hold, over all orders.
        limit: i32,
        /// Units the buyer holds already.
        held: i32,
        /// Units the buyer may still order.
        remaining: i32,
    }
    /// The deal is not open yet.
    DealNotOpen {
        /// The deal's item.
        item_id: ID,
        /// The first instant at which it sells.
        opens_at: DateTime,
    }
    /// The deal is over.
    DealClosed {
        /// The deal's item.
        item_id: ID,
        /// The first instant at which it no longer sold.
        closed_at: DateTime,
    }
    /// The deal's seller has stopped it for now.
    DealPaused {
        /// The deal's item.
        item_id: ID,
    }
    /// It can't be said now without risking a wrong answer. Send the same request again, with the
    /// same idempotency key.
    TryAgain {
        /// After how many milliseconds.
        retry_after_ms: i32,
    }
    /// Prices in different currencies can't go together.
    CurrencyMismatch {}
    /// The order's total is higher than can be written down.
    TotalTooLarge {}
    /// The order is in a state that does not allow this.
    StateConflict {
        /// The order's state.
        state: OrderState,
        /// What its buyer may do with it now.
        allowed: Vec<OrderAction>,
    }
    /// The time to pay the order is over.
    PaymentWindowClosed {
        /// When it ended.
        since: DateTime,
    }
    /// The days in which a delivered line may come back are over.
    ReturnWindowClosed {
        /// When they ended.
        since: DateTime,
    }
    /// The return was completed or rejected already.
    ReturnSettled {
        /// The return's state.
        state: ReturnState,
    }
    /// More money than is left of what was captured for the order.
    MoreThanCaptured {
        /// What can still be given back.
        refundable: Money,
    }
    /// The dead letter was replayed or dropped already.
    DeadLetterSettled {
        /// What became of it.
        settlement: DeadLetterSettlement,
    }
    /// Of the dead letter's record there is nothing to publish again: it can only be dropped.
    DeadLetterNotWhole {}
    /// The idempotency key was used before with another input. Take a new key for a new request.
    IdempotencyKeyReused {}
    /// Somebody edited it in between: look at the present version and decide again.
    VersionConflict {
        /// The present version.
        current: Version,
    }
    /// The stock can't be made smaller than what orders hold.
    StockBelowHeld {
        /// Units that orders hold or have bought.
        held: i32,
    }
    /// A deal's start can't move once it has begun.
    DealHasBegun {
        /// When it opened.
        opened_at: DateTime,
    }
    /// Only an item of kind TIME_DEAL has a window.
    NotATimeDeal {}
    /// The item is on the wishlist already: change that entry.
    OnWishlistAlready {
        /// The entry, `wish_…`.
        entry_id: ID,
    }
    /// The wishlist has no room for another entry.
    WishlistFull {
        /// Entries it has room for.
        most: i32,
    }
    /// The e-mail address or the password is wrong; which one is not said.
    InvalidCredentials {}
    /// The code is wrong, used, replaced by a newer one, or too old.
    VerificationInvalid {}
    /// The refresh token is unknown, used or too old: sign in again.
    SessionEnded {}
    /// The password is right, and the account asks for a second factor: a code was mailed that goes
    /// with the challenge to `confirmSignIn`.
    SecondFactorRequired {
        /// What the code has to come with, `challenge_…`.
        challenge: ID,
        /// Until when the code is good.
        expires_at: DateTime,
    }
    /// Orders of the account are under way: they have to be delivered, cancelled or over first, and
    /// returns settled.
    OrdersOpen {
        /// How many.
        orders: i32,
    }
    /// Too many tries.
    RateLimited {
        /// After how many milliseconds to try again.
        retry_after_ms: i32,
    }
}

/// The rule that an input breaks. New rules may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputRule {
    /// A number below `bound`.
    TooSmall,
    /// A number above `bound`.
    TooLarge,
    /// Fewer characters or entries than `bound`.
    TooShort,
    /// More characters or entries than `bound`.
    TooLong,
    /// Not a plain decimal number.
    Decimal,
    /// More decimal places than the currency has, which is `bound`.
    DecimalPlaces,
    /// Not a currency code of ISO 4217 that has a minor unit.
    Currency,
    /// Not an e-mail address.
    Email,
    /// Not a telephone number: digits and what stands between them, `+` before, an extension behind.
    Phone,
    /// A password that is on everybody's list of guesses.
    CommonPassword,
    /// Control characters, or nothing but blanks.
    Characters,
    /// An end that is not after the beginning.
    EndsBeforeItBegins,
    /// An instant that is over.
    InThePast,
    /// The same thing twice where once is meant.
    Repeated,
    /// Not an id, or an id of another type.
    Id,
    /// None or several of the fields of which exactly one has to be given.
    ExactlyOne,
}

impl UserError {
    /// The refusal as it is shown to who reads `language`.
    pub fn new(refusal: Refusal, language: Language) -> Self {
        let Refusal { reason, field } = refusal;
        let said = Said {
            message: messages::of_reason(language, &reason),
            field,
        };
        match reason {
            Reason::Invalid(rule) => {
                let (rule, bound) = rule_and_bound(&rule);
                InvalidInput::say(said, rule, bound.map(|bound| Decimal(bound.to_string())))
            }
            Reason::NotFound => NotFound::say(said),
            Reason::Unauthenticated => Unauthenticated::say(said),
            Reason::Forbidden => Forbidden::say(said),
            Reason::OutOfStock { item, available } => {
                OutOfStock::say(said, item.to_global(), count(available))
            }
            Reason::PurchaseLimitReached {
                item,
                limit,
                held,
                remaining,
            } => {
                let item = item.to_global();
                PurchaseLimitReached::say(said, item, count(limit), count(held), count(remaining))
            }
            Reason::DealNotOpen { item, opens_at } => {
                DealNotOpen::say(said, item.to_global(), opens_at.into())
            }
            Reason::DealClosed { item, closed_at } => {
                DealClosed::say(said, item.to_global(), closed_at.into())
            }
            Reason::DealPaused { item } => DealPaused::say(said, item.to_global()),
            Reason::TryAgain { after_ms } => TryAgain::say(said, count(after_ms)),
            Reason::CurrencyMismatch => CurrencyMismatch::say(said),
            Reason::TotalTooLarge => TotalTooLarge::say(said),
            Reason::StateConflict { state, allowed } => {
                let allowed = allowed.into_iter().map(Into::into).collect();
                StateConflict::say(said, state.into(), allowed)
            }
            Reason::PaymentWindowClosed { since } => PaymentWindowClosed::say(said, since.into()),
            Reason::ReturnWindowClosed { since } => ReturnWindowClosed::say(said, since.into()),
            Reason::ReturnSettled { state } => ReturnSettled::say(said, state.into()),
            Reason::MoreThanCaptured { refundable } => {
                MoreThanCaptured::say(said, refundable.into())
            }
            Reason::DeadLetterSettled { settlement } => {
                DeadLetterSettled::say(said, settlement.into())
            }
            Reason::DeadLetterNotWhole => DeadLetterNotWhole::say(said),
            Reason::IdempotencyKeyReused => IdempotencyKeyReused::say(said),
            Reason::VersionConflict { current } => {
                VersionConflict::say(said, Version::of_row(current))
            }
            Reason::StockBelowHeld { held } => StockBelowHeld::say(said, count(held)),
            Reason::DealHasBegun { opened_at } => DealHasBegun::say(said, opened_at.into()),
            Reason::NotATimeDeal => NotATimeDeal::say(said),
            Reason::OnWishlistAlready { entry } => OnWishlistAlready::say(said, entry.to_global()),
            Reason::WishlistFull { most } => WishlistFull::say(said, count(most)),
            Reason::InvalidCredentials => InvalidCredentials::say(said),
            Reason::VerificationInvalid => VerificationInvalid::say(said),
            Reason::SessionEnded => SessionEnded::say(said),
            Reason::SecondFactorRequired {
                challenge,
                expires_at,
            } => SecondFactorRequired::say(said, challenge.to_global(), expires_at.into()),
            Reason::OrdersOpen { orders } => OrdersOpen::say(said, count(orders)),
            Reason::RateLimited { retry_after_ms } => RateLimited::say(said, count(retry_after_ms)),
        }
    }
}

fn rule_and_bound(rule: &Rule) -> (InputRule, Option<i64>) {
    match *rule {
        Rule::TooSmall { least } => (InputRule::TooSmall, Some(least)),
        Rule::TooLarge { most } => (InputRule::TooLarge, Some(most)),
        Rule::TooShort { least } => (InputRule::TooShort, Some(least.into())),
        Rule::TooLong { most } => (InputRule::TooLong, Some(most.into())),
        Rule::Decimal => (InputRule::Decimal, None),
        Rule::DecimalPlaces { most } => (InputRule::DecimalPlaces, Some(most.into())),
        Rule::Currency => (InputRule::Currency, None),
        Rule::Email => (InputRule::Email, None),
        Rule::Phone => (InputRule::Phone, None),
        Rule::CommonPassword => (InputRule::CommonPassword, None),
        Rule::Characters => (InputRule::Characters, None),
        Rule::EndsBeforeItBegins => (InputRule::EndsBeforeItBegins, None),
        Rule::InThePast => (InputRule::InThePast, None),
        Rule::Repeated => (InputRule::Repeated, None),
        Rule::Id => (InputRule::Id, None),
        Rule::ExactlyOne => (InputRule::ExactlyOne, None),
    }
}

#[cfg(test)]
mod tests;
