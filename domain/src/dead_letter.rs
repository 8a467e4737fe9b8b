//! Records that could not be handled, for whoever looks after the shop.

use std::fmt;

use crate::message::{Offset, Partition};
use crate::ports::log::{DeadLetter, Group};
use crate::trace::TraceContext;
use crate::{DeadLetterId, Timestamp};

/// The longest record that operators get to see whole, in bytes; ours are far shorter.
pub const MAX_PAYLOAD: usize = 60_000;
/// The same of its key.
pub const MAX_KEY: usize = 250;
/// The longest reason, in characters.
pub const MAX_REASON: usize = 500;

/// A record as it came, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// What it was published under; empty where the log does not keep keys.
    pub key: Vec<u8>,
    pub payload: Vec<u8>,
    /// What it was published in the course of, where that is known.
    pub trace: Option<Box<TraceContext>>,
}

/// How long it is: nobody knows what is in it.
impl fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRecord")
            .field("key_bytes", &self.key.len())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// A dead letter as the log keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptLetter {
    pub letter: DeadLetter,
    /// When it was put aside.
    pub at: Timestamp,
    /// None, where it is not whole: the record was too old to be read back, or is too long.
    pub record: Option<RawRecord>,
}

impl KeptLetter {
    /// Its id: the same record that the same group puts aside again has the same.
    #[must_use]
    pub fn id(&self) -> DeadLetterId {
        let DeadLetter {
            group,
            partition: Partition { topic, number },
            offset: Offset(offset),
            ..
        } = &self.letter;
        let place = format!("{}/{}/{number}/{offset}", group.name(), topic.name());
        DeadLetterId::derive(&place)
    }

    /// The letter within what can be filed: a record that is too long is left out, a reason is cut.
    #[must_use]
    pub fn within_bounds(mut self) -> Self {
        self.record = self
            .record
            .filter(|record| record.payload.len() <= MAX_PAYLOAD && record.key.len() <= MAX_KEY);
        let reason = self.letter.reason.chars().filter(|c| !c.is_control());
        self.letter.reason = reason.take(MAX_REASON).collect();
        self
    }
}

/// A dead letter as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FiledLetter {
    pub id: DeadLetterId,
    pub kept: KeptLetter,
    /// None while it is open.
    pub settled: Option<Settled>,
}

/// What became of a dead letter, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settled {
    pub at: Timestamp,
    pub settlement: Settlement,
}

/// What an operator did with a dead letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Settlement {
    /// Its record was published again.
    Replayed,
    /// It was given up.
    Dropped,
}

/// Which dead letters; absent is any.
#[derive(Clone, Copy, Default, Debug)]
pub struct LetterFilter {
    /// Settled ones, or open ones.
    pub settled: Option<bool>,
    pub group: Option<Group>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Topic;

    fn letter(group: Group, offset: i64) -> KeptLetter {
        let topic = Topic::Orders;
        KeptLetter {
            letter: DeadLetter {
                group,
                partition: Partition { topic, number: 3 },
                offset: Offset(offset),
                reason: "nobody\0 can do this".repeat(100),
                attempts: 6,
            },
            at: Timestamp::UNIX_EPOCH,
            record: Some(RawRecord {
                key: vec![b'k'; MAX_KEY],
                payload: vec![b'p'; MAX_PAYLOAD],
                trace: None,
            }),
        }
    }

    #[test]
    fn a_record_that_a_group_puts_aside_again_is_the_same_letter() {
        let first = letter(Group::Mail, 7);
        let mut again = first.clone();
        again.letter.attempts = 1;
        assert_eq!(first.id(), again.id());
        assert_ne!(first.id(), letter(Group::Payment, 7).id());
        assert_ne!(first.id(), letter(Group::Mail, 8).id());
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let fits = letter(Group::Mail, 7).within_bounds();
        assert!(fits.record.is_some());
        assert_eq!(fits.letter.reason.len(), MAX_REASON);
        assert!(fits.letter.reason.starts_with("nobody can do this"));
        let mut long = letter(Group::Mail, 7);
        long.record.as_mut().unwrap().payload.push(b'p');
        assert_eq!(long.within_bounds().record, None);
        let mut long = letter(Group::Mail, 7);
        long.record.as_mut().unwrap().key.push(b'k');
        assert_eq!(long.within_bounds().record, None);
    }

    #[test]
    fn what_a_record_holds_gets_into_no_log() {
        let text = format!("{:?}", letter(Group::Mail, 7).record);
        assert!(text.contains("60000") && !text.contains("pp"), "{text}");
    }
}
