use domain::payment::{PaymentMethod, PaymentState, RefundReason};
use domain::{Currency, Money, RefundId, Timestamp};
use uuid::Uuid;

use super::*;
use crate::config::Span;

const ORDER: OrderId = OrderId(Uuid::from_u128(1));

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
            assert_eq!(
                provider.capture(ORDER, &payment).await,
                answers[turn],
                "{token}"
            );
            assert_eq!(
                provider.look_up(&payment, None).await,
                answers[1],
                "{token}"
            );
        }
    }
    let provider = open(&path).await;
    let unheard_of = provider.look_up(&payment(99, "tok_approve"), None).await;
    assert_eq!(unheard_of, Declined(DeclineReason::NeverReceived));
    let statement = provider.statement(None, 100).await.unwrap().entries;
    let captures: Vec<u32> = statement.iter().map(|entry| entry.captures).collect();
    assert_eq!(captures, [1, 0, 1, 1, 0]);
    let first = provider.statement(None, 2).await.unwrap();
    let rest = provider.statement(first.next.as_ref(), 2).await.unwrap();
    assert_eq!(rest.entries, statement[2..4]);
}

#[tokio::test]
async fn a_refund_goes_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let provider = open(&folder.path().join("provider.db")).await;
    let captured = payment(1, "tok_approve");
    provider.capture(ORDER, &captured).await;
    assert_eq!(
        provider.refund(&refund(7, &captured)).await,
        RefundAnswer::GivenBack
    );
    assert_eq!(
        provider.refund(&refund(7, &captured)).await,
        RefundAnswer::GivenBack
    );
    let entry = provider.statement(None, 10).await.unwrap().entries[0];
    assert_eq!((entry.refunds, entry.refunded_minor), (1, 5_000));
    let never_captured = payment(2, "tok_approve");
    assert_eq!(
        provider.refund(&refund(8, &never_captured)).await,
        RefundAnswer::NotGivenBack
    );
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
        let asked = shoppers
            .iter()
            .map(|payment| provider.capture(ORDER, payment));
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

#[tokio::test]
async fn processes_that_share_the_books_charge_once() {
    const PAYMENTS: u128 = 200;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provider.db");
    // They also make the file at the same moment.
    let opened = futures_util::future::join_all((0..4).map(|_| open(&path))).await;
    let token = |number: u128| match number % 3 {
        0 => "tok_decline",
        1 => "tok_timeout_then_approve",
        _ => "tok_approve",
    };
    let payments: Vec<_> = (1..=PAYMENTS).map(|n| payment(n, token(n))).collect();
    let asked = opened.iter().flat_map(|provider| {
        let asks = payments
            .iter()
            .map(|payment| async move { (payment.id, provider.capture(ORDER, payment).await) });
        asks.collect::<Vec<_>>()
    });
    let answers = futures_util::future::join_all(asked).await;
    for (number, payment) in (1..=PAYMENTS).zip(&payments) {
        let said: Vec<_> = answers
            .iter()
            .filter(|(id, _)| *id == payment.id)
            .map(|(_, answer)| *answer)
            .collect();
        let unknown = said
            .iter()
            .filter(|answer| **answer == CaptureAnswer::Unknown);
        let lost = usize::from(token(number) == "tok_timeout_then_approve");
        assert_eq!(
            unknown.count(),
            lost,
            "{said:?}: one process lost the first answer"
        );
    }
    let owed = payments
        .iter()
        .filter(|payment| payment.method.0 != "tok_decline");
    let owed: Vec<_> = owed
        .zip(1_000..)
        .map(|(payment, number)| refund(number, payment))
        .collect();
    let refunded = opened
        .iter()
        .flat_map(|provider| owed.iter().map(|refund| provider.refund(refund)));
    let refunded = futures_util::future::join_all(refunded).await;
    assert!(refunded.iter().all(|done| *done == RefundAnswer::GivenBack));
    for provider in &opened {
        let statement = provider.statement(None, 1_000).await.unwrap().entries;
        assert_eq!(statement.len(), payments.len());
        for entry in statement {
            let given_back = (entry.refunds, entry.refunded_minor);
            let once = (entry.captures, i64::from(entry.captures) * 5_000);
            assert_eq!(given_back, once);
        }
    }
}
