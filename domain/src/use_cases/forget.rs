//! Forgets what nobody needs any more.

use chrono::TimeDelta;

use crate::Fault;
use crate::ports::Ports;
use crate::ports::housekeeping::Forgettable;
use crate::use_cases::send_letters;

/// How long an idempotency key recognises a repeated request, in days. Far longer than any client
/// repeats one; orders and payments, whose ids are made of their keys, recognise it for ever.
pub const KEY_DAYS: i64 = 30;
/// How long a proof of an address stays after its code was void, for whoever asks what happened.
const VERIFICATION_DAYS: i64 = 1;
/// How long longer than its last access token the end of a session is known: for processes whose
/// clocks differ.
const ENDED_MINUTES: i64 = 10;

/// Forgets up to `most` rows of each kind; returns of how many the kind was that had the most.
///
/// # Errors
/// A fault of the ledger.
pub async fn forget(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let now = ports.clock.now();
    let access = TimeDelta::milliseconds(ports.policies.accounts.access_ms);
    let ages = [
        (
            Forgettable::Letters,
            TimeDelta::days(send_letters::KNOWN_DAYS),
        ),
        (Forgettable::Sessions, TimeDelta::zero()),
        (
            Forgettable::EndedSessions,
            access + TimeDelta::minutes(ENDED_MINUTES),
        ),
        (
            Forgettable::Verifications,
            TimeDelta::days(VERIFICATION_DAYS),
        ),
        (Forgettable::IdempotencyKeys, TimeDelta::days(KEY_DAYS)),
    ];
    let mut found = 0;
    for (what, age) in ages {
        found = found.max(ports.housekeeping.forget(what, now - age, most).await?);
    }
    Ok(found)
}
