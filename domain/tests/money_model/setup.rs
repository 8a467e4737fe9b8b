//! The shop that the order is of: two items at their prices, and the moments there are.

use std::sync::Arc;

use domain::delivery::{DayLength, DeliveryCalendar};
use domain::gate::Fingerprint;
use domain::message::{Admission, Draft, DraftLine, OrderRecord, Verdict};
use domain::policy::ReturnPolicy;
use domain::stock::Units;
use domain::{AccountId, AdmissionId, Currency, ItemId, Money, OrderId, Quantity, Timestamp};
use uuid::Uuid;

pub const LINES: usize = 2;
pub const ITEMS: usize = LINES;
/// The price of a unit of each line.
const PRICES: [i64; LINES] = [1_000, 300];
/// The moments there are, in milliseconds after the beginning: in time to pay, too late to pay on the
/// same day, the day on which parcels leave, the one on which they have arrived, and one on which
/// nothing of that day can be given back any more.
pub const TIMES: [i64; 5] = [0, 1_500, 12_000, 25_000, 45_000];
const DAY_MS: i64 = 10_000;
/// How long the order waits for its payment.
pub const HOLD_MS: i64 = 1_000;

/// A record that the log may have of the order, each line of which is another shard's. A number names
/// what one round of the shards was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copy {
    /// All shards let it through.
    Accepted(u128),
    /// It was given up after the first one had.
    Withdrawn(u128),
    /// The first one let another request through under its key.
    Void(u128),
}

pub fn item(at: usize) -> ItemId {
    ItemId(Uuid::from_u128(10 + at as u128))
}

/// The day of an instant.
pub fn day_of(at: Timestamp) -> i64 {
    at.timestamp_millis() / DAY_MS
}

pub fn won(minor: i64) -> Money {
    let currency = Currency::from_code("KRW").unwrap();
    Money { minor, currency }
}

pub fn calendar() -> DeliveryCalendar {
    DeliveryCalendar {
        day: DayLength::Scaled { day_ms: DAY_MS },
        hour: 0,
        days_to_dispatch: 1,
        days_to_deliver: 1,
    }
}

/// Until the end of the day after the delivery; completed on the day after the request.
pub const RETURNS: ReturnPolicy = ReturnPolicy {
    days_to_request: 1,
    days_to_complete: 1,
};

/// The price of so many units of each line.
pub fn price(units: [u32; LINES]) -> i64 {
    let lines = units.iter().zip(PRICES);
    lines.map(|(units, price)| i64::from(*units) * price).sum()
}

/// What the log has of such a copy.
pub fn record(copy: Copy) -> OrderRecord {
    let lines: Vec<DraftLine> = (0..LINES)
        .map(|at| DraftLine {
            item: item(at),
            quantity: Quantity::new(2).unwrap(),
            unit_price: won(PRICES[at]),
        })
        .collect();
    let draft = Draft {
        order: OrderId(Uuid::from_u128(1)),
        buyer: AccountId(Uuid::from_u128(2)),
        fingerprint: Fingerprint(3),
        lines,
        total: won(2 * PRICES.iter().sum::<i64>()),
        accepted_at: Timestamp::UNIX_EPOCH,
        wishlist_entries: Vec::new(),
    };
    let (verdict, id, shards) = match copy {
        Copy::Accepted(id) => (Verdict::Accepted, id, LINES),
        Copy::Withdrawn(id) => (Verdict::Withdrawn, id, 1),
        Copy::Void(id) => (Verdict::Void, id, 1),
    };
    let admission = |shard: usize| Admission {
        id: AdmissionId(Uuid::from_u128(id * 10 + shard as u128)),
        units: vec![Units {
            item: item(shard),
            count: 2,
        }],
    };
    OrderRecord {
        draft: Arc::new(draft),
        admissions: (0..shards).map(admission).collect(),
        verdict,
    }
}
