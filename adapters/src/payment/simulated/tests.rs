use domain::payment::{PaymentMethod, PaymentState, RefundReason};
use domain::{Currency, Money, RefundId, Timestamp};
use uuid::Uuid;

use super::*;
use crate::config::Span;

async fn open(path: &Path) -> SimulatedProvider {
    let settings = Simulated {
        latency: Span::milliseconds(0),
        ..Simulated::default()
    };
    SimulatedProvider::open(path, settings).await.unwrap()
}

fn payment(number: u128, token: &str) -> Payment {
    Payment {
        id: PaymentId(Uuid::from_u128(number)),
        attempt: 1,
        method: PaymentMethod(token.to_owned()),
        amount: Money {
            minor: 5_000,
            currency: Currency::from_code("KRW").unwrap(),
        },
        requested_at: Timestamp::UNIX_EPOCH,
        state: PaymentState::Requested,
    }
}

fn refund(number: u128, payment: &Payment) -> Refund {
    Refund {
        id: RefundId(Uuid::from_u128(number)),
        payment: payment.id,
        amount: payment.amount,
        reason: RefundReason::Cancelled,
        requested_at: Timestamp::UNIX_EPOCH,
        completed_at: None,
    }
}

#[tokio::test]
async fn a_token_decides_and_the_books_remember() {
    use CaptureAnswer::{Captured, Declined, Unknown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provider.db");
    let tokens = [
        ("tok_approve", [Captured, Captured]),
        ("tok_decline", [Declined(DeclineReason::Refused); 2]),
        ("tok_timeout_then_approve", [Unknown, Captured]),
        ("tok_answer_twice", [Captured, Captured]),
        ("tok_nonsense", [Declined(DeclineReason::UnknownMethod); 2]),
    ];
    // The second time the books are opened anew.
    for turn in [0, 1] {
        let provider = open(&path).await;
        for (number, (token, answers)) in tokens.iter().enumerate() {
            let payment = payment(number as u128 + 1, token);
            assert_eq!(provider.capture(&payment).await, answers[turn], "{token}");
            assert_eq!(provider.look_up(payment.id).await, answers[1], "{token}");
        }
    }
    let provider = open(&path).await;
    let unheard_of = provider.look_up(PaymentId(Uuid::from_u128(99))).await;
    assert_eq!(unheard_of, Declined(DeclineReason::NeverReceived));
    let statement = provider.statement(None, 100).await.unwrap();
    let captures: Vec<u32> = statement.iter().map(|entry| entry.captures).collect();
    assert_eq!(captures, [1, 0, 1, 1, 0]);
    let rest = provider
        .statement(Some(statement[1].payment), 2)
        .await
        .unwrap();
    assert_eq!(rest, statement[2..4]);
}

#[tokio::test]
async fn a_refund_goes_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let provider = open(&folder.path().join("provider.db")).await;
    let captured = payment(1, "tok_approve");
    provider.capture(&captured).await;
    assert!(provider.refund(&refund(7, &captured)).await);
    assert!(provider.refund(&refund(7, &captured)).await);
    let entry = provider.statement(None, 10).await.unwrap()[0];
    assert_eq!((entry.refunds, entry.refunded_minor), (1, 5_000));
    let never_captured = payment(2, "tok_approve");
    assert!(!provider.refund(&refund(8, &never_captured)).await);
}

#[tokio::test]
async fn about_a_third_of_the_shoppers_abandon_and_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let shoppers: Vec<_> = (0..1_000)
        .map(|number: u128| {
            let id = Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes()).as_u128();
            payment(id, "tok_shopper")
        })
        .collect();
    let mut answers = Vec::new();
    for file in ["one.db", "other.db"] {
        let provider = open(&folder.path().join(file)).await;
        let asked = shoppers.iter().map(|payment| provider.capture(payment));
        answers.push(futures_util::future::join_all(asked).await);
    }
    let abandoned = answers[0]
        .iter()
        .filter(|answer| **answer != CaptureAnswer::Captured)
        .count();
    // 20 % and then 20 % of the rest: 36 %.
    assert!((310..410).contains(&abandoned), "{abandoned}");
    assert_eq!(answers[0], answers[1]);
}
