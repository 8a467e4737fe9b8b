//! Brings dead letters to where operators look at them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::{self, Log};
use domain::use_cases::file_dead_letters::file_dead_letters;

use crate::context::{Context, End, Worker};

/// Dead letters filed in one transaction.
const LETTERS_AT_ONCE: usize = 100;

/// Any number of them may run: each goes on from where the ledger stands, and one at a time moves it.
pub(crate) struct DeadLetters {
    log: Arc<dyn Log>,
    ledger: Arc<dyn ports::DeadLetters>,
}

impl DeadLetters {
    pub fn new(log: Arc<dyn Log>, ledger: Arc<dyn ports::DeadLetters>) -> Self {
        Self { log, ledger }
    }
}

#[async_trait]
impl Worker for DeadLetters {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = file_dead_letters(&*self.log, &*self.ledger, LETTERS_AT_ONCE).await?;
            context
                .rest_after_round(found, context.pace.dead_letters_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}

#[cfg(test)]
mod tests;
