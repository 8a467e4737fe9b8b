//! What every payment provider keeps, whether it is in this process or behind a network.

use std::sync::Arc;

use async_trait::async_trait;
use domain::payment::{
    CaptureAnswer, DeclineReason, Payment, PaymentMethod, PaymentState, ProviderEntry, Refund,
    RefundAnswer, RefundReason,
};
use domain::ports::Provider;
use domain::ports::provider::StatementCursor;
use domain::{Currency, Money, OrderId, PaymentId, RefundId, Timestamp};
use futures_util::future::join_all;
use uuid::Uuid;

use CaptureAnswer::{Captured, Declined, Unknown};
use RefundAnswer::{GivenBack, NotGivenBack};

pub const ORDER: OrderId = OrderId(Uuid::from_u128(1));

/// A provider that starts with empty books.
#[async_trait]
pub trait World: Send + Sync {
    fn provider(&self) -> Arc<dyn Provider>;
}

pub fn payment(number: u128, token: &str) -> Payment {
    Payment {
        id: PaymentId(Uuid::from_u128(number)),
        attempt: 1,
        method: PaymentMethod(token.to_owned()),
        amount: won(5_000),
        // Long ago: what can't be found now was never received.
        requested_at: Timestamp::UNIX_EPOCH,
        state: PaymentState::Requested,
    }
}

pub fn refund(number: u128, payment: &Payment, minor: i64) -> Refund {
    Refund {
        id: RefundId(Uuid::from_u128(number)),
        payment: payment.id,
        amount: won(minor),
        reason: RefundReason::Cancelled,
        requested_at: Timestamp::UNIX_EPOCH,
        completed_at: None,
    }
}

fn won(minor: i64) -> Money {
    let currency = Currency::from_code("KRW").unwrap();
    Money { minor, currency }
}

/// Everything on its books, in pages of so many.
pub async fn books(provider: &dyn Provider, most: usize) -> Vec<ProviderEntry> {
    let (mut entries, mut after) = (Vec::new(), None::<StatementCursor>);
    loop {
        let page = provider.statement(after.as_ref(), most).await;
        let page = page.map_err(|fault| fault.detail()).unwrap();
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            entries.sort_by_key(|entry| entry.payment);
            return entries;
        }
    }
}

pub async fn a_token_decides_and_asked_again_it_says_the_same(world: &dyn World) {
    let provider = world.provider();
    let tokens = [
        ("tok_approve", [Captured, Captured]),
        ("tok_decline", [Declined(DeclineReason::Refused); 2]),
        ("tok_timeout_then_approve", [Unknown, Captured]),
        ("tok_answer_twice", [Captured, Captured]),
        ("tok_nonsense", [Declined(DeclineReason::UnknownMethod); 2]),
    ];
    for (number, (token, answers)) in (1..).zip(tokens) {
        let payment = payment(number, token);
        for answer in answers {
            // The first answer may be lost on the way; what is known afterwards is the same.
            let said = provider.capture(ORDER, &payment).await;
            assert!(said == answer || said == answers[1], "{token}: {said:?}");
        }
        if token != "tok_nonsense" {
            assert_eq!(
                provider.look_up(&payment, None).await,
                answers[1],
                "{token}"
            );
        }
    }
    let captured = books(&*provider, 100).await;
    let captured = captured.iter().filter(|entry| entry.captures == 1);
    let captured: Vec<u128> = captured.map(|entry| entry.payment.0.as_u128()).collect();
    assert_eq!(captured, [1, 3, 4]);
}

pub async fn what_was_never_asked_for_was_never_received(world: &dyn World) {
    let unheard_of = payment(99, "tok_approve");
    let answer = world.provider().look_up(&unheard_of, None).await;
    assert_eq!(answer, Declined(DeclineReason::NeverReceived));
}

pub async fn a_refund_goes_back_once_and_in_parts(world: &dyn World) {
    let provider = world.provider();
    let captured = payment(1, "tok_approve");
    assert_eq!(provider.capture(ORDER, &captured).await, Captured);
    let (some, rest) = (refund(7, &captured, 1_200), refund(8, &captured, 3_800));
    for refund in [&some, &some, &rest, &some, &rest] {
        assert_eq!(provider.refund(refund).await, GivenBack);
    }
    let entry = books(&*provider, 10).await[0];
    assert_eq!((entry.captures, entry.captured), (1, won(5_000)));
    assert_eq!((entry.refunds, entry.refunded_minor), (2, 5_000));
    let declined = payment(2, "tok_decline");
    provider.capture(ORDER, &declined).await;
    assert_eq!(
        provider.refund(&refund(9, &declined, 5_000)).await,
        NotGivenBack
    );
    let unheard_of = payment(3, "tok_approve");
    assert_eq!(
        provider.refund(&refund(10, &unheard_of, 5_000)).await,
        NotGivenBack
    );
}

pub async fn books_are_read_in_pages(world: &dyn World) {
    let provider = world.provider();
    for number in 1..=5 {
        provider
            .capture(ORDER, &payment(number, "tok_approve"))
            .await;
    }
    let whole = books(&*provider, 100).await;
    assert_eq!(whole.len(), 5);
    for most in [1, 2, 5] {
        assert_eq!(books(&*provider, most).await, whole, "{most} at once");
    }
}

pub async fn asked_by_many_at_once_it_takes_once(world: &dyn World) {
    let provider = world.provider();
    let payment = payment(1, "tok_approve");
    let answers = join_all((0..8).map(|_| provider.capture(ORDER, &payment))).await;
    assert_eq!(answers, [Captured; 8]);
    let refund = refund(7, &payment, 5_000);
    let done = join_all((0..8).map(|_| provider.refund(&refund))).await;
    assert_eq!(done, [GivenBack; 8]);
    let entry = books(&*provider, 10).await[0];
    assert_eq!(
        (entry.captures, entry.refunds, entry.refunded_minor),
        (1, 1, 5_000)
    );
}

pub async fn the_same_shoppers_abandon_everywhere(world: &dyn World) {
    let provider = world.provider();
    let shoppers: Vec<_> = (0..60_u128)
        .map(|number| {
            let id = Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes()).as_u128();
            payment(id, "tok_shopper")
        })
        .collect();
    let asked = shoppers
        .iter()
        .map(|shopper| provider.capture(ORDER, shopper));
    let answers = join_all(asked).await;
    let abandoned = Declined(DeclineReason::Abandoned);
    let left = answers
        .iter()
        .filter(|answer| **answer == abandoned)
        .count();
    let paid = answers.iter().filter(|answer| **answer == Captured).count();
    // By the seed: the same for every implementation.
    assert_eq!((left, paid), (ABANDONED, 60 - ABANDONED));
}

/// Of sixty shoppers by the default seed.
const ABANDONED: usize = 22;

/// The suite as tests, over the world that an expression makes.
macro_rules! provider_suite {
    ($world:expr) => {
        $crate::conformance::provider_suite! { $world =>
            a_token_decides_and_asked_again_it_says_the_same
            what_was_never_asked_for_was_never_received
            a_refund_goes_back_once_and_in_parts
            books_are_read_in_pages
            asked_by_many_at_once_it_takes_once
            the_same_shoppers_abandon_everywhere
        }
    };
    ($world:expr => $($case:ident)*) => {$(
        #[tokio::test]
        async fn $case() {
            let world = $world;
            $crate::conformance::$case(&world).await;
        }
    )*};
}
pub(crate) use provider_suite;
