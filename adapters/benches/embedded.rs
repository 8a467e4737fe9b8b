//! How fast the embedded engines are; not whether they are right: `cargo bench -p adapters`.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement may stop, and rounds"
)]

use std::sync::Arc;
use std::time::Instant;

use adapters::clock::SystemClock;
use adapters::config::{Config, Span};
use adapters::embedded::gate::{MemoryGate, MemoryGateSettings};
use adapters::embedded::log::SqliteLog;
use adapters::payment::SimulatedProvider;
use domain::gate::{Fingerprint, Reservation, Reserved, Shard, Telling, Terms};
use domain::message::{Admission, Draft, DraftLine, Message, OrderRecord, Topic, Verdict};
use domain::payment::{CaptureAnswer, Payment, PaymentMethod, PaymentState};
use domain::ports::log::{Group, Polled};
use domain::ports::{Gate, Log, Provider};
use domain::{
    AccountId, AdmissionId, Currency, ItemId, Money, OrderId, PaymentId, Quantity, Timestamp,
};
use uuid::Uuid;

const ITEM: ItemId = ItemId(Uuid::from_u128(7));

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo runs benchmarks among the tests too, without this.
    if std::env::args().any(|argument| argument == "--bench") {
        gate().await;
        log().await;
        provider().await;
    }
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn timed(what: &str, count: u64, work: impl Future<Output = ()>) {
    let start = Instant::now();
    work.await;
    let took = start.elapsed();
    let per_second = count as f64 / took.as_secs_f64();
    println!("{what}: {count} in {took:?}, {per_second:.0} a second");
}

/// Shares `each` calls of `work` among so many tasks.
async fn at_once<F>(tasks: u64, each: u64, work: impl Fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let running: Vec<_> = (0..tasks)
        .map(|task| tokio::spawn(work(task * each)))
        .collect();
    for task in running {
        task.await.unwrap();
    }
}

fn price() -> Money {
    let currency = Currency::from_code("KRW").unwrap();
    Money {
        minor: 12_300,
        currency,
    }
}

fn draft(number: u64) -> Arc<Draft> {
    let id = Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes());
    Arc::new(Draft {
        order: OrderId(id),
        buyer: AccountId(id),
        fingerprint: Fingerprint(id.as_u128()),
        lines: vec![DraftLine {
            item: ITEM,
            quantity: Quantity::new(1).unwrap(),
            unit_price: price(),
        }],
        total: price(),
        accepted_at: Timestamp::UNIX_EPOCH,
        wishlist_entries: Vec::new(),
    })
}

fn order(number: u64) -> Message {
    let draft = draft(number);
    let admission = Admission {
        id: AdmissionId(draft.order.0),
        units: draft.units(),
    };
    Message::Order(OrderRecord {
        draft,
        admissions: vec![admission],
        verdict: Verdict::Accepted,
    })
}

async fn log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = SqliteLog::open(&path, 1, Arc::new(SystemClock)).await;
    let log = Arc::new(log.map_err(|fault| fault.detail()).unwrap());
    for (publishers, each) in [(1, 3_000), (64, 500), (256, 500)] {
        let what = format!("published by {publishers}");
        let work = at_once(publishers, each, |first| {
            let log = log.clone();
            async move {
                for number in first..first + each {
                    log.publish(&[order(number)]).await.unwrap();
                }
            }
        });
        timed(&what, publishers * each, work).await;
    }
    let topics = [Topic::OrderAccepted];
    let lag = log.lag(Group::OrderWriter, &topics).await.unwrap();
    let mut member = log.join(Group::OrderWriter, &topics).await.unwrap();
    let reading = async {
        let mut read = 0;
        while read < lag {
            if let Polled::Records(records) = member.poll(500).await.unwrap() {
                read += records.len() as u64;
            }
        }
    };
    timed("read by 500", lag, reading).await;
}

async fn gate() {
    let gate = Arc::new(MemoryGate::new(
        Arc::new(SystemClock),
        MemoryGateSettings::default(),
    ));
    let terms = Terms {
        ceiling: 1_000_000_000,
        opens_at: Some(Timestamp::UNIX_EPOCH),
        closes_at: None,
        paused: false,
        limit: Some(5),
        counts_buyers: true,
        version: 1,
    };
    let telling = Telling {
        item: ITEM,
        admitted: 0,
        terms,
        buyers: Vec::new(),
    };
    gate.load(&[telling]).await.unwrap();
    for tasks in [1, 2, 64] {
        let each = 400_000 / tasks;
        let drafts: Vec<_> = (0..400_000)
            .map(|number| draft(tasks * 1_000_000 + number))
            .collect();
        let drafts = Arc::new(drafts);
        let work = at_once(tasks, each, |first| {
            let (gate, drafts) = (gate.clone(), drafts.clone());
            async move {
                for number in first..first + each {
                    let draft = drafts[usize::try_from(number).unwrap()].clone();
                    let reservation = Reservation {
                        shard: Shard(0),
                        admission: AdmissionId(draft.order.0),
                        units: draft.units(),
                        draft,
                    };
                    match gate.reserve(&reservation).await.unwrap() {
                        Reserved::Taken { entry } => gate.settle(&[entry]).await.unwrap(),
                        other => panic!("{other:?}"),
                    }
                }
            }
        });
        timed(&format!("taken and settled by {tasks}"), tasks * each, work).await;
    }
}

async fn provider() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Config::default().payment.simulated;
    settings.latency = Span::milliseconds(0);
    let path = folder.path().join("provider.db");
    let provider = SimulatedProvider::open(&path, settings).await;
    let provider = Arc::new(provider.map_err(|fault| fault.detail()).unwrap());
    for (workers, each) in [(1, 1_000), (64, 300)] {
        let work = at_once(workers, each, |first| {
            let provider = provider.clone();
            async move {
                for number in first..first + each {
                    let payment = Payment {
                        id: PaymentId(Uuid::from_u128(u128::from(workers << 32 | number))),
                        attempt: 1,
                        method: PaymentMethod("tok_approve".to_owned()),
                        amount: price(),
                        requested_at: Timestamp::UNIX_EPOCH,
                        state: PaymentState::Requested,
                    };
                    let order = OrderId(Uuid::nil());
                    let answer = provider.capture(order, &payment).await;
                    assert_eq!(answer, CaptureAnswer::Captured);
                }
            }
        });
        timed(&format!("captured by {workers}"), workers * each, work).await;
    }
}
