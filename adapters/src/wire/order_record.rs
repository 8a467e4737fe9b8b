//! Accepted orders as JSON, from the gate to the order writer.

use std::sync::Arc;

use domain::gate::Fingerprint;
use domain::message::{Admission, Draft, DraftLine, OrderRecord, Verdict};
use domain::stock::Units;
use domain::{AccountId, AdmissionId, Currency, ItemId, Money, OrderId, Quantity, WishlistEntryId};
use serde::{Deserialize, Serialize};

use super::{NotAMessage, WireId, instant, read};

/// The version that is written. A field that is added does not raise it; one that changes its
/// meaning does.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct RecordWire {
    v: u32,
    verdict: VerdictWire,
    order: WireId,
    buyer: WireId,
    /// 128 bits, hexadecimal: a JSON number would lose some.
    fingerprint: String,
    /// Epoch milliseconds.
    accepted_at: i64,
    currency: String,
    /// Minor units.
    total: i64,
    lines: Vec<LineWire>,
    /// Most orders are made from none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wishlist_entries: Vec<WireId>,
    admissions: Vec<AdmissionWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VerdictWire {
    Accepted,
    Withdrawn,
    Void,
}

#[derive(Serialize, Deserialize)]
struct LineWire {
    item: WireId,
    quantity: u32,
    /// Minor units of one unit.
    price: i64,
}

#[derive(Serialize, Deserialize)]
struct AdmissionWire {
    id: WireId,
    units: Vec<UnitsWire>,
}

#[derive(Serialize, Deserialize)]
struct UnitsWire {
    item: WireId,
    count: u32,
}

/// The JSON of a record.
///
/// # Errors
/// None in practice: every record can be written.
pub fn encode(record: &OrderRecord) -> Result<Vec<u8>, NotAMessage> {
    let draft = &record.draft;
    let line = |line: &DraftLine| LineWire {
        item: WireId(line.item.0),
        quantity: line.quantity.get(),
        price: line.unit_price.minor,
    };
    let units = |units: &Units| UnitsWire {
        item: WireId(units.item.0),
        count: units.count,
    };
    let admission = |admission: &Admission| AdmissionWire {
        id: WireId(admission.id.0),
        units: admission.units.iter().map(units).collect(),
    };
    let wire = RecordWire {
        v: VERSION,
        verdict: match record.verdict {
            Verdict::Accepted => VerdictWire::Accepted,
            Verdict::Withdrawn => VerdictWire::Withdrawn,
            Verdict::Void => VerdictWire::Void,
        },
        order: WireId(draft.order.0),
        buyer: WireId(draft.buyer.0),
        fingerprint: format!("{:032x}", draft.fingerprint.0),
        accepted_at: draft.accepted_at.timestamp_millis(),
        currency: draft.total.currency.code().to_owned(),
        total: draft.total.minor,
        lines: draft.lines.iter().map(line).collect(),
        wishlist_entries: draft
            .wishlist_entries
            .iter()
            .map(|id| WireId(id.0))
            .collect(),
        admissions: record.admissions.iter().map(admission).collect(),
    };
    serde_json::to_vec(&wire).map_err(|_| NotAMessage::because("it can't be written"))
}

/// The record of a JSON.
///
/// # Errors
/// Not JSON, another version, or a value that no record has.
pub fn decode(json: &[u8]) -> Result<OrderRecord, NotAMessage> {
    let wire: RecordWire = read(json)?;
    if wire.v != VERSION {
        return Err(NotAMessage(format!(
            "an accepted order of version {}",
            wire.v
        )));
    }
    let currency = Currency::from_code(&wire.currency);
    let currency = currency.ok_or_else(|| NotAMessage::because("no currency"))?;
    let fingerprint = u128::from_str_radix(&wire.fingerprint, 16);
    let fingerprint = fingerprint.map_err(|_| NotAMessage::because("no fingerprint"))?;
    let lines: Result<Vec<_>, _> = wire
        .lines
        .iter()
        .map(|line| draft_line(line, currency))
        .collect();
    let draft = Draft {
        order: OrderId(wire.order.0),
        buyer: AccountId(wire.buyer.0),
        fingerprint: Fingerprint(fingerprint),
        lines: lines?,
        total: Money {
            minor: wire.total,
            currency,
        },
        accepted_at: instant(wire.accepted_at)?,
        wishlist_entries: wire
            .wishlist_entries
            .iter()
            .map(|id| WishlistEntryId(id.0))
            .collect(),
    };
    let units = |units: &UnitsWire| Units {
        item: ItemId(units.item.0),
        count: units.count,
    };
    let admission = |admission: &AdmissionWire| Admission {
        id: AdmissionId(admission.id.0),
        units: admission.units.iter().map(units).collect(),
    };
    Ok(OrderRecord {
        draft: Arc::new(draft),
        admissions: wire.admissions.iter().map(admission).collect(),
        verdict: match wire.verdict {
            VerdictWire::Accepted => Verdict::Accepted,
            VerdictWire::Withdrawn => Verdict::Withdrawn,
            VerdictWire::Void => Verdict::Void,
        },
    })
}

fn draft_line(line: &LineWire, currency: Currency) -> Result<DraftLine, NotAMessage> {
    let quantity = Quantity::new(i64::from(line.quantity));
    Ok(DraftLine {
        item: ItemId(line.item.0),
        quantity: quantity.map_err(|_| NotAMessage::because("an impossible quantity"))?,
        unit_price: Money {
            minor: line.price,
            currency,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn record() -> OrderRecord {
        let won = Currency::from_code("KRW").unwrap();
        let item = ItemId(Uuid::from_u128(5));
        let line = DraftLine {
            item,
            quantity: Quantity::new(2).unwrap(),
            unit_price: Money {
                minor: 1_500,
                currency: won,
            },
        };
        let draft = Draft {
            order: OrderId(Uuid::from_u128(1)),
            buyer: AccountId(Uuid::from_u128(2)),
            fingerprint: Fingerprint(u128::MAX - 3),
            lines: vec![line],
            total: Money {
                minor: 3_000,
                currency: won,
            },
            accepted_at: "2026-05-04T03:00:00.123Z".parse().unwrap(),
            wishlist_entries: vec![WishlistEntryId(Uuid::from_u128(7))],
        };
        let admission = Admission {
            id: AdmissionId(Uuid::from_u128(9)),
            units: vec![Units { item, count: 2 }],
        };
        OrderRecord {
            draft: Arc::new(draft),
            admissions: vec![admission],
            verdict: Verdict::Accepted,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        for verdict in [Verdict::Accepted, Verdict::Withdrawn, Verdict::Void] {
            let record = OrderRecord {
                verdict,
                ..record()
            };
            assert_eq!(decode(&encode(&record).unwrap()), Ok(record));
        }
    }

    #[test]
    fn a_record_of_lines_says_nothing_of_wishlists() {
        let draft = Draft {
            wishlist_entries: Vec::new(),
            ..Draft::clone(&record().draft)
        };
        let record = OrderRecord {
            draft: Arc::new(draft),
            ..record()
        };
        let json = encode(&record).unwrap();
        assert!(!String::from_utf8_lossy(&json).contains("wishlist"));
        assert_eq!(decode(&json), Ok(record));
    }

    #[test]
    fn what_is_no_record_says_why_and_no_more() {
        let json = String::from_utf8(encode(&record()).unwrap()).unwrap();
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("KRW", "XXXX"),
            ("\"quantity\":2", "\"quantity\":0"),
            ("accepted\"", "taken\""),
            ("{\"v\"", "secret{\"v\""),
        ] {
            assert!(json.contains(from), "{from}");
            let error = decode(json.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(!error.0.contains("secret"), "{error}");
        }
        let added = json.replacen('{', "{\"colour\":\"blue\",", 1);
        assert_eq!(
            decode(added.as_bytes()),
            Ok(record()),
            "fields may be added"
        );
    }
}
