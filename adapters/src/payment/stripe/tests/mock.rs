//! Our requests before Stripe's own description of its API: `stripe-mock` refuses what that does not
//! know, of another version too. It is built where there is a Go toolchain; elsewhere nothing is
//! known, and `cargo xtask test` says so.

use super::*;
use xtask::services::StripeMock;

/// Done, or what was said.
fn taken<T>(answer: Result<T, Failed>) -> T {
    match answer {
        Ok(answer) => answer,
        Err(Failed::Unknown) => panic!("no answer to go by"),
        Err(Failed::Refused(error)) => panic!("refused: {}", error.said()),
    }
}

#[tokio::test]
async fn stripes_own_description_takes_every_request() {
    if !StripeMock::is_at_hand() {
        eprintln!("not run: no Go toolchain is here to build stripe-mock");
        return;
    }
    let mock = tokio::task::spawn_blocking(StripeMock::launch)
        .await
        .unwrap();
    let mock = mock.unwrap_or_else(|failure| panic!("{failure}"));
    let clock = Arc::new(ManualClock::new(now()));
    let provider = provider(&mock.url(), &clock);
    let (order, payment) = (OrderId(Uuid::from_u128(1)), payment(7, "KRW", 5_000));

    let made = provider.make(order, &payment).await;
    let made = made.unwrap_or_else(|answer| panic!("{answer:?}"));
    assert_eq!((made.amount, made.currency.as_str()), (5_000, "krw"));
    for step in ["capture", "cancel"] {
        let done: Result<Intent, _> = provider.api.post(&[INTENTS, "pi_1", step], step, &[]).await;
        taken(done);
    }
    assert!(provider.intent("pi_1").await.is_some());
    // Nothing of it is ours, so nothing is found.
    assert!(taken(provider.find(payment.id, None).await).is_none());
    let back = refund(&payment, 1_000);
    assert!(taken(provider.refund_of("pi_1", &back).await).is_none());
    let asked = taken(provider.ask_back("pi_1", &back).await);
    assert!(asked.is_some_and(|refund| is_given_back(&refund)));
    let page = provider.statement(None, 10).await;
    let page = page.map_err(|fault| fault.detail()).unwrap();
    assert_eq!((page.entries.len(), page.next), (0, None));
    let after = StatementCursor("pi_1".to_owned());
    assert!(provider.statement(Some(&after), 1_000).await.is_ok());
}
