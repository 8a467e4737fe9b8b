//! Payments as the provider talks of them.

use domain::PaymentId;
use futures_util::future::join_all;
use uuid::Uuid;

use super::bench::{Bench, LONG, declined, pay, placed};

pub async fn the_order_of_a_payment_is_found(bench: Bench) {
    let (_, order) = placed(&bench, 1, LONG).await;
    let order = bench.done(&pay(&order, 1)).await;
    let [again, _] = declined(&order, 1);
    let order = bench.done(&again).await;
    let order = bench.done(&pay(&order, 2)).await;
    for payment in &order.payments {
        let found = bench.orders.order_of_payment(payment.id).await.unwrap();
        assert_eq!(found, Some(order.id));
    }
    let strange = PaymentId(Uuid::from_u128(99));
    let found = bench.orders.order_of_payment(strange).await.unwrap();
    assert_eq!(found, None);
}

pub async fn what_a_provider_calls_a_payment_is_kept(bench: Bench) {
    let references = &bench.references;
    let [one, other] = [1, 2].map(|number| PaymentId(Uuid::from_u128(number)));
    assert_eq!(references.recall(one).await.unwrap(), None);
    // Whoever comes first, the name is there for all of them.
    let kept = join_all((0..8).map(|_| references.remember(one, "pi_one"))).await;
    assert!(kept.iter().all(Result::is_ok), "{kept:?}");
    references.remember(one, "pi_another").await.unwrap();
    references.remember(other, "pi_other").await.unwrap();
    let recalled = references.recall(one).await.unwrap();
    assert_eq!(recalled.as_deref(), Some("pi_one"));
    let recalled = references.recall(other).await.unwrap();
    assert_eq!(recalled.as_deref(), Some("pi_other"));
}
