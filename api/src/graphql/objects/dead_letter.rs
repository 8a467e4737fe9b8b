//! Records that could not be handled.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::dead_letter::{FiledLetter, LetterFilter};

use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{DateTime, Decimal, count};

/// A record that a group could not handle, put aside for an operator. One record that several groups
/// could not handle is a dead letter of each.
#[derive(SimpleObject)]
pub struct DeadLetter {
    /// Its global id, `letter_…`.
    id: ID,
    /// Who could not handle it.
    group: ConsumerGroup,
    /// The record's topic, without namespace.
    topic: String,
    /// The record's partition.
    partition: i32,
    /// The record's offset.
    offset: Decimal,
    /// Why, without anything of what the record holds.
    reason: String,
    /// How often it was tried.
    attempts: i32,
    /// When it was put aside.
    put_aside_at: DateTime,
    /// Whether the record is here to be published again. One that was too old to be read back, or
    /// that is longer than 60,000 bytes, can only be dropped.
    whole: bool,
    /// What the record holds, as it came; null where that is no text in UTF-8, or not here.
    payload: Option<String>,
    /// The same in base 64, where it is no text in UTF-8; null otherwise.
    payload_base64: Option<String>,
    /// When it was settled; null while it is open.
    settled_at: Option<DateTime>,
    /// What became of it; null while it is open.
    settlement: Option<DeadLetterSettlement>,
}

impl From<FiledLetter> for DeadLetter {
    fn from(filed: FiledLetter) -> Self {
        let (kept, settled) = (filed.kept, filed.settled);
        let (letter, whole) = (kept.letter, kept.record.is_some());
        let (payload, payload_base64) = match kept.record {
            None => (None, None),
            Some(record) => match String::from_utf8(record.payload) {
                Ok(text) => (Some(text), None),
                Err(other) => (None, Some(STANDARD.encode(other.as_bytes()))),
            },
        };
        Self {
            id: filed.id.to_global(),
            group: letter.group.into(),
            topic: letter.partition.topic.name().to_owned(),
            partition: letter.partition.number,
            offset: Decimal(letter.offset.0.to_string()),
            reason: letter.reason,
            attempts: count(letter.attempts),
            put_aside_at: kept.at.into(),
            whole,
            payload,
            payload_base64,
            settled_at: settled.map(|settled| settled.at.into()),
            settlement: settled.map(|settled| settled.settlement.into()),
        }
    }
}

/// A group of workers that handles records. New groups may come, so expect unknown values.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::ports::log::Group")]
pub enum ConsumerGroup {
    /// Writes accepted orders into the ledger.
    OrderWriter,
    /// Settles payments and refunds.
    Payment,
    /// Gives back what was paid for cancelled orders.
    Cancellation,
    /// Writes letters.
    Mail,
}

/// What an operator did with a dead letter.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "domain::dead_letter::Settlement")]
pub enum DeadLetterSettlement {
    /// Its record was published again: `replayDeadLetter`.
    Replayed,
    /// It was given up: `dropDeadLetter`.
    Dropped,
}

/// Which dead letters are wanted; one has to meet everything that is given.
#[derive(InputObject, Debug, Default)]
pub struct DeadLetterFilter {
    /// Settled ones, or open ones.
    settled: Option<bool>,
    /// Of this group.
    group: Option<ConsumerGroup>,
}

impl DeadLetterFilter {
    /// The filter as the ledger takes it.
    pub fn parse(self) -> LetterFilter {
        LetterFilter {
            settled: self.settled,
            group: self.group.map(Into::into),
        }
    }
}
