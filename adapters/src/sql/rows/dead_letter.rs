//! Dead letters.

use domain::DeadLetterId;
use domain::dead_letter::{FiledLetter, KeptLetter, RawRecord, Settled};
use domain::message::{Offset, Partition, Topic};
use domain::ports::log::{DeadLetter, Group};

use super::{BadRow, Reading, ms};
use crate::sql::entities::dead_letters::Model;
use crate::wire;

/// The row of a letter that is open.
pub fn letter_row(kept: &KeptLetter) -> Model {
    let KeptLetter { letter, at, record } = kept;
    let trace = record.as_ref().and_then(|record| record.trace.as_deref());
    Model {
        id: kept.id().0,
        member_group: letter.group.name().to_owned(),
        topic: letter.partition.topic.name().to_owned(),
        partition_number: letter.partition.number.into(),
        record_offset: letter.offset.0,
        reason: letter.reason.clone(),
        attempts: letter.attempts.into(),
        kept_at: ms(*at),
        record_key: record.as_ref().map(|record| record.key.clone()),
        payload: record.as_ref().map(|record| record.payload.clone()),
        trace: trace.map(wire::trace::encode),
        settled_at: None,
        settlement: None,
    }
}

impl TryFrom<Model> for FiledLetter {
    type Error = BadRow;

    fn try_from(row: Model) -> Result<Self, BadRow> {
        let reading = Reading {
            table: "dead_letters",
            id: row.id,
        };
        let mut groups = Group::ALL.into_iter();
        let group = groups.find(|group| group.name() == row.member_group);
        let mut topics = Topic::ALL.into_iter();
        let topic = topics.find(|topic| topic.name() == row.topic);
        let number = i32::try_from(row.partition_number)
            .map_err(|_| reading.bad("partition_number", "out of range"))?;
        let letter = DeadLetter {
            group: group.ok_or_else(|| reading.bad("member_group", "an unknown group"))?,
            partition: Partition {
                topic: topic.ok_or_else(|| reading.bad("topic", "an unknown topic"))?,
                number,
            },
            offset: Offset(row.record_offset),
            reason: row.reason,
            attempts: reading.count("attempts", row.attempts)?,
        };
        let trace = row.trace.as_deref().and_then(wire::trace::decode);
        let record = row.payload.map(|payload| RawRecord {
            key: row.record_key.unwrap_or_default(),
            payload,
            trace,
        });
        let settlement = row.settlement.as_deref();
        let settled = match reading.instant_or_none("settled_at", row.settled_at)? {
            Some(at) => Some(Settled {
                at,
                settlement: reading.present_word("settlement", settlement)?,
            }),
            None => None,
        };
        Ok(Self {
            id: DeadLetterId(row.id),
            kept: KeptLetter {
                letter,
                at: reading.instant("kept_at", row.kept_at)?,
                record,
            },
            settled,
        })
    }
}
