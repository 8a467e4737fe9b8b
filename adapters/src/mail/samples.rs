use chrono::NaiveDate;
use domain::account::Email;
use domain::payment::RefundReason;
use domain::ports::mail::{Bill, BillLine, Content, Letter};
use domain::verification::Purpose;
use domain::{Currency, Language, Money};
use uuid::Uuid;

pub fn won(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::from_code("KRW").unwrap(),
    }
}

/// A letter with a code, of this number.
pub fn letter(number: u128) -> Letter {
    Letter {
        id: Uuid::from_u128(number),
        to: Email::parse("kim@example.com").unwrap(),
        language: Language::Korean,
        content: code(),
    }
}

pub fn code() -> Content {
    code_for(Purpose::SignUp)
}

fn code_for(purpose: Purpose) -> Content {
    Content::Code {
        purpose,
        code: "12345678".to_owned(),
        valid_minutes: 10,
    }
}

/// Everything that letters tell, by a name for each.
pub fn contents() -> Vec<(&'static str, Content)> {
    let refunded = |reason| Content::Refunded {
        number: number(),
        amount: won(21_500),
        reason,
    };
    let mut contents = vec![
        ("code", code()),
        ("code_for_password", code_for(Purpose::PasswordReset)),
        ("code_for_sign_in", code_for(Purpose::SignIn)),
        ("code_for_new_address", code_for(Purpose::NewAddress)),
        ("code_for_old_address", code_for(Purpose::OldAddress)),
        ("known_address", Content::KnownAddress),
        ("password_changed", Content::PasswordChanged),
        ("second_factor_on", Content::SecondFactorSet { on: true }),
        ("second_factor_off", Content::SecondFactorSet { on: false }),
        (
            "order_paid",
            Content::OrderPaid {
                bill: bill(),
                dispatch_on: Some(day(5)),
            },
        ),
        (
            "order_paid_and_gone",
            Content::OrderPaid {
                bill: bill(),
                dispatch_on: None,
            },
        ),
        (
            "order_cancelled",
            Content::OrderCancelled {
                bill: bill(),
                refund: Some(won(21_500)),
            },
        ),
        (
            "order_cancelled_unpaid",
            Content::OrderCancelled {
                bill: bill(),
                refund: None,
            },
        ),
        (
            "part_cancelled",
            Content::PartCancelled {
                number: number(),
                refund: Some(won(9_000)),
            },
        ),
        ("refunded", refunded(RefundReason::Cancelled)),
        ("refunded_returned", refunded(RefundReason::Returned)),
        ("refunded_by_hand", refunded(RefundReason::ByHand)),
        ("refunded_stray", refunded(RefundReason::StrayCapture)),
    ];
    contents.extend(parcels());
    contents
}

fn parcels() -> Vec<(&'static str, Content)> {
    vec![
        (
            "dispatched",
            Content::Dispatched {
                number: number(),
                tracking_number: "123456789012".to_owned(),
                delivery_on: Some(day(6)),
            },
        ),
        (
            "delivered",
            Content::Delivered {
                number: number(),
                delivered_on: day(6),
                return_until: day(7),
            },
        ),
        (
            "return_completed",
            Content::ReturnCompleted {
                number: number(),
                refund: Some(won(9_000)),
            },
        ),
    ]
}

fn number() -> String {
    "7K3M-9QXD-2A5B".to_owned()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn bill() -> Bill {
    let line = |item: &str, quantity, minor| BillLine {
        item: item.to_owned(),
        quantity,
        amount: won(minor),
    };
    Bill {
        number: number(),
        lines: vec![
            line("한정판 머그컵", 2, 18_000),
            line("<b>Tea</b> & \"biscuits\"", 1, 3_500),
        ],
        total: won(21_500),
    }
}
