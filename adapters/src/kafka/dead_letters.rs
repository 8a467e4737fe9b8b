//! Records that could not be handled, kept as they are, with the reason in headers.

use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use domain::ports::Clock;
use domain::ports::log::DeadLetter;
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{Quiet, blocking};
use super::names::Names;
use super::producer::{Outgoing, Producer};
use super::settings::KafkaSettings;

const DOING: &str = "keeping a dead letter";

/// How long a record is looked for that has to be kept.
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
    place.add_partition_offset(topic, number, Offset::Offset(letter.offset.0))?;
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
