//! The ledger's side of dead letters: what operators look through and settle.

use async_trait::async_trait;

use crate::act::Act;
use crate::dead_letter::{FiledLetter, KeptLetter, LetterFilter, Settled};
use crate::message::Offset;
use crate::order::KeyUse;
use crate::page::{Page, Window};
use crate::{DeadLetterId, Fault};

#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// How the ledger stands to the log, as of one moment.
    async fn standing(&self) -> Result<Standing, Fault>;

    /// Files letters of the log and goes on from `from` to `next`; one that is there already stays
    /// as it is. `false`: somebody else has gone on, and nothing is filed.
    async fn file(&self, from: Offset, letters: &[KeptLetter], next: Offset)
    -> Result<bool, Fault>;

    /// The newest first.
    async fn list(
        &self,
        filter: &LetterFilter,
        window: &Window,
    ) -> Result<Page<FiledLetter>, Fault>;

    async fn get(&self, id: DeadLetterId) -> Result<Option<FiledLetter>, Fault>;

    /// Settles an open letter, together with the act that says so and the key it was asked under.
    /// `false`: it is not open, or the key is used; nothing is written.
    async fn settle(
        &self,
        id: DeadLetterId,
        settled: Settled,
        act: &Act,
        key: &KeyUse,
    ) -> Result<bool, Fault>;
}

/// How the ledger stands to the log's dead letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Where the log's go on that are not filed yet.
    pub next: Offset,
    /// Those that are filed and that nobody has settled.
    pub open: u64,
}
