//! The schemas under `docs/events/` say what is written, and what they show can be read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::wire::message::{decode, encode};
use domain::event::{AccountEvent, Event, ItemEvent, OrderEvent};
use domain::gate::Fingerprint;
use domain::message::{Admission, Draft, DraftLine, Message, OrderRecord, Topic, Verdict};
use domain::order::Rejection;
use domain::stock::Units;
use domain::{
    AccountId, AdmissionId, Currency, EventId, ItemId, Money, OrderId, PaymentId, Quantity,
    RefundId, ReturnId, Timestamp, VerificationId, WishlistEntryId,
};
use serde_json::Value;
use uuid::Uuid;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events")
}

/// Every schema, by its file's name without the ending.
fn schemas() -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let schema = serde_json::from_slice(&std::fs::read(&path).unwrap());
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            schemas.insert(name, schema.unwrap());
        }
    }
    schemas
}

/// What is wrong with a payload, by its schema.
fn errors(schema: &Value, payload: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap();
    let mut errors: Vec<_> = validator
        .iter_errors(payload)
        .map(|error| error.to_string())
        .collect();
    errors.extend(unknown_fields(schema, payload, ""));
    errors
}

/// Fields that the schema does not describe: readers pass them over, writers must not make them up.
fn unknown_fields(schema: &Value, payload: &Value, place: &str) -> Vec<String> {
    match payload {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match schema["properties"].get(name) {
                Some(inner) => unknown_fields(inner, value, &format!("{place}/{name}")),
                None => vec![format!("{place}/{name} is not described")],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| unknown_fields(&schema["items"], item, place))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn topic(name: &str) -> Topic {
    match name.split_once('.').unwrap().0 {
        "order" if name.starts_with("order.accepted.") => Topic::OrderAccepted,
        "order" => Topic::Orders,
        "item" => Topic::Items,
        "account" => Topic::Accounts,
        other => panic!("no topic has {other}"),
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(1_767_225_600_000 + ms).unwrap()
}

/// The variant after this one; without `_`, so that a new one has to be told here.
fn next_order_event(event: &OrderEvent) -> Option<OrderEvent> {
    let (payment, refund, request) = (PaymentId(id(3)), RefundId(id(4)), ReturnId(id(8)));
    Some(match event {
        OrderEvent::Placed { .. } => OrderEvent::Rejected {
            reason: Rejection::OutOfStock,
        },
        OrderEvent::Rejected { reason } => match next_rejection(*reason) {
            Some(reason) => OrderEvent::Rejected { reason },
            None => OrderEvent::PaymentRequested { payment },
        },
        OrderEvent::PaymentRequested { .. } => OrderEvent::PaymentDeclined { payment },
        OrderEvent::PaymentDeclined { .. } => OrderEvent::PaymentFailed { payment },
        OrderEvent::PaymentFailed { .. } => OrderEvent::Paid { payment },
        OrderEvent::Paid { .. } => OrderEvent::CaptureReturned { payment, refund },
        OrderEvent::CaptureReturned { .. } => OrderEvent::Expired,
        OrderEvent::Expired => OrderEvent::Cancelled { refund: None },
        OrderEvent::Cancelled { refund: None } => OrderEvent::Cancelled {
            refund: Some(refund),
        },
        OrderEvent::Cancelled { refund: Some(_) } => OrderEvent::LinesCancelled { refund: None },
        OrderEvent::LinesCancelled { refund: None } => OrderEvent::LinesCancelled {
            refund: Some(refund),
        },
        OrderEvent::LinesCancelled { refund: Some(_) } => OrderEvent::Dispatched,
        OrderEvent::Dispatched => OrderEvent::Delivered,
        OrderEvent::Delivered => OrderEvent::ReturnRequested { request },
        OrderEvent::ReturnRequested { .. } => OrderEvent::ReturnRejected { request },
        OrderEvent::ReturnRejected { .. } => OrderEvent::ReturnCompleted {
            request,
            refund: None,
        },
        OrderEvent::ReturnCompleted { refund: None, .. } => OrderEvent::ReturnCompleted {
            request,
            refund: Some(refund),
        },
        OrderEvent::ReturnCompleted {
            refund: Some(_), ..
        } => OrderEvent::RefundRequested { refund },
        OrderEvent::RefundRequested { .. } => OrderEvent::Refunded { refund },
        OrderEvent::Refunded { .. } => return None,
    })
}

fn next_rejection(rejection: Rejection) -> Option<Rejection> {
    match rejection {
        Rejection::OutOfStock => Some(Rejection::PurchaseLimit),
        Rejection::PurchaseLimit => Some(Rejection::Withdrawn),
        Rejection::Withdrawn => Some(Rejection::UnknownItem),
        Rejection::UnknownItem => Some(Rejection::Inconsistent),
        Rejection::Inconsistent => None,
    }
}

fn next_item_event(event: ItemEvent) -> Option<ItemEvent> {
    match event {
        ItemEvent::Created => Some(ItemEvent::Edited),
        ItemEvent::Edited => Some(ItemEvent::Restocked),
        ItemEvent::Restocked => Some(ItemEvent::Scheduled),
        ItemEvent::Scheduled => None,
    }
}

fn next_verdict(verdict: Verdict) -> Option<Verdict> {
    match verdict {
        Verdict::Accepted => Some(Verdict::Withdrawn),
        Verdict::Withdrawn => Some(Verdict::Void),
        Verdict::Void => None,
    }
}

fn record(verdict: Verdict) -> Message {
    let won = Currency::from_code("KRW").unwrap();
    let amount = |minor| Money {
        minor,
        currency: won,
    };
    let line = |item| DraftLine {
        item: ItemId(id(item)),
        quantity: Quantity::new(2).unwrap(),
        unit_price: amount(12_300),
    };
    let admission = |number, item| Admission {
        id: AdmissionId(id(number)),
        units: vec![Units {
            item: ItemId(id(item)),
            count: 2,
        }],
    };
    Message::Order(OrderRecord {
        draft: Arc::new(Draft {
            order: OrderId(id(1)),
            buyer: AccountId(id(2)),
            fingerprint: Fingerprint(7),
            lines: vec![line(5), line(6)],
            total: amount(49_200),
            accepted_at: at(0),
            wishlist_entries: vec![WishlistEntryId(id(10)), WishlistEntryId(id(11))],
        }),
        admissions: vec![admission(8, 5), admission(9, 6)],
        verdict,
    })
}

/// Every message there can be, one of each kind.
fn messages() -> Vec<Message> {
    let order_event = |happened| Event::of_order(OrderId(id(2)), 3, at(1), happened);
    let placed = OrderEvent::Placed {
        expires_at: at(300_000),
    };
    let order_events = std::iter::successors(Some(placed), next_order_event).map(order_event);
    let item_event = |happened| Event::of_item(ItemId(id(2)), 3, at(1), happened);
    let item_events =
        std::iter::successors(Some(ItemEvent::Created), |event| next_item_event(*event))
            .map(item_event);
    let account_event =
        |happened| Event::of_account(EventId(id(1)), AccountId(id(2)), at(1), happened);
    let account_events = [
        AccountEvent::PasswordChanged,
        AccountEvent::SecondFactorSet { on: true },
        AccountEvent::SecondFactorSet { on: false },
    ];
    let proof = Event::verification_requested(VerificationId(id(2)), at(1));
    let records = std::iter::successors(Some(Verdict::Accepted), |last| next_verdict(*last));
    order_events
        .chain(item_events)
        .chain(account_events.map(account_event))
        .chain([proof])
        .map(Message::Event)
        .chain(records.map(record))
        .collect()
}

#[test]
fn every_message_is_as_its_schema_says() {
    let schemas = schemas();
    let mut unused: Vec<_> = schemas.keys().cloned().collect();
    for message in messages() {
        let payload: Value = serde_json::from_slice(&encode(&message).unwrap().1).unwrap();
        let kind = payload["type"].as_str().unwrap_or("order.accepted");
        let name = format!("{kind}.v{}", payload["v"]);
        let schema = schemas.get(&name);
        let schema = schema.unwrap_or_else(|| panic!("there is no docs/events/{name}.json"));
        assert_eq!(errors(schema, &payload), [""; 0], "{name}: {payload}");
        assert_eq!(topic(&name), message.topic());
        unused.retain(|other| *other != name);
    }
    assert_eq!(unused, [""; 0], "schemas of what nobody writes");
}

#[test]
fn every_example_can_be_read_and_is_written_the_same() {
    for (name, schema) in schemas() {
        let examples = schema["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            assert_eq!(errors(&schema, example), [""; 0], "{name}: {example}");
            let bytes = serde_json::to_vec(example).unwrap();
            let message = decode(topic(&name), &bytes);
            let message = message.unwrap_or_else(|error| panic!("{name}: {error}"));
            let again: Value = serde_json::from_slice(&encode(&message).unwrap().1).unwrap();
            assert_eq!(again, *example, "{name}");
        }
    }
}

#[test]
fn a_payload_that_differs_is_noticed() {
    let schemas = schemas();
    let schema = &schemas["order.paid.v1"];
    let good = schema["examples"][0].clone();
    for (field, value) in [
        ("payment", Value::Null),
        ("subject", "not an id".into()),
        ("version", "3".into()),
        ("type", "order.placed".into()),
        ("e_mail", "kim@example.com".into()),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_ne!(errors(schema, &bad), [""; 0], "{field}");
    }
    let mut without = good;
    without.as_object_mut().unwrap().remove("payment");
    assert_ne!(errors(schema, &without), [""; 0]);
}
