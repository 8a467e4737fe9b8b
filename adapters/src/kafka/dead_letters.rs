//! Records that could not be handled, kept as they are, with the reason in headers.

use std::sync::Arc;
use std::time::Duration;

use domain::dead_letter::{KeptLetter, RawRecord};
use domain::message::{Offset, Partition};
use domain::ports::Clock;
use domain::ports::log::{DeadLetter, Group, Kept};
use domain::{Fault, Timestamp};
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::topic_partition_list::{self, TopicPartitionList};

use super::client::{Quiet, blocking};
use super::inquiry::Span;
use super::names::Names;
use super::producer::{Outgoing, Producer};
use super::settings::KafkaSettings;
use super::trace;

const DOING: &str = "keeping a dead letter";

/// The partition that all of them are in, so that there is one order among them.
pub(super) const PARTITION: i32 = 0;

/// How long records are looked for that have to be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Copies a record to the dead letters.
pub(super) async fn keep(
    settings: &KafkaSettings,
    names: &Arc<Names>,
    producer: &Producer,
    clock: &dyn Clock,
    letter: &DeadLetter,
) -> Result<(), Fault> {
    let (reading, of, place) = (settings.clone(), names.clone(), letter.clone());
    let original = blocking(DOING, move || read_back(&reading, &of, &place)).await?;
    let at_ms = clock.now().timestamp_millis();
    let topic = names.of(letter.partition.topic);
    let (key, payload, carried) = match &original {
        Some(original) => (
            original.key().unwrap_or_default(),
            original.payload().unwrap_or_default(),
            original.headers().cloned(),
        ),
        None => (&[][..], &[][..], None),
    };
    let headers = headers(
        carried.unwrap_or_default(),
        letter,
        topic,
        at_ms,
        original.is_some(),
    );
    let record = Outgoing {
        topic: &names.dead_letters,
        partition: Some(PARTITION),
        key,
        payload,
        headers: Some(headers),
    };
    producer.send(1, std::iter::once(record)).await
}

/// The record as the brokers have it; none, where it is too old to be there.
fn read_back(
    settings: &KafkaSettings,
    names: &Names,
    letter: &DeadLetter,
) -> Result<Option<OwnedMessage>, KafkaError> {
    let mut config = settings.consumer(&names.alone());
    config.set("auto.offset.reset", "error");
    let reader: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let mut place = TopicPartitionList::new();
    let (topic, number) = (names.of(letter.partition.topic), letter.partition.number);
    let at = topic_partition_list::Offset::Offset(letter.offset.0);
    place.add_partition_offset(topic, number, at)?;
    reader.assign(&place)?;
    let step = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        match reader.poll(step) {
            Some(Ok(record)) if record.offset() == letter.offset.0 => {
                return Ok(Some(record.detach()));
            }
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) if is_gone(&error) => return Ok(None),
            Some(Err(_)) | None => waited += step,
        }
    }
    let late = RDKafkaErrorCode::OperationTimedOut;
    Err(KafkaError::MessageConsumption(late))
}

/// Reads dead letters from the beginning of a span that is not empty.
pub(super) async fn read(
    settings: &KafkaSettings,
    names: &Arc<Names>,
    span: Span,
    most: usize,
) -> Result<Kept, Fault> {
    let (reading, of) = (settings.clone(), names.clone());
    let records = blocking("reading dead letters", move || {
        read_span(&reading, &of, span, most.max(1))
    });
    let records = records.await?;
    let next = records.last().map(|last| Offset(last.offset() + 1));
    let letters = records.iter().filter_map(|record| {
        let offset = record.offset();
        let letter = kept_letter(names, record);
        if letter.is_none() {
            tracing::error!(
                offset,
                "a record among the dead letters is none and is passed over"
            );
        }
        letter
    });
    Ok(Kept {
        letters: letters.collect(),
        next: next.unwrap_or(span.first),
    })
}

fn read_span(
    settings: &KafkaSettings,
    names: &Names,
    span: Span,
    most: usize,
) -> Result<Vec<OwnedMessage>, KafkaError> {
    let mut config = settings.consumer(&names.alone());
    config.set("auto.offset.reset", "earliest");
    let reader: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let mut place = TopicPartitionList::new();
    let first = topic_partition_list::Offset::Offset(span.first.0);
    place.add_partition_offset(&names.dead_letters, PARTITION, first)?;
    reader.assign(&place)?;
    let step = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    let mut records: Vec<OwnedMessage> = Vec::new();
    let is_last = |record: &OwnedMessage| record.offset() + 1 >= span.end.0;
    while records.len() < most && !records.last().is_some_and(is_last) && waited < PATIENCE {
        match reader.poll(step) {
            Some(Ok(record)) => records.push(record.detach()),
            Some(Err(_)) | None => waited += step,
        }
    }
    if records.is_empty() {
        let late = RDKafkaErrorCode::OperationTimedOut;
        return Err(KafkaError::MessageConsumption(late));
    }
    Ok(records)
}

/// The letter of a record; none, where its headers are not those of one.
fn kept_letter(names: &Names, record: &OwnedMessage) -> Option<KeptLetter> {
    let headers = record.headers()?;
    // The last of a name: what came with the record stands before it.
    let text = |name: &str| {
        let named = headers.iter().filter(|header| header.key == name);
        std::str::from_utf8(named.last()?.value?).ok()
    };
    let mut groups = Group::ALL.into_iter();
    let group = text("dead-letter-group")?;
    let letter = DeadLetter {
        group: groups.find(|known| known.name() == group)?,
        partition: Partition {
            topic: names.topic(text("dead-letter-topic")?)?,
            number: text("dead-letter-partition")?.parse().ok()?,
        },
        offset: Offset(text("dead-letter-offset")?.parse().ok()?),
        reason: text("dead-letter-reason")?.to_owned(),
        attempts: text("dead-letter-attempts")?.parse().ok()?,
    };
    let at_ms = text("dead-letter-at")?.parse().ok()?;
    let is_whole = text("dead-letter-whole")? == "true";
    Some(KeptLetter {
        letter,
        at: Timestamp::from_timestamp_millis(at_ms)?,
        record: is_whole.then(|| RawRecord {
            key: record.key().unwrap_or_default().to_vec(),
            payload: record.payload().unwrap_or_default().to_vec(),
            trace: trace::of_record(Some(headers)),
        }),
    })
}

fn is_gone(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

/// The original's headers, and why it is here (docs/events/README.md says what each is).
fn headers(
    carried: OwnedHeaders,
    letter: &DeadLetter,
    topic: &str,
    at_ms: i64,
    is_whole: bool,
) -> OwnedHeaders {
    let texts = [
        ("dead-letter-group", letter.group.name().to_owned()),
        ("dead-letter-topic", topic.to_owned()),
        ("dead-letter-partition", letter.partition.number.to_string()),
        ("dead-letter-offset", letter.offset.0.to_string()),
        ("dead-letter-reason", letter.reason.clone()),
        ("dead-letter-attempts", letter.attempts.to_string()),
        ("dead-letter-at", at_ms.to_string()),
        ("dead-letter-whole", is_whole.to_string()),
    ];
    texts.iter().fold(carried, |headers, (key, value)| {
        let value = Some(value.as_str());
        headers.insert(Header { key, value })
    })
}
