//! Forgets what nobody needs any more: letters that went out, sessions, proofs of addresses, used
//! keys.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::forget::forget;

use crate::context::{Context, End, Worker};

/// Rows of one kind that are forgotten in one transaction.
const ROWS_AT_ONCE: usize = 500;

pub(crate) struct Housekeeping(pub Ports);

#[async_trait]
impl Worker for Housekeeping {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = forget(&self.0, ROWS_AT_ONCE).await?;
            context
                .rest_after_round(found >= ROWS_AT_ONCE, context.pace.forget_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
