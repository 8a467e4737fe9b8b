//! What only Kafka has to do; the rest is in the log's conformance suite.

use std::time::Duration;

use domain::event::{Event, OrderEvent};
use domain::ports::log::{Delivery, Polled};
use domain::{FaultKind, OrderId, Timestamp};
use http::{HeaderMap, HeaderValue};
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::message::{Headers as _, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::topic_partition_list::{self, TopicPartitionList};
use tokio::time::{Instant, timeout};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::layer::SubscriberExt;

use super::client::Quiet;
use super::*;
use crate::clock::ManualClock;

#[path = "../../tests/support/services.rs"]
mod services;

const PATIENCE: Duration = Duration::from_mins(1);
const FIRST: Partition = Partition {
    topic: Topic::Orders,
    number: 0,
};
const NOW_MS: i64 = 1_767_225_600_000;

fn settings() -> KafkaSettings {
    KafkaSettings {
        brokers: services::services().kafka.brokers.clone(),
        namespace: services::namespace(),
        partitions: 1,
        session_timeout: Duration::from_secs(2),
        ..KafkaSettings::default()
    }
}

async fn log_with(settings: KafkaSettings) -> KafkaLog {
    create_topics(&settings).await.unwrap();
    let now = Timestamp::from_timestamp_millis(NOW_MS).unwrap();
    let log = KafkaLog::connect(settings, Arc::new(ManualClock::new(now))).await;
    log.map_err(|fault| fault.detail()).unwrap()
}

async fn end(log: KafkaLog) {
    delete_topics(&log.settings).await.unwrap();
}

fn event(number: u128) -> Message {
    let order = OrderId(Uuid::from_u128(number));
    Message::Event(Event::of_order(
        order,
        1,
        Timestamp::UNIX_EPOCH,
        OrderEvent::Expired,
    ))
}

/// Something that is no message, as it may come from anywhere.
async fn poison(log: &KafkaLog) {
    let record = Outgoing {
        topic: log.names.of(Topic::Orders),
        partition: None,
        key: b"some key",
        payload: b"{\"secret\": \xff",
        headers: Some(OwnedHeaders::new().insert(rdkafka::message::Header {
            key: "from",
            value: Some("elsewhere"),
        })),
    };
    log.producer.send(1, std::iter::once(record)).await.unwrap();
}

async fn read(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let all = async {
        while deliveries.len() < count {
            if let Polled::Records(records) = consumer.poll(100).await.unwrap() {
                deliveries.extend(records);
            }
        }
    };
    timeout(PATIENCE, all).await.expect("read in time");
    deliveries
}

/// Polls until this happened.
async fn until(consumer: &mut dyn Consumer, mut is_it: impl FnMut(&Polled) -> bool) -> Polled {
    let found = async {
        loop {
            let polled = consumer.poll(100).await.unwrap();
            if is_it(&polled) {
                return polled;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("in time")
}

/// The dead letters as the brokers have them.
async fn letters(log: &KafkaLog, count: usize) -> Vec<OwnedMessage> {
    let (config, topic) = (
        log.settings.consumer("reader"),
        log.names.dead_letters.clone(),
    );
    let reading = tokio::task::spawn_blocking(move || {
        let reader: BaseConsumer<Quiet> = config.create_with_context(Quiet).unwrap();
        let mut all = TopicPartitionList::new();
        let first = topic_partition_list::Offset::Beginning;
        all.add_partition_offset(&topic, 0, first).unwrap();
        reader.assign(&all).unwrap();
        let mut letters = Vec::new();
        for _ in 0..100 {
            match reader.poll(Duration::from_millis(100)) {
                Some(Ok(letter)) => letters.push(letter.detach()),
                None if letters.len() >= count => break,
                Some(Err(_)) | None => {}
            }
        }
        letters
    });
    reading.await.unwrap()
}

fn headers_of(letter: &OwnedMessage) -> Vec<(String, String)> {
    let headers = letter.headers().unwrap().iter();
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    headers
        .map(|header| (header.key.to_owned(), text(header.value.unwrap())))
        .collect()
}

fn letter(offset: i64) -> DeadLetter {
    DeadLetter {
        group: Group::Payment,
        partition: FIRST,
        offset: Offset(offset),
        reason: "nobody can read it".to_owned(),
        attempts: 3,
    }
}

#[tokio::test]
async fn a_poisoned_record_is_kept_as_it_is_and_holds_nobody_up() {
    let log = log_with(settings()).await;
    log.publish(&[event(1)]).await.unwrap();
    poison(&log).await;
    log.publish(&[event(2)]).await.unwrap();
    let mut member = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    let deliveries = read(&mut *member, 3).await;
    let readable: Vec<_> = deliveries.iter().map(|d| d.content.is_ok()).collect();
    assert_eq!(readable, [true, false, true]);
    let reason = deliveries[1].content.clone().unwrap_err().reason;
    assert!(!reason.contains("secret"), "{reason}");

    // Who is not sure that it worked does it again.
    for _ in 0..2 {
        log.put_aside(&letter(1)).await.unwrap();
    }
    assert_eq!(log.dead_letters(Offset(0)).await.unwrap(), 1);
    let letters = letters(&log, 1).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].key(), Some(&b"some key"[..]));
    assert_eq!(letters[0].payload(), Some(&b"{\"secret\": \xff"[..]));
    let topic = format!("{}.orders", log.settings.namespace);
    let expected = [
        ("from", "elsewhere"),
        ("dead-letter-group", "payment"),
        ("dead-letter-topic", topic.as_str()),
        ("dead-letter-partition", "0"),
        ("dead-letter-offset", "1"),
        ("dead-letter-reason", "nobody can read it"),
        ("dead-letter-attempts", "3"),
        ("dead-letter-at", "1767225600000"),
        ("dead-letter-whole", "true"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(headers_of(&letters[0]), expected);

    // It is read as it was kept, and goes back as it came.
    let kept = log.kept(Offset(0), 5).await.unwrap();
    assert_eq!((kept.letters.len(), kept.next), (1, Offset(1)));
    assert_eq!(kept.letters[0].letter, letter(1));
    assert_eq!(kept.letters[0].at.timestamp_millis(), 1_767_225_600_000);
    let record = kept.letters[0].record.clone().unwrap();
    assert_eq!(record.key, b"some key");
    assert_eq!(record.payload, b"{\"secret\": \xff");
    log.publish_again(FIRST, &record).await.unwrap();
    let again = read(&mut *member, 1).await.remove(0);
    assert_eq!((again.partition, again.offset), (FIRST, Offset(3)));
    assert_eq!(again.content, deliveries[1].content);
    drop(member);
    end(log).await;
}

#[tokio::test]
async fn what_is_no_letter_among_them_is_passed_over() {
    let log = log_with(settings()).await;
    log.publish(&[event(1)]).await.unwrap();
    for _ in 0..2 {
        let stranger = Outgoing {
            topic: &log.names.dead_letters,
            partition: Some(0),
            key: b"some key",
            payload: b"{}",
            headers: None,
        };
        let sent = log.producer.send(1, std::iter::once(stranger));
        sent.await.unwrap();
    }
    let strangers = log.kept(Offset(0), 2).await.unwrap();
    assert_eq!((strangers.letters, strangers.next), (vec![], Offset(2)));
    log.put_aside(&letter(0)).await.unwrap();
    assert_eq!(log.dead_letters(Offset(2)).await.unwrap(), 1);
    let kept = log.kept(Offset(2), 2).await.unwrap();
    assert_eq!((kept.letters.len(), kept.next), (1, Offset(3)));
    end(log).await;
}

#[tokio::test]
async fn a_letter_whose_record_is_gone_says_so() {
    let log = log_with(settings()).await;
    log.publish(&[event(1), event(2)]).await.unwrap();
    let mut gone = TopicPartitionList::new();
    let to = topic_partition_list::Offset::Offset(1);
    gone.add_partition_offset(log.names.of(Topic::Orders), 0, to)
        .unwrap();
    let admin: rdkafka::admin::AdminClient<Quiet> =
        log.settings.client().create_with_context(Quiet).unwrap();
    let deleted = admin.delete_records(&gone, &AdminOptions::new()).await;
    deleted.unwrap();
    log.put_aside(&letter(0)).await.unwrap();
    let letters = letters(&log, 1).await;
    assert_eq!(letters[0].payload().unwrap_or_default(), b"");
    let whole = ("dead-letter-whole".to_owned(), "false".to_owned());
    assert!(headers_of(&letters[0]).contains(&whole));
    let kept = log.kept(Offset(0), 5).await.unwrap();
    assert_eq!(kept.letters[0].letter, letter(0));
    assert_eq!(kept.letters[0].record, None);
    end(log).await;
}

#[tokio::test]
async fn a_member_that_does_not_poll_loses_its_partitions_and_moves_nothing() {
    let drain_timeout = Duration::from_secs(4);
    let log = log_with(KafkaSettings {
        drain_timeout,
        ..settings()
    })
    .await;
    let topics = [Topic::Orders];
    let messages: Vec<_> = (0..10).map(event).collect();
    log.publish(&messages).await.unwrap();
    let mut zombie = log.join(Group::Payment, &topics).await.unwrap();
    assert_eq!(read(&mut *zombie, 10).await.len(), 10);
    // It has not stored anything, and is busy from now on.
    let mut other = log.join(Group::Payment, &topics).await.unwrap();
    let read = read(&mut *other, 10).await;
    assert_eq!(read[0].offset, Offset(0), "from where the group stands");
    other.store(FIRST, Offset(10)).await.unwrap();
    until(&mut *other, |polled| matches!(polled, Polled::Idle)).await;
    assert_eq!(log.lag(Group::Payment, &topics).await.unwrap(), 0);

    zombie.store(FIRST, Offset(4)).await.unwrap();
    until(&mut *zombie, |polled| matches!(polled, Polled::Revoked(_))).await;
    until(&mut *zombie, |polled| matches!(polled, Polled::Idle)).await;
    assert_eq!(log.lag(Group::Payment, &topics).await.unwrap(), 0);
    drop((zombie, other));
    end(log).await;
}

#[tokio::test]
async fn a_caller_may_begin_where_it_wants() {
    let log = log_with(settings()).await;
    let messages: Vec<_> = (0..10).map(event).collect();
    log.publish(&messages).await.unwrap();
    let mut member = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    until(&mut *member, |polled| matches!(polled, Polled::Assigned(_))).await;
    member.seek(FIRST, Offset(7)).await.unwrap();
    let offsets: Vec<_> = read(&mut *member, 3)
        .await
        .iter()
        .map(|d| d.offset.0)
        .collect();
    assert_eq!(offsets, [7, 8, 9], "and nothing before");
    drop(member);
    end(log).await;
}

#[tokio::test]
async fn a_trace_travels_with_what_it_caused() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let log = log_with(settings()).await;
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", HeaderValue::from_static(PARENT));
    let subscriber = tracing_subscriber::registry().with(crate::telemetry::trace::layer());
    let publishing = async {
        use tracing::Instrument;
        log.publish(&[event(1)]).await.unwrap();
        let span = crate::telemetry::trace::span_of(&headers);
        log.publish(&[event(2)]).instrument(span).await.unwrap();
    };
    publishing.with_subscriber(subscriber).await;
    let mut member = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    let deliveries = read(&mut *member, 2).await;
    assert_eq!(deliveries[0].trace, None);
    let trace = deliveries[1].trace.as_ref().unwrap();
    assert_eq!(trace.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_ne!(trace.span, 0xb7ad_6b71_6920_3331, "another step of it");
    assert!(trace.is_sampled);
    drop(member);
    end(log).await;
}

#[tokio::test]
async fn topics_are_made_once_and_differences_told() {
    let first = settings();
    let made = create_topics(&first).await.unwrap();
    assert_eq!((made.created.len(), made.differences), (5, vec![]));
    assert_eq!(create_topics(&first).await.unwrap(), Topics::default());
    let other = KafkaSettings {
        partitions: 2,
        retention: Duration::from_hours(1),
        ..first.clone()
    };
    let told = create_topics(&other).await.unwrap();
    assert_eq!(told.created, [""; 0]);
    let name = format!("{}.order.accepted", first.namespace);
    let of_accepted: Vec<_> = told
        .differences
        .iter()
        .filter(|difference| difference.topic == name)
        .map(|d| (d.setting, d.wanted.as_str(), d.found.as_str()))
        .collect();
    let days = (14_u64 * 24 * 3_600_000).to_string();
    assert_eq!(
        of_accepted,
        [
            ("partitions", "2", "1"),
            ("retention.ms", "3600000", days.as_str())
        ]
    );
    delete_topics(&first).await.unwrap();
}

#[tokio::test]
async fn a_log_without_its_topics_says_what_to_do() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let opened = KafkaLog::connect(settings(), clock).await;
    let fault = opened.map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Corrupt);
    let detail = fault.detail();
    assert!(detail.contains("firstcome migrate"), "{detail}");
    assert!(detail.contains(".order.accepted"), "{detail}");
}

#[tokio::test]
async fn settings_that_can_not_work_are_refused() {
    for wrong in [
        KafkaSettings {
            min_insync: 2,
            ..settings()
        },
        KafkaSettings {
            partitions: 0,
            ..settings()
        },
        KafkaSettings {
            brokers: " ".to_owned(),
            ..settings()
        },
    ] {
        let fault = create_topics(&wrong).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt);
    }
}

#[tokio::test]
async fn brokers_that_are_not_there_are_told_in_time() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let nowhere = KafkaSettings {
        // A port that nobody can have.
        brokers: "127.0.0.1:1".to_owned(),
        query_timeout: Duration::from_secs(1),
        ..KafkaSettings::default()
    };
    let begun = Instant::now();
    let opened = KafkaLog::connect(nowhere, clock).await;
    let fault = opened.map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(5));
}
