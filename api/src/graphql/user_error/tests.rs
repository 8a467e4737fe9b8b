use std::collections::HashSet;

use async_graphql::resolver_utils::EnumType;
use domain::order::OrderStatus;
use domain::{ItemId, Timestamp, VerificationId, WishlistEntryId};
use uuid::Uuid;

use super::*;

fn reasons() -> Vec<Reason> {
    let item = ItemId(Uuid::nil());
    let at = Timestamp::UNIX_EPOCH;
    vec![
        Rule::Email.into(),
        Reason::NotFound,
        Reason::Unauthenticated,
        Reason::Forbidden,
        Reason::OutOfStock { item, available: 3 },
        Reason::PurchaseLimitReached {
            item,
            limit: 2,
            held: 1,
            remaining: 1,
        },
        Reason::DealNotOpen { item, opens_at: at },
        Reason::DealClosed {
            item,
            closed_at: at,
        },
        Reason::DealPaused { item },
        Reason::TryAgain { after_ms: 1 },
        Reason::CurrencyMismatch,
        Reason::TotalTooLarge,
        Reason::StateConflict {
            state: OrderStatus::Paid,
            allowed: Vec::new(),
        },
        Reason::PaymentWindowClosed { since: at },
        Reason::ReturnWindowClosed { since: at },
        Reason::ReturnSettled {
            state: domain::return_request::ReturnStatus::Completed,
        },
        Reason::MoreThanCaptured {
            refundable: domain::Money::zero(domain::Currency::from_code("KRW").unwrap()),
        },
        Reason::DeadLetterSettled {
            settlement: domain::dead_letter::Settlement::Dropped,
        },
        Reason::DeadLetterNotWhole,
        Reason::IdempotencyKeyReused,
        Reason::VersionConflict { current: 2 },
        Reason::StockBelowHeld { held: 1 },
        Reason::DealHasBegun { opened_at: at },
        Reason::NotATimeDeal,
        Reason::OnWishlistAlready {
            entry: WishlistEntryId(Uuid::nil()),
        },
        Reason::WishlistFull { most: 7 },
        Reason::InvalidCredentials,
        Reason::VerificationInvalid,
        Reason::SessionEnded,
        Reason::SecondFactorRequired {
            challenge: VerificationId(Uuid::nil()),
            expires_at: at,
        },
        Reason::OrdersOpen { orders: 2 },
        Reason::RateLimited { retry_after_ms: 1 },
    ]
}

#[test]
fn every_reason_has_its_own_sentence_in_each_language() {
    assert_eq!(reasons().len(), UserErrorCode::items().len());
    for language in [Language::English, Language::Korean] {
        let messages: HashSet<String> = reasons()
            .iter()
            .map(|reason| messages::of_reason(language, reason))
            .collect();
        assert_eq!(messages.len(), reasons().len());
        let korean = |message: &String| message.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(
            messages
                .iter()
                .all(|message| korean(message) == (language == Language::Korean))
        );
    }
}

#[test]
fn every_rule_has_its_own_sentence_in_each_language() {
    let rules = || {
        vec![
            Rule::TooSmall { least: 7 },
            Rule::TooLarge { most: 7 },
            Rule::TooShort { least: 1 },
            Rule::TooShort { least: 7 },
            Rule::TooLong { most: 7 },
            Rule::Decimal,
            Rule::DecimalPlaces { most: 0 },
            Rule::DecimalPlaces { most: 2 },
            Rule::Currency,
            Rule::Email,
            Rule::Phone,
            Rule::CommonPassword,
            Rule::Characters,
            Rule::EndsBeforeItBegins,
            Rule::InThePast,
            Rule::Repeated,
            Rule::Id,
            Rule::ExactlyOne,
        ]
    };
    for language in [Language::English, Language::Korean] {
        let sentence = |rule: Rule| messages::of_reason(language, &rule.into());
        let sentences: HashSet<String> = rules().into_iter().map(sentence).collect();
        assert_eq!(sentences.len(), rules().len());
    }
}
