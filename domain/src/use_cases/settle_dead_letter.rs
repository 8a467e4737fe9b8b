//! An operator has a record handled again that could not be, or gives it up.

use crate::account::Role;
use crate::act::{Act, Alteration, Deed};
use crate::dead_letter::{FiledLetter, Settled, Settlement};
use crate::gate::Fingerprint;
use crate::item::text;
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::return_request::MAX_NOTE;
use crate::use_cases::key_use::used_for;
use crate::{ActId, DeadLetterId, Failure, IdempotencyKey, Requester};

/// What to do with a dead letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Publish its record again.
    Replay,
    /// Give it up; why, 1 to 200 characters, for the audit log.
    Drop { note: String },
}

#[derive(Clone, Debug)]
pub struct SettleDeadLetter {
    pub key: IdempotencyKey,
    pub letter: DeadLetterId,
    pub decision: Decision,
}

/// A letter after the request, and whether the same key had settled it before.
#[derive(Clone, Debug)]
pub struct SettledLetter {
    pub letter: FiledLetter,
    pub replayed: bool,
}

/// How often it is looked again when somebody else settles the letter first.
const MOST_TRIES: usize = 2;

/// Settles an open dead letter. A replay publishes first and settles then: whoever dies in between,
/// or asks at the same time as somebody else, has published the record twice, which every handler is
/// made for. It is for all groups of its topic, and those that had handled it find it done.
///
/// # Errors
/// Not an admin, not found, settled already, a replay of a record that is not whole, a note of the
/// wrong length, a key used for something else.
pub async fn settle_dead_letter(
    ports: &Ports,
    requester: &Requester,
    command: SettleDeadLetter,
) -> Result<SettledLetter, Failure> {
    let operator = requester.acting_as(Role::Admin)?;
    let (mutation, deed, settlement, note) = match command.decision {
        Decision::Replay => (
            "replayDeadLetter",
            Deed::ReplayDeadLetter,
            Settlement::Replayed,
            None,
        ),
        Decision::Drop { note } => {
            text(&note, 1, MAX_NOTE).map_err(|reason| reason.at(["note"]))?;
            let deed = Deed::DropDeadLetter;
            ("dropDeadLetter", deed, Settlement::Dropped, Some(note))
        }
    };
    let input = note.as_deref().unwrap_or_default().as_bytes();
    let subject = command.letter.0;
    let key = KeyUse {
        requester: operator,
        mutation,
        key: command.key,
        fingerprint: Fingerprint::of(&[subject.as_bytes().as_slice(), input].concat()),
        subject,
    };
    for _ in 0..MOST_TRIES {
        let replayed = used_for(ports, &key).await?.is_some();
        let seen = ports.dead_letters.get(command.letter).await?;
        let letter = seen.ok_or_else(|| Reason::NotFound.at(["letterId"]))?;
        if replayed {
            return Ok(SettledLetter { letter, replayed });
        }
        if let Some(Settled { settlement, .. }) = letter.settled {
            let reason = Reason::DeadLetterSettled { settlement };
            return Err(reason.at(["letterId"]).into());
        }
        if settlement == Settlement::Replayed {
            publish(ports, &letter).await?;
        }
        let at = ports.clock.now();
        let settled = Settled { at, settlement };
        let act = Act {
            id: ActId(ports.sortable_id()),
            operator,
            at,
            deed,
            subject,
            note: note.clone(),
            changes: Alteration::of_dead_letter(settlement),
        };
        let is_done = ports.dead_letters.settle(letter.id, settled, &act, &key);
        if is_done.await? {
            return Ok(SettledLetter {
                letter: FiledLetter {
                    settled: Some(settled),
                    ..letter
                },
                replayed,
            });
        }
    }
    Err(Reason::TryAgain { after_ms: 100 }.into())
}

async fn publish(ports: &Ports, letter: &FiledLetter) -> Result<(), Failure> {
    let whole = letter.kept.record.as_ref();
    let record = whole.ok_or_else(|| Reason::DeadLetterNotWhole.at(["letterId"]))?;
    let to = letter.kept.letter.partition;
    Ok(ports.log.publish_again(to, record).await?)
}
