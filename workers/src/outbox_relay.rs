//! Moves committed events to the log.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::relay_outbox::relay_outbox;

use crate::context::{Context, End, Worker};

/// Events published at once.
const EVENTS_AT_ONCE: usize = 500;

pub(crate) struct OutboxRelay(pub Ports);

#[async_trait]
impl Worker for OutboxRelay {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let moved = relay_outbox(&self.0, EVENTS_AT_ONCE).await?;
            context.round_done();
            if moved < EVENTS_AT_ONCE {
                context
                    .unless_stopping(self.0.outbox.wait(context.pace.outbox_ms))
                    .await;
            }
        }
        Ok(End::Shutdown)
    }
}
