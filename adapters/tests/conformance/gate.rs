//! What every implementation of the gate has to do. A test file brings its implementation as a
//! [`World`] and calls `gate_suite!`.

#[path = "gate/crowd.rs"]
mod crowd;
#[path = "gate/edge.rs"]
mod edge;
#[path = "gate/feed.rs"]
mod feed;
#[path = "gate/loss.rs"]
mod loss;
#[path = "gate/taking.rs"]
mod taking;
#[path = "gate/telling.rs"]
mod telling;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::gate::{
    BuyerCount, Change, EdgePlace, EntryId, Fingerprint, Level, Obstacle, Recall, Receipt,
    Reservation, Reserved, Shard, Telling, Terms,
};
use domain::message::{Draft, DraftLine};
use domain::ports::Gate;
use domain::ports::gate::{FeedCursor, Loading, News};
use domain::stock::Units;
use domain::{AccountId, AdmissionId, Currency, ItemId, Money, OrderId, Quantity, Timestamp};
use uuid::Uuid;

/// Entries that a world's edge queue takes.
pub const EDGE_QUEUE_MAX: usize = 20;

/// One gate, empty and nobody else's, whose edge queue takes [`EDGE_QUEUE_MAX`] entries a shard.
#[async_trait]
pub trait World: Send + Sync {
    fn gate(&self) -> Arc<dyn Gate>;

    /// Makes the gate forget all it has.
    async fn lose_everything(&self);
}

/// A test for every function of the suite; `$world` is an expression that makes a [`World`].
macro_rules! gate_suite {
    ($world:expr) => {
        gate_suite!(
            $world;
            takes_until_nothing_is_left,
            takes_every_line_or_none,
            reports_every_line_in_the_way,
            knows_an_order_by_its_receipt,
            a_receipt_comes_before_every_other_check,
            reports_what_it_does_not_know,
            a_window_is_compared_by_the_gates_clock,
            the_newest_terms_win,
            nothing_is_ever_lowered,
            a_limit_holds_over_orders,
            buyers_are_counted_before_there_is_a_limit,
            only_a_load_makes_an_item_known,
            an_entry_waits_until_it_is_settled,
            an_entry_is_settled_by_its_own_admission,
            the_span_of_the_edge_queue,
            stale_entries_are_claimed_by_one,
            a_full_edge_queue_refuses,
            told_receipts_answer_too,
            levels_rise_with_every_change,
            the_feed_starts_with_a_gap,
            a_slow_reader_skips_to_the_newest,
            news_of_other_terms_has_to_be_read,
            the_feed_wakes_its_readers,
            one_caller_loads_an_item,
            refuses_in_doubt_until_it_is_healed,
            what_it_may_have_forgotten_it_does_not_deny,
            healing_goes_on_after_another_loss,
            a_loss_raises_the_epoch,
            a_crowd_gets_exactly_what_there_is,
            a_buyer_in_a_hurry_stays_within_the_limit,
            what_makes_no_sense_is_a_fault,
        );
    };
    ($world:expr; $($name:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            suite::$name(&$world).await;
        }
    )*};
}
pub(crate) use gate_suite;

pub fn fresh() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let process = u128::from(std::process::id());
    Uuid::new_v5(
        &Uuid::nil(),
        &(process << 64 | u128::from(number)).to_be_bytes(),
    )
}

pub fn buyer() -> AccountId {
    AccountId(fresh())
}

/// An item that lives where `near` lives.
pub fn item_near(gate: &dyn Gate, near: ItemId) -> ItemId {
    loop {
        let item = ItemId(fresh());
        if gate.shard_of(item) == gate.shard_of(near) {
            return item;
        }
    }
}

/// So many items that live together, in order.
fn neighbours(gate: &dyn Gate, count: usize) -> Vec<ItemId> {
    let first = ItemId(fresh());
    let mut items = vec![first];
    items.resize_with(count, || item_near(gate, first));
    items.sort_unstable();
    items
}

pub fn terms(ceiling: i64) -> Terms {
    Terms {
        ceiling,
        opens_at: None,
        closes_at: None,
        paused: false,
        limit: None,
        counts_buyers: false,
        version: 1,
    }
}

pub fn telling(item: ItemId, admitted: i64, terms: Terms) -> Telling {
    Telling {
        item,
        admitted,
        terms,
        buyers: Vec::new(),
    }
}

/// Makes the gate sure of itself: what it refuses from now on is final.
pub async fn heal(gate: &dyn Gate) {
    for shard in gate.shards() {
        let items = gate.healing_items(shard).await.unwrap();
        let beat = gate.beat(shard).await.unwrap();
        assert!(gate.heal(shard, beat, true, &items).await.unwrap());
    }
}

/// Gives the beats of a keeper for as long as it is kept.
struct Beating(tokio::task::JoinHandle<()>);

impl Beating {
    fn of(gate: &Arc<dyn Gate>) -> Self {
        let gate = gate.clone();
        Self(tokio::spawn(async move {
            loop {
                for shard in gate.shards() {
                    gate.beat(shard).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }))
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A fresh item with these terms, in a gate that is sure of itself.
pub async fn on_sale(gate: &dyn Gate, terms: Terms) -> ItemId {
    let item = ItemId(fresh());
    gate.load(&[telling(item, 0, terms)]).await.unwrap();
    heal(gate).await;
    item
}

/// Two fresh items that one order can take in one step.
async fn neighbours_on_sale(gate: &dyn Gate, one: Terms, other: Terms) -> (ItemId, ItemId) {
    let first = on_sale(gate, one).await;
    let second = item_near(gate, first);
    gate.load(&[telling(second, 0, other)]).await.unwrap();
    heal(gate).await;
    (first, second)
}

async fn now(gate: &dyn Gate) -> Timestamp {
    let item = on_sale(gate, terms(0)).await;
    level(gate, item).await.as_of
}

pub async fn level(gate: &dyn Gate, item: ItemId) -> Level {
    let levels = gate.exact_levels(&[item]).await.unwrap();
    assert_eq!(levels.len(), 1, "the item is loaded");
    levels[0]
}

pub async fn available(gate: &dyn Gate, item: ItemId) -> i64 {
    level(gate, item).await.available()
}

pub fn draft(buyer: AccountId, lines: &[(ItemId, u32)]) -> Arc<Draft> {
    let won = Currency::from_code("KRW").unwrap();
    let lines: Vec<_> = lines
        .iter()
        .map(|(item, count)| DraftLine {
            item: *item,
            quantity: Quantity::new(i64::from(*count)).unwrap(),
            unit_price: Money {
                minor: 1_000,
                currency: won,
            },
        })
        .collect();
    let minor = lines
        .iter()
        .map(|line| 1_000 * i64::from(line.quantity.get()))
        .sum();
    Arc::new(Draft {
        order: OrderId(fresh()),
        buyer,
        fingerprint: Fingerprint::of(fresh().as_bytes()),
        lines,
        total: Money {
            minor,
            currency: won,
        },
        accepted_at: Timestamp::from_timestamp_millis(1_767_225_600_000).unwrap(),
        wishlist_entries: Vec::new(),
    })
}

pub fn reservation(gate: &dyn Gate, draft: &Arc<Draft>) -> Reservation {
    let units = draft.units();
    let shard = gate.shard_of(units[0].item);
    assert!(units.iter().all(|units| gate.shard_of(units.item) == shard));
    Reservation {
        draft: draft.clone(),
        shard,
        admission: AdmissionId(fresh()),
        units,
    }
}

async fn reserve(gate: &dyn Gate, draft: &Arc<Draft>) -> Reserved {
    gate.reserve(&reservation(gate, draft)).await.unwrap()
}

pub async fn buy(gate: &dyn Gate, buyer: AccountId, item: ItemId, count: u32) -> Reserved {
    reserve(gate, &draft(buyer, &[(item, count)])).await
}

pub fn obstacles(answer: Reserved) -> Vec<Obstacle> {
    match answer {
        Reserved::Refused(obstacles) => obstacles,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

pub fn is_taken(answer: &Reserved) -> bool {
    matches!(answer, Reserved::Taken { .. })
}

/// Every test of the suite.
pub mod suite {
    pub use super::crowd::*;
    pub use super::edge::*;
    pub use super::feed::*;
    pub use super::loss::*;
    pub use super::taking::*;
    pub use super::telling::*;
}
