//! Puts units back on sale whose buyers did not pay in time.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::expire_orders::expire_orders;

use crate::context::{Context, End, Worker};

/// Orders expired in one transaction.
const ORDERS_AT_ONCE: usize = 200;

pub(crate) struct Expiry(pub Ports);

#[async_trait]
impl Worker for Expiry {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = expire_orders(&self.0, ORDERS_AT_ONCE).await?;
            context
                .rest_after_round(found >= ORDERS_AT_ONCE, context.pace.expiry_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
