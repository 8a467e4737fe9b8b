//! Completes returns on their days.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::complete_returns::complete_returns;

use crate::context::{Context, End, Worker};

/// Returns completed in one transaction.
const RETURNS_AT_ONCE: usize = 200;

pub(crate) struct Returns(pub Ports);

#[async_trait]
impl Worker for Returns {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = complete_returns(&self.0, RETURNS_AT_ONCE).await?;
            context
                .rest_after_round(found >= RETURNS_AT_ONCE, context.pace.delivery_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
