//! Stand-ins for the world, for the tests of the loops. Time is tokio's, paused: hours pass at once.

mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::event::{Event, OrderEvent};
use domain::message::Message;
use domain::ports::{Clock, Entropy};
use domain::{Fault, OrderId, Timestamp};
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::Worker;
use crate::name::WorkerName;
use crate::pace::Pace;
use crate::runner::{Part, Workers};

pub(crate) use log::{Deed, FakeLog, in_partition, unreadable};

/// What the workers of a test are given, and what the test looks at.
pub(crate) struct World {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub log: FakeLog,
    pub pace: Pace,
    pub shutdown: CancellationToken,
}

impl World {
    pub fn new() -> Self {
        Self {
            clock: Arc::new(TokioClock(Instant::now())),
            entropy: Arc::new(Counting(AtomicU64::new(0))),
            log: FakeLog::default(),
            pace: Pace::default(),
            shutdown: CancellationToken::new(),
        }
    }

    /// Starts one worker under the given name.
    pub fn start<W: Worker + 'static>(
        &self,
        name: &'static str,
        make: impl Fn() -> W + Send + Sync + 'static,
    ) -> Workers {
        self.start_parts(vec![part(name, make)])
    }

    pub fn start_parts(&self, parts: Vec<Part>) -> Workers {
        let (pace, shutdown) = (self.pace.clone(), self.shutdown.clone());
        Workers::run(parts, &self.clock, &self.entropy, pace, shutdown)
    }

    /// Gives the shutdown signal, and returns those that did not leave in time.
    pub async fn stop(&self, workers: Workers) -> Vec<&'static str> {
        self.shutdown.cancel();
        workers.finish().await
    }
}

pub(crate) fn part<W: Worker + 'static>(
    name: &'static str,
    make: impl Fn() -> W + Send + Sync + 'static,
) -> Part {
    Part {
        worker: WorkerName::Expiry,
        name,
        make: Box::new(move || Box::new(make())),
    }
}

/// Waits until it is so; an hour at most. It looks every millisecond, and after a second less often.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        let waited = start.elapsed();
        assert!(waited < Duration::from_hours(1), "it never was so");
        let is_new = waited < Duration::from_secs(1);
        sleep(Duration::from_millis(if is_new { 1 } else { 100 })).await;
    }
}

pub(crate) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// The event that `happened` to an order.
pub(crate) fn order_event(order: OrderId, happened: OrderEvent) -> Message {
    Message::Event(Event::of_order(order, 2, Timestamp::UNIX_EPOCH, happened))
}

/// A record by which the tests' handlers know their task.
pub(crate) fn task(number: u64) -> Message {
    order_event(
        OrderId(Uuid::from_u128(number.into())),
        OrderEvent::Delivered,
    )
}

/// The task of a record, if it is one.
pub(crate) fn task_of(message: &Message) -> Option<u64> {
    let Message::Event(event) = message else {
        return None;
    };
    match event.what {
        domain::event::What::Order {
            order,
            happened: OrderEvent::Delivered,
            ..
        } => u64::try_from(order.0.as_u128()).ok(),
        _ => None,
    }
}

/// A record that asks for nothing.
pub(crate) fn nothing() -> Message {
    order_event(OrderId(Uuid::nil()), OrderEvent::Expired)
}

pub(crate) fn away() -> Fault {
    Fault::unavailable("doing what a test does", "it is away")
}

pub(crate) fn nonsense() -> Fault {
    Fault::corrupt("doing what a test does", "kim@example.com makes no sense")
}

struct TokioClock(Instant);

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.0.elapsed()
    }

    async fn sleep_ms(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        // Any odd constant spreads the count over all bits (Knuth's multiplicative hash).
        let spread = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(spread.into_iter().cycle()) {
            *byte = value;
        }
    }
}
