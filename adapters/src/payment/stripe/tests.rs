//! What Stripe says, by recorded shapes; and what we say, to `stripe-mock`.

mod mock;

use std::collections::HashMap;
use std::sync::Mutex;

use domain::payment::{PaymentMethod, PaymentState, RefundReason};
use domain::{Currency, Money, RefundId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answers::{is_given_back, is_in_vain, next, not_made};
use super::shapes::Failure;
use super::*;
use crate::clock::ManualClock;

const HOUR: u64 = 3_600_000;

fn now() -> Timestamp {
    "2026-05-04T03:00:00Z".parse().unwrap()
}

/// References in memory.
#[derive(Default)]
struct Kept(Mutex<HashMap<PaymentId, String>>);

#[async_trait]
impl References for Kept {
    async fn remember(&self, payment: PaymentId, reference: &str) -> Result<(), Fault> {
        let mut kept = self.0.lock().unwrap();
        kept.entry(payment).or_insert_with(|| reference.to_owned());
        Ok(())
    }

    async fn recall(&self, payment: PaymentId) -> Result<Option<String>, Fault> {
        Ok(self.0.lock().unwrap().get(&payment).cloned())
    }
}

fn provider(url: &str, clock: &Arc<ManualClock>) -> StripeProvider {
    let settings = StripeSettings {
        url: url.to_owned(),
        secret_key: Secret::of("sk_test_x"),
        webhook_secret: Some(Secret::of("whsec_x")),
        key_life: Duration::from_hours(24),
        timeout: Duration::from_secs(10),
    };
    let made = StripeProvider::new(settings, Arc::<Kept>::default(), clock.clone());
    made.map_err(|fault| fault.detail()).unwrap()
}

fn payment(number: u128, code: &str, minor: i64) -> Payment {
    let currency = Currency::from_code(code).unwrap();
    Payment {
        id: PaymentId(Uuid::from_u128(number)),
        attempt: 1,
        method: PaymentMethod("pm_card_visa".to_owned()),
        amount: Money { minor, currency },
        requested_at: now(),
        state: PaymentState::Requested,
    }
}

fn refund(payment: &Payment, minor: i64) -> Refund {
    Refund {
        id: RefundId(Uuid::from_u128(70)),
        payment: payment.id,
        amount: Money {
            minor,
            ..payment.amount
        },
        reason: RefundReason::Cancelled,
        requested_at: now(),
        completed_at: None,
    }
}

fn intent(change: &Value) -> Intent {
    let mut intent: Value =
        serde_json::from_str(include_str!("fixtures/intent_requires_capture.json")).unwrap();
    for (key, value) in change.as_object().unwrap() {
        intent[key] = value.clone();
    }
    serde_json::from_value(intent).unwrap()
}

#[test]
fn where_an_intent_stands_says_what_to_do() {
    use CaptureAnswer::{Captured, Declined};
    let granted = intent(&json!({}));
    assert_eq!(next(&granted), Next::Capture);
    assert_eq!(
        granted.metadata.payment(),
        Some(PaymentId(Uuid::from_u128(7)))
    );
    let refused = Next::Answer(Declined(DeclineReason::Refused));
    for (change, expected) in [
        (json!({ "status": "succeeded" }), Next::Answer(Captured)),
        (json!({ "status": "requires_action" }), Next::Cancel),
        (json!({ "status": "requires_confirmation" }), Next::Cancel),
        (json!({ "status": "requires_payment_method" }), refused),
        (json!({ "status": "canceled" }), refused),
        (
            json!({ "status": "canceled", "cancellation_reason": "abandoned" }),
            Next::Answer(Declined(DeclineReason::Abandoned)),
        ),
        (json!({ "status": "processing" }), Next::LookAgain),
        (json!({ "status": "requires_thought" }), Next::LookAgain),
    ] {
        assert_eq!(next(&intent(&change)), expected, "{change}");
    }
}

#[test]
fn only_a_plain_no_is_a_no() {
    let answer = |text: &str| {
        let Failure { error } = serde_json::from_str(text).unwrap();
        not_made(&error)
    };
    for (text, expected) in [
        (
            include_str!("fixtures/card_declined.json"),
            CaptureAnswer::Declined(DeclineReason::Refused),
        ),
        (
            include_str!("fixtures/no_such_method.json"),
            CaptureAnswer::Declined(DeclineReason::UnknownMethod),
        ),
        (
            include_str!("fixtures/amount_too_small.json"),
            CaptureAnswer::Declined(DeclineReason::Refused),
        ),
        (
            include_str!("fixtures/key_in_use.json"),
            CaptureAnswer::Unknown,
        ),
        (r#"{"error":{"type":"api_error"}}"#, CaptureAnswer::Unknown),
    ] {
        assert_eq!(answer(text), expected, "{text}");
    }
}

#[test]
fn a_log_line_says_what_sort_of_no_and_nothing_else() {
    let Failure { error } =
        serde_json::from_str(include_str!("fixtures/card_declined.json")).unwrap();
    assert_eq!(error.said(), "card_error card_declined generic_decline");
}

#[test]
fn books_are_read_in_our_units_and_without_others_payments() {
    let page: List<Intent> =
        serde_json::from_str(include_str!("fixtures/list_of_intents.json")).unwrap();
    assert!(page.has_more);
    let entries: Vec<_> = page.data.iter().filter_map(answers::entry).collect();
    let figures = entries.iter().map(|entry| {
        let captured = (entry.captured.minor, entry.captured.currency.code());
        (
            captured,
            entry.captures,
            entry.refunds,
            entry.refunded_minor,
        )
    });
    let figures: Vec<_> = figures.collect();
    assert_eq!(
        figures,
        [((9_900, "UGX"), 1, 2, 2_500), ((1_250, "GBP"), 0, 0, 0)]
    );
}

#[test]
fn a_refund_is_done_when_it_says_so() {
    let refund = |status: &str| {
        let text = json!({ "id": "re_1", "status": status, "metadata": {} }).to_string();
        let refund: StripeRefund = serde_json::from_str(&text).unwrap();
        (is_given_back(&refund), is_in_vain(&refund))
    };
    assert_eq!(refund("succeeded"), (true, false));
    assert_eq!(refund("pending"), (false, false));
    assert_eq!(refund("failed"), (false, true));
    assert_eq!(refund("canceled"), (false, true));
}

#[tokio::test]
async fn a_notice_is_heard_when_it_is_signed_and_an_end() {
    let clock = Arc::new(ManualClock::new(now()));
    let provider = provider("http://127.0.0.1:1", &clock);
    let succeeded = include_bytes!("fixtures/event_succeeded.json").as_slice();
    let hear = async |body: &[u8], secret: &str| {
        let signature = signature::sign(secret, body, now()).unwrap();
        let notice = Notice {
            body,
            signature: &signature,
        };
        provider.hear(&notice).await
    };
    let heard = hear(succeeded, "whsec_x").await;
    let expected = Heard::Settled {
        payment: PaymentId(Uuid::from_u128(7)),
        known_as: ProviderReference("pi_3Recorded0001".to_owned()),
    };
    assert!(matches!(heard, Ok(heard) if heard == expected));
    let forged = hear(succeeded, "whsec_y").await;
    assert!(matches!(forged, Err(NoticeRefused::Signature)));
    let nonsense = hear(b"{}", "whsec_x").await;
    assert!(matches!(nonsense, Err(NoticeRefused::Unreadable)));
    let other = br#"{"type":"customer.created","data":{"object":{"id":"cus_1"}}}"#;
    assert!(matches!(hear(other, "whsec_x").await, Ok(Heard::Nothing)));
    let old = signature::sign("whsec_x", succeeded, now()).unwrap();
    clock.advance_ms(301_000);
    let notice = Notice {
        body: succeeded,
        signature: &old,
    };
    let late = provider.hear(&notice).await;
    assert!(matches!(late, Err(NoticeRefused::Signature)));
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let clock = Arc::new(ManualClock::new(now()));
    let provider = provider("http://127.0.0.1:1", &clock);
    let order = OrderId(Uuid::from_u128(1));
    let paid = payment(1, "KRW", 5_000);
    assert_eq!(provider.capture(order, &paid).await, CaptureAnswer::Unknown);
    clock.advance_ms(48 * HOUR);
    assert_eq!(provider.look_up(&paid, None).await, CaptureAnswer::Unknown);
    let answer = provider.refund(&refund(&paid, 5_000)).await;
    assert_eq!(answer, RefundAnswer::Unknown);
    assert!(provider.statement(None, 10).await.is_err());
    // What can't be written is never sent.
    let declined = CaptureAnswer::Declined(DeclineReason::Refused);
    assert_eq!(
        provider.capture(order, &payment(2, "KWD", 5_001)).await,
        declined
    );
}
