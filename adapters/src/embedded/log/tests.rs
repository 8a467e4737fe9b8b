use std::sync::Arc;
use std::time::Duration;

use domain::event::{Event, OrderEvent};
use domain::message::{Message, Offset, Partition, Topic};
use domain::ports::log::{Consumer, DeadLetter, Group, Log, Polled};
use domain::{OrderId, Timestamp};
use sqlx::Row;
use tempfile::TempDir;
use uuid::Uuid;

use super::writer::{Job, Record};
use super::{SqliteLog, trim};
use crate::clock::{ManualClock, SystemClock};

const ORDERS: Partition = Partition {
    topic: Topic::Orders,
    number: 0,
};

struct Bench {
    folder: TempDir,
    clock: Arc<ManualClock>,
    log: SqliteLog,
}

async fn bench() -> Bench {
    bench_of(1).await
}

async fn bench_of(partitions: u16) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let start = Timestamp::from_timestamp_millis(1_767_225_600_000).unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let log = SqliteLog::open(&folder.path().join("log.db"), partitions, clock.clone()).await;
    let log = log.map_err(|fault| fault.detail()).unwrap();
    Bench { folder, clock, log }
}

fn event(version: i64) -> Message {
    let order = OrderId(Uuid::from_u128(1));
    let at = Timestamp::UNIX_EPOCH;
    Message::Event(Event::of_order(order, version, at, OrderEvent::Expired))
}

async fn garbage(log: &SqliteLog) {
    let record = Record {
        partition: ORDERS,
        payload: b"{\"secret\": 1".to_vec(),
        trace: None,
        at_ms: 0,
    };
    log.shared
        .writer
        .run(Job::Append(vec![record]))
        .await
        .unwrap();
}

/// Offsets of the next records, up to `last`, and whether each could be read.
async fn read_to(consumer: &mut dyn Consumer, last: i64) -> Vec<(i64, bool)> {
    let mut read = Vec::new();
    while read.last().is_none_or(|(offset, _)| *offset < last) {
        if let Polled::Records(records) = consumer.poll(10).await.unwrap() {
            let one = records.iter().map(|r| (r.offset.0, r.content.is_ok()));
            read.extend(one);
        }
    }
    read
}

#[tokio::test]
async fn a_record_nobody_can_read_says_so_and_holds_nobody_up() {
    let Bench { log, folder, .. } = bench().await;
    log.publish(&[event(1)]).await.unwrap();
    garbage(&log).await;
    log.publish(&[event(2)]).await.unwrap();
    let mut member = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    let read = read_to(&mut *member, 2).await;
    assert_eq!(read, [(0, true), (1, false), (2, true)]);

    member.seek(ORDERS, Offset(1)).await.unwrap();
    let Polled::Records(records) = member.poll(1).await.unwrap() else {
        panic!()
    };
    let reason = records[0].content.clone().unwrap_err().reason;
    assert!(!reason.contains("secret"), "{reason}");
    drop(folder);
}

#[tokio::test]
async fn a_dead_letter_keeps_its_record_and_comes_once() {
    let Bench { log, folder, .. } = bench().await;
    garbage(&log).await;
    for attempts in [1, 2] {
        let letter = DeadLetter {
            group: Group::Mail,
            partition: ORDERS,
            offset: Offset(0),
            reason: "unreadable".to_owned(),
            attempts,
        };
        log.put_aside(&letter).await.unwrap();
    }
    assert_eq!(log.dead_letters(Offset(0)).await.unwrap(), 1);
    let row = sqlx::query("SELECT attempts, payload FROM dead_letters")
        .fetch_one(&log.shared.store.readers)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>(0), 2);
    assert_eq!(row.get::<Vec<u8>, _>(1), b"{\"secret\": 1");
    drop(folder);
}

#[tokio::test]
async fn dead_letters_of_an_earlier_program_are_read_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.db");
    let old = "CREATE TABLE dead_letters (
        member_group TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL,
        place INTEGER NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL,
        at_ms INTEGER NOT NULL, payload BLOB,
        PRIMARY KEY (member_group, topic, part, place)) WITHOUT ROWID;
        INSERT INTO dead_letters VALUES ('mail', 'orders', 0, 4, 'no', 6, 2000, x'7b7d'),
            ('payment', 'orders', 0, 9, 'no', 6, 1000, NULL)";
    let made = crate::embedded::file::open(&file, old, "making an old file").await;
    drop(made.unwrap());
    let log = SqliteLog::open(&file, 1, Arc::new(SystemClock))
        .await
        .unwrap();
    let kept = log.kept(Offset(0), 5).await.unwrap();
    let offsets: Vec<_> = kept
        .letters
        .iter()
        .map(|kept| kept.letter.offset.0)
        .collect();
    assert_eq!((offsets, kept.next), (vec![9, 4], Offset(2)));
    assert_eq!(kept.letters[0].record, None);
    assert_eq!(kept.letters[1].record.as_ref().unwrap().payload, b"{}");
    drop(log);
    let log = SqliteLog::open(&file, 1, Arc::new(SystemClock))
        .await
        .unwrap();
    assert_eq!(log.kept(Offset(0), 5).await.unwrap(), kept);
    drop(folder);
}

#[tokio::test]
async fn old_records_go_once_every_group_has_stored_past_them() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let Bench { log, folder, clock } = bench().await;
    log.publish(&[event(1), event(2), event(3)]).await.unwrap();
    let mut mail = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    let mut payment = log.join(Group::Payment, &[Topic::Orders]).await.unwrap();
    read_to(&mut *mail, 2).await;
    read_to(&mut *payment, 2).await;
    mail.store(ORDERS, Offset(3)).await.unwrap();
    payment.store(ORDERS, Offset(2)).await.unwrap();

    clock.advance_ms(6 * DAY_MS);
    trim::trim(&log.shared).await.unwrap();
    payment.seek(ORDERS, Offset(0)).await.unwrap();
    assert_eq!(read_to(&mut *payment, 2).await.len(), 3, "too young");
    clock.advance_ms(2 * DAY_MS);
    trim::trim(&log.shared).await.unwrap();
    payment.seek(ORDERS, Offset(0)).await.unwrap();
    assert_eq!(read_to(&mut *payment, 2).await, [(2, true)]);

    payment.store(ORDERS, Offset(3)).await.unwrap();
    trim::trim(&log.shared).await.unwrap();
    payment.seek(ORDERS, Offset(0)).await.unwrap();
    let idle = payment.poll(1).await.unwrap();
    assert!(matches!(idle, Polled::Idle), "{idle:?}");
    log.publish(&[event(4)]).await.unwrap();
    assert_eq!(
        read_to(&mut *payment, 3).await,
        [(3, true)],
        "offsets go on"
    );
    drop(folder);
}

#[tokio::test]
async fn a_busy_partition_starves_no_other() {
    let Bench { log, folder, .. } = bench_of(2).await;
    let mut next = (0..).map(|number: u128| {
        let order = OrderId(Uuid::from_u128(number));
        let event = Event::of_order(order, 1, Timestamp::UNIX_EPOCH, OrderEvent::Expired);
        Message::Event(event)
    });
    // Ids fold to their last bit here.
    let (quiet, busy) = (next.next().unwrap(), next.next().unwrap());
    for message in [&quiet, &busy] {
        log.publish(&vec![message.clone(); 20]).await.unwrap();
    }
    let mut member = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        if let Polled::Records(records) = member.poll(5).await.unwrap() {
            seen.push(records[0].partition.number);
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 0, 1, 1], "in turn");
    drop(folder);
}

#[tokio::test]
async fn who_waits_for_a_partition_hears_at_once_that_it_is_free() {
    let Bench { log, folder, .. } = bench().await;
    let mut first = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    let assigned = first.poll(1).await.unwrap();
    assert!(matches!(assigned, Polled::Assigned(_)), "{assigned:?}");
    let mut second = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    let waiting = tokio::spawn(async move { second.poll(1).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(first);
    let moment = Duration::from_millis(500);
    let taken = tokio::time::timeout(moment, waiting).await;
    let taken = taken.expect("before its poll is over").unwrap();
    assert!(matches!(taken, Polled::Assigned(_)), "{taken:?}");
    drop(folder);
}

#[tokio::test]
async fn a_writer_in_doubt_asks_the_file() {
    let Bench { log, folder, .. } = bench().await;
    log.publish(&[event(1), event(2)]).await.unwrap();
    // As after a commit that came through although it reported a failure.
    log.shared.store.ends.send_modify(|ends| ends.0.clear());
    assert!(log.publish(&[event(3)]).await.is_err());
    log.publish(&[event(3)]).await.unwrap();
    let ends = log.ends(Topic::Orders).await.unwrap();
    assert_eq!(ends, [(ORDERS, Offset(3))]);
    drop(folder);
}

#[tokio::test]
async fn a_file_that_knows_of_no_traces_learns_to() {
    let Bench { folder, clock, log } = bench().await;
    log.publish(&[event(1)]).await.unwrap();
    drop(log);
    let path = folder.path().join("log.db");
    let mut file = crate::embedded::file::open(&path, "", "").await.unwrap();
    let forget = sqlx::query("ALTER TABLE records DROP COLUMN trace");
    forget.execute(&mut file.writer).await.unwrap();
    drop(file);
    let log = SqliteLog::open(&path, 1, clock).await;
    let log = log.map_err(|fault| fault.detail()).unwrap();
    log.publish(&[event(2)]).await.unwrap();
    let mut member = log.join(Group::Mail, &[Topic::Orders]).await.unwrap();
    assert_eq!(read_to(&mut *member, 1).await, [(0, true), (1, true)]);
}

#[tokio::test]
async fn a_file_with_more_partitions_is_refused() {
    let Bench { folder, clock, log } = bench().await;
    drop(log);
    let path = folder.path().join("log.db");
    let more = SqliteLog::open(&path, 8, clock.clone()).await.unwrap();
    for number in 0..50_u128 {
        let order = OrderId(Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes()));
        let event = Event::of_order(order, 1, Timestamp::UNIX_EPOCH, OrderEvent::Expired);
        more.publish(&[Message::Event(event)]).await.unwrap();
    }
    drop(more);
    assert!(SqliteLog::open(&path, 4, clock).await.is_err());
}
