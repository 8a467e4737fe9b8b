//! Dispatches and delivers parcels on their days.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Ports;
use domain::use_cases::move_shipments::move_shipments;

use crate::context::{Context, End, Worker};

/// Shipments moved in one transaction.
const SHIPMENTS_AT_ONCE: usize = 200;

pub(crate) struct Delivery(pub Ports);

#[async_trait]
impl Worker for Delivery {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            let found = move_shipments(&self.0, SHIPMENTS_AT_ONCE).await?;
            context
                .rest_after_round(found >= SHIPMENTS_AT_ONCE, context.pace.delivery_ms)
                .await;
        }
        Ok(End::Shutdown)
    }
}
