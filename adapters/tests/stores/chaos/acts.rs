//! What may happen, one thing after the other.

use proptest::prelude::*;

use crate::stores::bench::{LONG, OVER};

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// New orders, and old ones again, some of them let through once more.
    Batch {
        orders: Vec<(u8, u8, u8)>,
        again: Option<u8>,
        hold_ms: i64,
        withdrawn: bool,
    },
    /// Steps decided from what was seen of some orders, possibly long ago.
    Steps {
        orders: Vec<(u8, u8)>,
        stale: bool,
    },
    Restock {
        item: u8,
        change: i8,
    },
    TimePasses,
}

/// A hold that lasts until time passes.
const SHORT: i64 = 50;

pub fn act() -> impl Strategy<Value = Act> {
    let order = (0..4_u8, 0..3_u8, 1..4_u8);
    let batch = (
        prop::collection::vec(order, 0..5),
        prop::option::of(0..20_u8),
        prop_oneof![2 => Just(LONG), 1 => Just(OVER), 2 => Just(SHORT)],
        prop::bool::weighted(0.1),
    );
    prop_oneof![
        3 => batch.prop_map(|(orders, again, hold_ms, withdrawn)| Act::Batch {
            orders, again, hold_ms, withdrawn,
        }),
        5 => (prop::collection::vec((0..20_u8, any::<u8>()), 1..5), any::<bool>())
            .prop_map(|(orders, stale)| Act::Steps { orders, stale }),
        1 => (0..3_u8, -3..6_i8).prop_map(|(item, change)| Act::Restock { item, change }),
        1 => Just(Act::TimePasses),
    ]
}
