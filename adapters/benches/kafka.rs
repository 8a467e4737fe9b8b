//! What an accepted order costs in the log, at this process and at the broker; not whether it is
//! right: `cargo bench -p adapters --bench kafka`. It starts a broker of its own.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement may stop, and rounds"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters::clock::SystemClock;
use adapters::kafka::{Compression, KafkaLog, KafkaSettings, create_topics, delete_topics};
use domain::gate::Fingerprint;
use domain::message::{Admission, Draft, DraftLine, Message, Offset, OrderRecord, Topic, Verdict};
use domain::ports::Log;
use domain::ports::log::{Group, Polled};
use domain::stock::Units;
use domain::{AccountId, AdmissionId, Currency, ItemId, Money, OrderId, Quantity, Timestamp};
use uuid::Uuid;
use xtask::services::Kafka;

const ITEM: ItemId = ItemId(Uuid::from_u128(7));
/// How long a variant is measured.
const SPELL: Duration = Duration::from_secs(6);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo runs benchmarks among the tests too, without this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let kafka = tokio::task::spawn_blocking(Kafka::launch).await;
    let kafka = kafka.unwrap().unwrap();
    println!("publishers  linger  compression     orders/s  µs here  µs broker  (with a reader)");
    for publishers in [50, 200] {
        for linger_us in [500, 1_000, 2_000, 5_000] {
            measure(&kafka, publishers, linger_us, Compression::None).await;
        }
        measure(&kafka, publishers, 2_000, Compression::Lz4).await;
    }
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn measure(kafka: &Kafka, publishers: u64, linger_us: u64, compression: Compression) {
    let settings = KafkaSettings {
        brokers: kafka.brokers(),
        namespace: format!("{publishers}.{linger_us}.{compression:?}"),
        partitions: 1,
        linger: Duration::from_micros(linger_us),
        compression,
        ..KafkaSettings::default()
    };
    create_topics(&settings).await.unwrap();
    let log = KafkaLog::connect(settings.clone(), Arc::new(SystemClock)).await;
    let log = Arc::new(log.unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn(read(log.clone(), over.clone()));
    log.publish(&[order(0)]).await.unwrap();

    let broker = kafka.pid().unwrap_or_default().to_string();
    let (sent, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let before = (cpu("self"), cpu(&broker));
    let publishing: Vec<_> = (0..publishers)
        .map(|publisher| tokio::spawn(publish(log.clone(), publisher, sent.clone(), begun)))
        .collect();
    for publisher in publishing {
        publisher.await.unwrap();
    }
    let took = begun.elapsed();
    let count = sent.load(Ordering::Relaxed) as f64;
    let here = (cpu("self") - before.0) * 1e6 / count;
    let there = (cpu(&broker) - before.1) * 1e6 / count;
    let rate = count / took.as_secs_f64();
    let linger_ms = linger_us as f64 / 1e3;
    println!(
        "{publishers:>10}  {linger_ms:>4} ms  {:<11}  {rate:>11.0}  {here:>7.1}  {there:>9.1}",
        format!("{compression:?}"),
    );
    over.store(true, Ordering::Relaxed);
    reading.await.unwrap();
    drop(log);
    delete_topics(&settings).await.unwrap();
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
async fn publish(log: Arc<KafkaLog>, publisher: u64, sent: Arc<AtomicU64>, begun: Instant) {
    let mut number = publisher << 32;
    while begun.elapsed() < SPELL {
        number += 1;
        log.publish(&[order(number)]).await.unwrap();
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads as the order writer does: up to 500 at a time, a breath between.
async fn read(log: Arc<KafkaLog>, over: Arc<AtomicBool>) {
    let topics = [Topic::OrderAccepted];
    let mut member = log.join(Group::OrderWriter, &topics).await.unwrap();
    while !over.load(Ordering::Relaxed) {
        if let Polled::Records(records) = member.poll(500).await.unwrap() {
            let last = records.last().unwrap();
            let next = Offset(last.offset.0 + 1);
            member.store(last.partition, next).await.unwrap();
            if records.len() < 500 {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
    }
}

fn order(number: u64) -> Message {
    let id = Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes());
    let currency = Currency::from_code("KRW").unwrap();
    let unit_price = Money {
        minor: 12_300,
        currency,
    };
    Message::Order(OrderRecord {
        draft: Arc::new(Draft {
            order: OrderId(id),
            buyer: AccountId(id),
            fingerprint: Fingerprint(id.as_u128()),
            lines: vec![DraftLine {
                item: ITEM,
                quantity: Quantity::new(1).unwrap(),
                unit_price,
            }],
            total: unit_price,
            accepted_at: Timestamp::UNIX_EPOCH,
            wishlist_entries: Vec::new(),
        }),
        admissions: vec![Admission {
            id: AdmissionId(id),
            units: vec![Units {
                item: ITEM,
                count: 1,
            }],
        }],
        verdict: Verdict::Accepted,
    })
}

/// Seconds of processor time that a process has used, from `/proc`.
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may hold anything; in hundredths on every Linux there is.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
