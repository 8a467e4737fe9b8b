//! The ledger: SQL through sea-orm, the record of everything.
//!
//! A port method is one transaction. Every update names the state it saw and moves exactly the rows
//! it must; stock rows are locked first, in item order; events go into the outbox of the same
//! transaction.

mod accounts;
mod audit;
mod back_office;
mod bulk;
mod catalogue;
mod dead_letters;
mod engine;
mod entities;
mod erasure;
mod fault;
mod housekeeping;
mod keys;
mod letters;
mod many;
mod opening;
mod orders;
mod outbox;
mod paging;
mod pauses;
mod positions;
mod records;
mod references;
mod rows;
mod sealed;
mod sessions;
mod stock;
#[cfg(test)]
mod tests;
mod verifications;
mod wishlists;

use std::sync::Arc;

use domain::Fault;
use domain::ports::Clock;

use tokio::sync::Notify;

use crate::crypto::vault::Vault;
pub use engine::LedgerSettings;
use engine::{Engine, Transaction};
use fault::{Again, Stop};
use orders::Together;
use pauses::Pauses;
pub use sealed::{Resealed, SEALED, SealedTable};

/// The ledger behind the ports `Orders`, `Catalogue`, `Outbox`, `Accounts`, `Sessions`, `Verifications`, `Wishlists`, `Letters`,
/// `DeadLetters`, `BackOffice`, `Housekeeping` and `LedgerAudit`.
pub struct Ledger {
    engine: Engine,
    timer: Arc<dyn Clock>,
    vault: Vault,
    together: Together,
    pauses: Pauses,
    /// Told of every commit that left an event.
    events: Notify,
}

/// How often work is done again because somebody else inserted the same key first: what it finds
/// the next time is there, so more tries than two don't help.
const MOST_TRIES: u32 = 3;

impl Ledger {
    /// Ends all connections. Whoever still uses the ledger gets a fault.
    ///
    /// # Errors
    /// The file could not be closed cleanly; nothing that was committed is lost.
    pub async fn close(&self) -> Result<(), Fault> {
        self.engine
            .close()
            .await
            .map_err(|error| Stop::Db(error).fault("closing the ledger"))
    }

    /// Does `work` in one transaction: all of it stays, or nothing. Work that lost to another
    /// transaction is done again, from its beginning.
    async fn write<T, W>(
        &self,
        doing: &'static str,
        work: impl Fn(Transaction) -> W,
    ) -> Result<T, Fault>
    where
        W: Future<Output = Result<T, Stop>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            let stop = match self.try_write(&work).await {
                Ok(done) => return Ok(done),
                Err(stop) => stop,
            };
            match stop.again() {
                Some(Again::AtOnce) if tries < MOST_TRIES => {}
                Some(Again::Later { most_tries }) if tries < most_tries => {
                    self.timer.sleep_ms(self.pauses.before_try(tries + 1)).await;
                }
                _ => return Err(stop.fault(doing)),
            }
        }
    }

    async fn try_write<T, W>(&self, work: &impl Fn(Transaction) -> W) -> Result<T, Stop>
    where
        W: Future<Output = Result<T, Stop>>,
    {
        let transaction = self.engine.begin_write().await?;
        // Work that stops drops the last hold of its transaction, and that takes all of it back.
        let done = work(transaction.clone()).await?;
        transaction.commit().await?;
        Ok(done)
    }

    /// Does `work` on one state of the ledger, however many statements it takes.
    async fn read<T, W>(
        &self,
        doing: &'static str,
        work: impl FnOnce(Transaction) -> W,
    ) -> Result<T, Fault>
    where
        W: Future<Output = Result<T, Stop>>,
    {
        let read = async {
            let transaction = self.engine.begin_read().await?;
            work(transaction).await
        };
        read.await.map_err(|stop: Stop| stop.fault(doing))
    }
}
