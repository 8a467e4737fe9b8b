//! Brings the log's dead letters to where operators look at them.

use crate::Fault;
use crate::dead_letter::KeptLetter;
use crate::ports::{DeadLetters, Log};

/// Files up to `most` of the log's dead letters; whether there were any, so that there may be more.
/// The log keeps them all the same: it is the one that must have them while the ledger is away.
///
/// # Errors
/// A fault of the log or the ledger.
pub async fn file_dead_letters(
    log: &dyn Log,
    ledger: &dyn DeadLetters,
    most: usize,
) -> Result<bool, Fault> {
    let from = ledger.standing().await?.next;
    let kept = log.kept(from, most).await?;
    if kept.next == from {
        return Ok(false);
    }
    let letters = kept.letters.into_iter();
    let letters: Vec<_> = letters.map(KeptLetter::within_bounds).collect();
    ledger.file(from, &letters, kept.next).await?;
    Ok(true)
}
