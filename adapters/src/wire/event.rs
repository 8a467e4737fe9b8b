//! Events as JSON, in the outbox and in the log.
//!
//! One flat object: `v` (the version), `id`, `at` (epoch milliseconds), `type` (dotted, past
//! tense), `subject` (the order, item, account or verification it is about), and what else the type
//! has.

use domain::event::{AccountEvent, Event, ItemEvent, OrderEvent, What};
use domain::{AccountId, EventId, ItemId, OrderId, PaymentId, RefundId, ReturnId, VerificationId};
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
    #[serde(rename = "return", default, skip_serializing_if = "Option::is_none")]
    request: Option<WireId>,
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
        What::Account { account, happened } => {
            let kind = match happened {
                AccountEvent::PasswordChanged => "account.password_changed",
                AccountEvent::SecondFactorSet { on: true } => "account.second_factor_on",
                AccountEvent::SecondFactorSet { on: false } => "account.second_factor_off",
            };
            EventWire {
                kind: kind.into(),
                ..bare(event, account.0, None)
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
        request: None,
        reason: None,
    }
}

fn of_order<'a>(bare: EventWire<'a>, happened: &OrderEvent) -> EventWire<'a> {
    let mut wire = bare;
    wire.kind = kind(happened).into();
    wire.refund = happened.refund_asked().map(|refund| WireId(refund.0));
    match happened {
        OrderEvent::Placed { expires_at } => {
            wire.expires_at = Some(expires_at.timestamp_millis());
        }
        OrderEvent::Rejected { reason } => wire.reason = Some(reason.word().into()),
        OrderEvent::PaymentRequested { payment }
        | OrderEvent::PaymentDeclined { payment }
        | OrderEvent::PaymentFailed { payment }
        | OrderEvent::Paid { payment }
        | OrderEvent::CaptureReturned { payment, .. } => wire.payment = Some(WireId(payment.0)),
        OrderEvent::ReturnRequested { request }
        | OrderEvent::ReturnRejected { request }
        | OrderEvent::ReturnCompleted { request, .. } => wire.request = Some(WireId(request.0)),
        OrderEvent::Refunded { refund } => wire.refund = Some(WireId(refund.0)),
        OrderEvent::Expired
        | OrderEvent::Cancelled { .. }
        | OrderEvent::LinesCancelled { .. }
        | OrderEvent::Dispatched
        | OrderEvent::Delivered
        | OrderEvent::RefundRequested { .. } => {}
    }
    wire
}

/// The type of an order's event.
fn kind(happened: &OrderEvent) -> &'static str {
    match happened {
        OrderEvent::Placed { .. } => "order.placed",
        OrderEvent::Rejected { .. } => "order.rejected",
        OrderEvent::PaymentRequested { .. } => "order.payment_requested",
        OrderEvent::PaymentDeclined { .. } => "order.payment_declined",
        OrderEvent::PaymentFailed { .. } => "order.payment_failed",
        OrderEvent::Paid { .. } => "order.paid",
        OrderEvent::CaptureReturned { .. } => "order.capture_returned",
        OrderEvent::Expired => "order.expired",
        OrderEvent::Cancelled { .. } => "order.cancelled",
        OrderEvent::LinesCancelled { .. } => "order.lines_cancelled",
        OrderEvent::Dispatched => "order.dispatched",
        OrderEvent::Delivered => "order.delivered",
        OrderEvent::ReturnRequested { .. } => "order.return_requested",
        OrderEvent::ReturnRejected { .. } => "order.return_rejected",
        OrderEvent::ReturnCompleted { .. } => "order.return_completed",
        OrderEvent::RefundRequested { .. } => "order.refund_requested",
        OrderEvent::Refunded { .. } => "order.refunded",
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
        Some(("account", kind)) => What::Account {
            account: AccountId(wire.subject.0),
            happened: account_event(kind)?,
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

fn account_event(kind: &str) -> Result<AccountEvent, NotAMessage> {
    Ok(match kind {
        "password_changed" => AccountEvent::PasswordChanged,
        "second_factor_on" => AccountEvent::SecondFactorSet { on: true },
        "second_factor_off" => AccountEvent::SecondFactorSet { on: false },
        _ => return Err(NotAMessage::because("an event of an unknown type")),
    })
}

fn order_event(kind: &str, wire: &EventWire<'_>) -> Result<OrderEvent, NotAMessage> {
    let payment = || needed(wire.payment, "payment").map(|id| PaymentId(id.0));
    let refund = || needed(wire.refund, "refund").map(|id| RefundId(id.0));
    let refund_if_any = wire.refund.map(|id| RefundId(id.0));
    let request = || needed(wire.request, "return").map(|id| ReturnId(id.0));
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
            refund: refund_if_any,
        },
        "lines_cancelled" => OrderEvent::LinesCancelled {
            refund: refund_if_any,
        },
        "dispatched" => OrderEvent::Dispatched,
        "delivered" => OrderEvent::Delivered,
        "return_requested" => OrderEvent::ReturnRequested {
            request: request()?,
        },
        "return_rejected" => OrderEvent::ReturnRejected {
            request: request()?,
        },
        "return_completed" => OrderEvent::ReturnCompleted {
            request: request()?,
            refund: refund_if_any,
        },
        "refund_requested" => OrderEvent::RefundRequested { refund: refund()? },
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
mod tests;
