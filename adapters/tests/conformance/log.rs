//! What every implementation of the log has to do. A test file brings its implementation as a
//! [`World`] and calls `log_suite!`.

#[path = "log/following.rs"]
mod following;
#[path = "log/groups.rs"]
mod groups;
#[path = "log/publishing.rs"]
mod publishing;
#[path = "log/surviving.rs"]
mod surviving;
#[path = "../support/traced.rs"]
mod traced;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::event::{Event, ItemEvent, OrderEvent, What};
use domain::gate::Fingerprint;
use domain::message::{
    Admission, Draft, DraftLine, Message, Offset, OrderRecord, Partition, Topic, Verdict,
};
use domain::ports::Log;
use domain::ports::log::{Consumer, DeadLetter, Delivery, Group, Kept, Polled};
use domain::stock::Units;
use domain::{
    AccountId, AdmissionId, Currency, ItemId, Money, OrderId, PaymentId, Quantity, RefundId,
    Timestamp, VerificationId,
};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// Partitions of a topic in a world's log.
pub const PARTITIONS: usize = 4;

/// One log, empty and nobody else's, with [`PARTITIONS`] partitions a topic.
#[async_trait]
pub trait World: Send + Sync {
    fn log(&self) -> Arc<dyn Log>;

    /// The log as another process finds it that starts after this one died.
    async fn after_a_restart(&self) -> Arc<dyn Log>;
}

/// A test for every function of the suite; `$world` is an expression that makes a [`World`].
macro_rules! log_suite {
    ($world:expr) => {
        log_suite!(
            $world;
            offsets_have_no_gaps,
            a_key_keeps_its_order,
            messages_come_as_they_went,
            a_trace_goes_along,
            nothing_is_published_of_nothing,
            many_publishers_lose_nothing,
            a_poll_brings_no_more_than_asked_for,
            a_new_group_starts_at_the_beginning,
            a_group_goes_on_where_it_stored,
            what_was_not_stored_comes_again,
            a_position_can_be_another,
            every_group_gets_everything,
            members_share_the_partitions,
            a_partition_is_let_go_before_another_has_it,
            what_was_done_is_stored_after_a_revocation,
            a_member_that_leaves_leaves_its_partitions,
            more_members_than_partitions_wait,
            a_takeover_leaves_no_gap_and_repeats_nothing,
            the_lag_is_what_is_not_stored,
            a_poll_waits_a_moment,
            a_poll_wakes_up_at_once,
            a_poll_that_is_cut_off_loses_nothing,
            a_tail_begins_at_the_end,
            a_tail_stores_nothing,
            records_and_positions_survive,
            dead_letters_are_kept_in_order_and_counted,
            a_dead_letter_can_be_published_again,
        );
    };
    ($world:expr; $($name:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            suite::$name(&$world).await;
        }
    )*};
}
pub(crate) use log_suite;

/// Longer than a poll waits, and than a group of several members takes to find its partitions.
const PATIENCE: Duration = Duration::from_mins(1);

fn fresh() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes())
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(1_767_225_600_000 + ms).unwrap()
}

/// An accepted order that begins with `item`, and can be told from others by its number.
fn order(item: ItemId, number: u128) -> Message {
    let won = Currency::from_code("KRW").unwrap();
    let unit_price = Money {
        minor: 12_300,
        currency: won,
    };
    let units = Units { item, count: 1 };
    let draft = Draft {
        order: OrderId(Uuid::from_u128(number)),
        buyer: AccountId(fresh()),
        fingerprint: Fingerprint(number),
        lines: vec![DraftLine {
            item,
            quantity: Quantity::new(1).unwrap(),
            unit_price,
        }],
        total: unit_price,
        accepted_at: at(0),
        wishlist_entries: Vec::new(),
    };
    Message::Order(OrderRecord {
        draft: Arc::new(draft),
        admissions: vec![Admission {
            id: AdmissionId(fresh()),
            units: vec![units],
        }],
        verdict: Verdict::Accepted,
    })
}

/// So many orders, each of another item.
fn orders(count: u128) -> Vec<Message> {
    (0..count)
        .map(|number| order(ItemId(fresh()), number))
        .collect()
}

fn number(delivery: &Delivery) -> u128 {
    match &delivery.content {
        Ok(Message::Order(record)) => record.draft.fingerprint.0,
        other => panic!("an order was expected, not {other:?}"),
    }
}

fn numbers(deliveries: &[Delivery]) -> Vec<u128> {
    let mut numbers: Vec<_> = deliveries.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn up_to(count: u128) -> Vec<u128> {
    (0..count).collect()
}

/// A member of the order writers' group that has been given these many partitions.
async fn member(log: &dyn Log, partitions: usize) -> Box<dyn Consumer> {
    let mut member = log
        .join(Group::OrderWriter, &[Topic::OrderAccepted])
        .await
        .unwrap();
    assert_eq!(given(&mut *member, partitions).await.len(), partitions);
    member
}

/// What a member is given until it has so many partitions; there must be nothing to read.
async fn given(member: &mut dyn Consumer, count: usize) -> Vec<Partition> {
    let mut partitions = Vec::new();
    let all = async {
        while partitions.len() < count {
            match member.poll(1).await.unwrap() {
                Polled::Assigned(given) => partitions.extend(given),
                Polled::Idle => {}
                other => panic!("an assignment was expected, not {other:?}"),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("assigned in time");
    partitions
}

/// The next records, at least so many.
async fn read(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let all = async {
        while deliveries.len() < count {
            match consumer.poll(100).await.unwrap() {
                Polled::Records(records) => {
                    assert!(!records.is_empty());
                    deliveries.extend(records);
                }
                Polled::Assigned(_) | Polled::Idle => {}
                Polled::Revoked(partitions) => panic!("{partitions:?} revoked"),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("read in time");
    deliveries
}

/// Nothing comes any more.
async fn is_quiet(consumer: &mut dyn Consumer) {
    match consumer.poll(100).await.unwrap() {
        Polled::Idle => {}
        other => panic!("nothing was expected, not {other:?}"),
    }
}

/// The log comes to know that a group has so many records left.
async fn lag_becomes(log: &dyn Log, group: Group, topics: &[Topic], lag: u64) {
    let begun = Instant::now();
    loop {
        let now = log.lag(group, topics).await.unwrap();
        if now == lag {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{now} records are left, not {lag}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Stores everything that was read.
async fn store(consumer: &mut dyn Consumer, deliveries: &[Delivery]) {
    let mut next = BTreeMap::new();
    for delivery in deliveries {
        next.insert(delivery.partition, Offset(delivery.offset.0 + 1));
    }
    for (partition, next) in next {
        consumer.store(partition, next).await.unwrap();
    }
}

/// Every test of the suite.
pub mod suite {
    pub use super::following::*;
    pub use super::groups::*;
    pub use super::publishing::*;
    pub use super::surviving::*;
}
