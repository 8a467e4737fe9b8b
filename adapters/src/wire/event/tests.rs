use domain::Timestamp;
use domain::order::Rejection;
use uuid::Uuid;

use super::*;

/// What each event is as JSON, but for `v`, `id`, `at` and `subject`. A line that has to change
/// is a record that older programs can't read.
const LINES: [(&str, OrderEvent); 19] = [
    (
        r#""type":"order.placed","version":7,"expires_at":120000"#,
        OrderEvent::Placed {
            expires_at: at(120_000),
        },
    ),
    (
        r#""type":"order.rejected","version":7,"reason":"OUT_OF_STOCK""#,
        OrderEvent::Rejected {
            reason: Rejection::OutOfStock,
        },
    ),
    (
        r#""type":"order.payment_requested","version":7,"payment":"00000000-0000-0000-0000-000000000003""#,
        OrderEvent::PaymentRequested { payment: PAYMENT },
    ),
    (
        r#""type":"order.payment_declined","version":7,"payment":"00000000-0000-0000-0000-000000000003""#,
        OrderEvent::PaymentDeclined { payment: PAYMENT },
    ),
    (
        r#""type":"order.payment_failed","version":7,"payment":"00000000-0000-0000-0000-000000000003""#,
        OrderEvent::PaymentFailed { payment: PAYMENT },
    ),
    (
        r#""type":"order.paid","version":7,"payment":"00000000-0000-0000-0000-000000000003""#,
        OrderEvent::Paid { payment: PAYMENT },
    ),
    (
        r#""type":"order.capture_returned","version":7,"payment":"00000000-0000-0000-0000-000000000003","refund":"00000000-0000-0000-0000-000000000004""#,
        OrderEvent::CaptureReturned {
            payment: PAYMENT,
            refund: REFUND,
        },
    ),
    (r#""type":"order.expired","version":7"#, OrderEvent::Expired),
    (
        r#""type":"order.cancelled","version":7"#,
        OrderEvent::Cancelled { refund: None },
    ),
    (
        r#""type":"order.cancelled","version":7,"refund":"00000000-0000-0000-0000-000000000004""#,
        OrderEvent::Cancelled {
            refund: Some(REFUND),
        },
    ),
    (
        r#""type":"order.lines_cancelled","version":7"#,
        OrderEvent::LinesCancelled { refund: None },
    ),
    (
        r#""type":"order.lines_cancelled","version":7,"refund":"00000000-0000-0000-0000-000000000004""#,
        OrderEvent::LinesCancelled {
            refund: Some(REFUND),
        },
    ),
    (
        r#""type":"order.return_requested","version":7,"return":"00000000-0000-0000-0000-000000000008""#,
        OrderEvent::ReturnRequested { request: RETURN },
    ),
    (
        r#""type":"order.return_rejected","version":7,"return":"00000000-0000-0000-0000-000000000008""#,
        OrderEvent::ReturnRejected { request: RETURN },
    ),
    (
        r#""type":"order.return_completed","version":7,"refund":"00000000-0000-0000-0000-000000000004","return":"00000000-0000-0000-0000-000000000008""#,
        OrderEvent::ReturnCompleted {
            request: RETURN,
            refund: Some(REFUND),
        },
    ),
    (
        r#""type":"order.refund_requested","version":7,"refund":"00000000-0000-0000-0000-000000000004""#,
        OrderEvent::RefundRequested { refund: REFUND },
    ),
    (
        r#""type":"order.dispatched","version":7"#,
        OrderEvent::Dispatched,
    ),
    (
        r#""type":"order.delivered","version":7"#,
        OrderEvent::Delivered,
    ),
    (
        r#""type":"order.refunded","version":7,"refund":"00000000-0000-0000-0000-000000000004""#,
        OrderEvent::Refunded { refund: REFUND },
    ),
];
const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(3));
const REFUND: RefundId = RefundId(Uuid::from_u128(4));
const RETURN: ReturnId = ReturnId(Uuid::from_u128(8));

const fn at(ms: i64) -> Timestamp {
    match Timestamp::from_timestamp_millis(ms) {
        Some(at) => at,
        None => panic!("an impossible instant"),
    }
}

fn check(line: &str, event: &Event) {
    let (kind, rest) = line.split_once(',').unwrap_or((line, ""));
    let id = event.id.0;
    let subject = event.key();
    let comma = if rest.is_empty() { "" } else { "," };
    let json =
        format!(r#"{{"v":1,"id":"{id}","at":1500,{kind},"subject":"{subject}"{comma}{rest}}}"#);
    assert_eq!(encode(event).unwrap(), json);
    assert_eq!(decode(json.as_bytes()).unwrap(), *event);
}

#[test]
fn every_event_is_written_as_it_always_was() {
    for (line, happened) in LINES {
        let order = OrderId(Uuid::from_u128(2));
        check(line, &Event::of_order(order, 7, at(1500), happened));
    }
    let item = ItemId(Uuid::from_u128(5));
    for (line, happened) in [
        (r#""type":"item.created","version":1"#, ItemEvent::Created),
        (r#""type":"item.edited","version":1"#, ItemEvent::Edited),
        (
            r#""type":"item.restocked","version":1"#,
            ItemEvent::Restocked,
        ),
        (
            r#""type":"item.scheduled","version":1"#,
            ItemEvent::Scheduled,
        ),
    ] {
        check(line, &Event::of_item(item, 1, at(1500), happened));
    }
    let verification = VerificationId(Uuid::from_u128(6));
    check(
        r#""type":"account.verification_requested""#,
        &Event::verification_requested(verification, at(1500)),
    );
}

#[test]
fn fields_of_later_versions_are_passed_over() {
    let event = Event::verification_requested(VerificationId(Uuid::from_u128(6)), at(1500));
    let json = encode(&event)
        .unwrap()
        .replace("\"v\":1", "\"v\":1,\"new\":{\"a\":[1]}");
    assert_eq!(decode(json.as_bytes()).unwrap(), event);
}

#[test]
fn what_is_no_event_says_why_without_its_content() {
    let event = Event::of_order(
        OrderId(Uuid::from_u128(2)),
        7,
        at(1500),
        OrderEvent::Expired,
    );
    let good = encode(&event).unwrap();
    for (from, to, why) in [
        ("{", "secret", "Syntax"),
        ("\"v\":1", "\"v\":2", "version 2"),
        ("order.expired", "order.vanished", "unknown type"),
        ("order.expired", "order.paid", "without its payment"),
        ("\"version\":7", "\"x\":7", "without its version"),
        (
            "\"at\":1500",
            "\"at\":9223372036854775807",
            "impossible instant",
        ),
    ] {
        let refused = decode(good.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(why), "{refused} should say {why}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}
