//! Events as JSON, in the outbox and in the log.
//!
//! One flat object: `v` (the version), `id`, `at` (epoch milliseconds), `type` (dotted, past
//! tense), `subject` (the order, item or verification it is about), and what else the type has.

use domain::event::{Event, ItemEvent, OrderEvent, What};
use domain::{EventId, ItemId, OrderId, PaymentId, RefundId, VerificationId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::wire::{NotAMessage, WireId, instant, read};
use crate::words::Word;

/// The version that is written. A field that is added does not raise it; one that changes its
/// meaning does.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct EventWire<'a> {
    v: u32,
    id: WireId,
    at: i64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    subject: WireId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<WireId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund: Option<WireId>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    reason: Option<Cow<'a, str>>,
}

/// The JSON of an event.
///
/// # Errors
/// None in practice: every event can be written.
pub fn encode(event: &Event) -> Result<String, NotAMessage> {
    let wire = match &event.what {
        What::Order {
            order,
            version,
            happened,
        } => of_order(bare(event, order.0, Some(*version)), happened),
        What::Item {
            item,
            version,
            happened,
        } => {
            let kind = match happened {
                ItemEvent::Created => "item.created",
                ItemEvent::Edited => "item.edited",
                ItemEvent::Restocked => "item.restocked",
                ItemEvent::Scheduled => "item.scheduled",
            };
            EventWire {
                kind: kind.into(),
                ..bare(event, item.0, Some(*version))
            }
        }
        What::VerificationRequested { verification } => EventWire {
            kind: "account.verification_requested".into(),
            ..bare(event, verification.0, None)
        },
    };
    serde_json::to_string(&wire).map_err(|error| NotAMessage(error.to_string()))
}

fn bare(event: &Event, subject: uuid::Uuid, version: Option<i64>) -> EventWire<'static> {
    EventWire {
        v: VERSION,
        id: WireId(event.id.0),
        at: event.at.timestamp_millis(),
        kind: Cow::Borrowed(""),
        subject: WireId(subject),
        version,
        expires_at: None,
        payment: None,
        refund: None,
        reason: None,
    }
}

fn of_order<'a>(bare: EventWire<'a>, happened: &OrderEvent) -> EventWire<'a> {
    let paying = |kind: &'static str, payment: &PaymentId| (kind, Some(WireId(payment.0)), None);
    let (kind, payment, refund) = match happened {
        OrderEvent::Placed { expires_at } => {
            let expires_at = Some(expires_at.timestamp_millis());
            return EventWire {
                kind: "order.placed".into(),
                expires_at,
                ..bare
            };
        }
        OrderEvent::Rejected { reason } => {
            let reason = Some(reason.word().into());
            return EventWire {
                kind: "order.rejected".into(),
                reason,
                ..bare
            };
        }
        OrderEvent::PaymentRequested { payment } => paying("order.payment_requested", payment),
        OrderEvent::PaymentDeclined { payment } => paying("order.payment_declined", payment),
        OrderEvent::PaymentFailed { payment } => paying("order.payment_failed", payment),
        OrderEvent::Paid { payment } => paying("order.paid", payment),
        OrderEvent::CaptureReturned { payment, refund } => (
            "order.capture_returned",
            Some(WireId(payment.0)),
            Some(WireId(refund.0)),
        ),
        OrderEvent::Expired => ("order.expired", None, None),
        OrderEvent::Cancelled { refund } => (
            "order.cancelled",
            None,
            refund.map(|refund| WireId(refund.0)),
        ),
        OrderEvent::Dispatched => ("order.dispatched", None, None),
        OrderEvent::Delivered => ("order.delivered", None, None),
        OrderEvent::Refunded { refund } => ("order.refunded", None, Some(WireId(refund.0))),
    };
    EventWire {
        kind: kind.into(),
        payment,
        refund,
        ..bare
    }
}

/// The event of a JSON.
///
/// # Errors
/// Not JSON, another version, a type nobody knows, or a field its type needs is missing.
pub fn decode(json: &[u8]) -> Result<Event, NotAMessage> {
    let wire: EventWire<'_> = read(json)?;
    if wire.v != VERSION {
        return Err(NotAMessage(format!("an event of version {}", wire.v)));
    }
    let what = match wire.kind.split_once('.') {
        Some(("order", kind)) => What::Order {
            order: OrderId(wire.subject.0),
            version: needed(wire.version, "version")?,
            happened: order_event(kind, &wire)?,
        },
        Some(("item", kind)) => What::Item {
            item: ItemId(wire.subject.0),
            version: needed(wire.version, "version")?,
            happened: item_event(kind)?,
        },
        Some(("account", "verification_requested")) => What::VerificationRequested {
            verification: VerificationId(wire.subject.0),
        },
        _ => return Err(NotAMessage::because("an event of an unknown type")),
    };
    Ok(Event {
        id: EventId(wire.id.0),
        at: instant(wire.at)?,
        what,
        trace: None,
    })
}

fn order_event(kind: &str, wire: &EventWire<'_>) -> Result<OrderEvent, NotAMessage> {
    let payment = || needed(wire.payment, "payment").map(|id| PaymentId(id.0));
    let refund = || needed(wire.refund, "refund").map(|id| RefundId(id.0));
    Ok(match kind {
        "placed" => OrderEvent::Placed {
            expires_at: instant(needed(wire.expires_at, "expires_at")?)?,
        },
        "rejected" => {
            let word = wire.reason.as_deref().and_then(Word::from_word);
            OrderEvent::Rejected {
                reason: needed(word, "reason")?,
            }
        }
        "payment_requested" => OrderEvent::PaymentRequested {
            payment: payment()?,
        },
        "payment_declined" => OrderEvent::PaymentDeclined {
            payment: payment()?,
        },
        "payment_failed" => OrderEvent::PaymentFailed {
            payment: payment()?,
        },
        "paid" => OrderEvent::Paid {
            payment: payment()?,
        },
        "capture_returned" => OrderEvent::CaptureReturned {
            payment: payment()?,
            refund: refund()?,
        },
        "expired" => OrderEvent::Expired,
        "cancelled" => OrderEvent::Cancelled {
            refund: wire.refund.map(|id| RefundId(id.0)),
        },
        "dispatched" => OrderEvent::Dispatched,
        "delivered" => OrderEvent::Delivered,
        "refunded" => OrderEvent::Refunded { refund: refund()? },
        _ => return Err(NotAMessage::because("an order's event of an unknown type")),
    })
}

fn item_event(kind: &str) -> Result<ItemEvent, NotAMessage> {
    match kind {
        "created" => Ok(ItemEvent::Created),
        "edited" => Ok(ItemEvent::Edited),
        "restocked" => Ok(ItemEvent::Restocked),
        "scheduled" => Ok(ItemEvent::Scheduled),
        _ => Err(NotAMessage::because("an item's event of an unknown type")),
    }
}

fn needed<T>(value: Option<T>, field: &str) -> Result<T, NotAMessage> {
    value.ok_or_else(|| NotAMessage(format!("an event without its {field}")))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::order::Rejection;
    use uuid::Uuid;

    use super::*;

    /// What each event is as JSON, but for `v`, `id`, `at` and `subject`. A line that has to change
    /// is a record that older programs can't read.
    const LINES: [(&str, OrderEvent); 13] = [
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
}
