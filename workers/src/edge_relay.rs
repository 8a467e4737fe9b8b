//! Finishes accepted orders that were left in the edge queue.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::finish_edge::finish_edge;

use crate::context::{Context, End, Worker};

/// Entries claimed at once: few enough to be published before somebody else may claim them.
const ENTRIES_AT_ONCE: usize = 100;

pub(crate) struct EdgeRelay(pub Ports);

#[async_trait]
impl Worker for EdgeRelay {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = finish_edge(&self.0, context.pace.edge_age_ms, ENTRIES_AT_ONCE).await?;
            context
                .rest_after_round(found >= ENTRIES_AT_ONCE, context.pace.edge_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
