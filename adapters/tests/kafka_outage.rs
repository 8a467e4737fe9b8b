//! The log while its broker is away: faults in time, nothing lost, back by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::kafka::{KafkaLog, KafkaSettings, create_topics};
use domain::event::{Event, OrderEvent, What};
use domain::message::{Message, Offset, Topic};
use domain::ports::Log;
use domain::ports::log::{Consumer, Group, Polled};
use domain::{FaultKind, OrderId, Timestamp};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;
use xtask::services::Kafka;

const PATIENCE: Duration = Duration::from_mins(1);

fn event(number: u128) -> Message {
    let order = OrderId(Uuid::from_u128(number));
    let event = Event::of_order(order, 1, Timestamp::UNIX_EPOCH, OrderEvent::Expired);
    Message::Event(event)
}

fn number(message: &Message) -> u128 {
    match message {
        Message::Event(Event {
            what: What::Order { order, .. },
            ..
        }) => order.0.as_u128(),
        other => panic!("{other:?}"),
    }
}

/// Publishes until it works.
async fn publish(log: &KafkaLog, number: u128) {
    let published = async {
        while log.publish(&[event(number)]).await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, published).await.expect("the log is back");
}

async fn read(member: &mut dyn Consumer, last: u128) -> Vec<u128> {
    let mut numbers = Vec::new();
    let all = async {
        while !numbers.contains(&last) {
            if let Polled::Records(records) = member.poll(100).await.unwrap() {
                for record in records {
                    numbers.push(number(record.content.as_ref().unwrap()));
                    let next = Offset(record.offset.0 + 1);
                    member.store(record.partition, next).await.unwrap();
                }
            }
        }
    };
    timeout(PATIENCE, all).await.expect("read in time");
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_may_go_and_come_back() {
    let mut broker = tokio::task::spawn_blocking(Kafka::launch)
        .await
        .unwrap()
        .unwrap();
    let settings = KafkaSettings {
        brokers: broker.brokers(),
        partitions: 1,
        delivery_timeout: Duration::from_secs(2),
        query_timeout: Duration::from_secs(2),
        ..KafkaSettings::default()
    };
    create_topics(&settings).await.unwrap();
    let log = KafkaLog::connect(settings, Arc::new(SystemClock)).await;
    let log = log.map_err(|fault| fault.detail()).unwrap();
    let mut member = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    log.publish(&[event(1)]).await.unwrap();
    assert_eq!(read(&mut *member, 1).await, [1]);

    broker.kill().unwrap();
    for number in 2..5 {
        let begun = Instant::now();
        let fault = log.publish(&[event(number)]).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
    let begun = Instant::now();
    assert!(log.ends(Topic::Orders).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
    let polled = timeout(Duration::from_secs(3), member.poll(10)).await;
    let polled = polled.expect("a poll ends").unwrap();
    assert!(
        matches!(polled, Polled::Idle | Polled::Revoked(_)),
        "{polled:?}"
    );

    let mut broker = tokio::task::spawn_blocking(move || {
        broker.start().unwrap();
        broker
    })
    .await
    .unwrap();
    let back = Instant::now();
    publish(&log, 100).await;
    let took = back.elapsed();
    assert!(took < Duration::from_secs(15), "back after {took:?}");
    publish(&log, 101).await;
    // What was answered with a fault may be there or not; what was confirmed is, in its order.
    let mut numbers = read(&mut *member, 101).await;
    numbers.retain(|number| *number >= 100);
    numbers.dedup();
    assert_eq!(numbers, [100, 101]);
    drop((member, log));
    broker.stop().unwrap();
}
