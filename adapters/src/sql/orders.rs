//! Orders with their stock, payments, refunds, shipments and returns.

mod commit;
mod read;
mod sweeps;
mod together;
mod write_batch;

use async_trait::async_trait;
use domain::gate::{Fingerprint, Receipt};
use domain::message::{Offset, Partition};
use domain::order::{Order, Transition};
use domain::page::{Page, Window};
use domain::ports::Orders;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::{AccountId, Fault, IdempotencyKey, OrderId, PaymentId, RefundId, ReturnId, Timestamp};
use uuid::Uuid;

use super::fault::while_doing;
use super::{Ledger, keys};

pub use read::{page_by_id, whole};
pub use together::Together;

#[async_trait]
impl Orders for Ledger {
    async fn writer_position(&self, partition: Partition) -> Result<Offset, Fault> {
        let position = write_batch::position(&self.engine.reader, partition);
        while_doing("reading the writer's position", position).await
    }

    async fn write_batch(&self, batch: &WriteBatch) -> Result<BatchWritten, Fault> {
        let doing = "writing a batch of orders";
        let written = self
            .write(doing, |on| async move {
                let written = write_batch::write(&self.engine, &on, batch).await;
                fail::fail_point!("ledger-batch");
                written
            })
            .await?;
        self.events.notify_one();
        Ok(written)
    }

    async fn commit(&self, steps: &[Transition]) -> Result<Vec<Committed>, Fault> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        self.commit_together(steps).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Fault> {
        self.read("reading orders", |on| async move {
            read::by_id(&on, &self.vault, ids).await
        })
        .await
    }

    async fn orders_of(&self, buyer: AccountId, window: &Window) -> Result<Page<Order>, Fault> {
        self.read("listing orders", |on| async move {
            read::of_buyer(&on, &self.vault, buyer, window).await
        })
        .await
    }

    async fn order_of_payment(&self, payment: PaymentId) -> Result<Option<OrderId>, Fault> {
        let order = read::of_payment(&self.engine.reader, payment);
        while_doing("looking for the order of a payment", order).await
    }

    async fn overdue(&self, most: usize) -> Result<Vec<OrderId>, Fault> {
        let reader = &self.engine.reader;
        while_doing("looking for overdue orders", async {
            let now = self.engine.now(reader).await?;
            sweeps::overdue(reader, now, most).await
        })
        .await
    }

    async fn paying_since(&self, before: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault> {
        let doing = "looking for payments in flight";
        let paying = sweeps::paying_since(&self.engine.reader, before, most);
        let paying = while_doing(doing, paying).await?;
        if !paying.is_empty() {
            let payments = || paying.iter().map(|(_, payment)| *payment);
            self.write(doing, |on| async move {
                let now = self.engine.now(&on).await?;
                Ok(sweeps::asked_about_payments(&on, payments(), now).await?)
            })
            .await?;
        }
        Ok(paying.into_iter().map(|(order, _)| order).collect())
    }

    async fn refunding_since(
        &self,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(OrderId, RefundId)>, Fault> {
        let doing = "looking for open refunds";
        let open = sweeps::refunding_since(&self.engine.reader, before, most);
        let open = while_doing(doing, open).await?;
        if !open.is_empty() {
            let refunds = || open.iter().map(|(_, refund)| *refund);
            self.write(doing, |on| async move {
                let now = self.engine.now(&on).await?;
                Ok(sweeps::asked_about_refunds(&on, refunds(), now).await?)
            })
            .await?;
        }
        Ok(open)
    }

    async fn shipments_due(&self, now: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault> {
        let due = sweeps::shipments_due(&self.engine.reader, now, most);
        while_doing("looking for shipments that are due", due).await
    }

    async fn returns_due(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<(OrderId, ReturnId)>, Fault> {
        let due = sweeps::returns_due(&self.engine.reader, now, most);
        while_doing("looking for returns that are due", due).await
    }

    async fn order_of_return(&self, request: ReturnId) -> Result<Option<OrderId>, Fault> {
        let order = read::of_return(&self.engine.reader, request);
        while_doing("looking for a return", order).await
    }

    async fn receipts(
        &self,
        since: Timestamp,
        after: Option<(Timestamp, OrderId)>,
        most: usize,
    ) -> Result<Vec<(Timestamp, Receipt)>, Fault> {
        let receipts = read::receipts(&self.engine.reader, since, after, most);
        while_doing("reading receipts", receipts).await
    }

    async fn key_use(
        &self,
        requester: AccountId,
        mutation: &'static str,
        key: IdempotencyKey,
    ) -> Result<Option<(Fingerprint, Uuid)>, Fault> {
        let used = keys::use_of(&self.engine.reader, (requester, mutation, key));
        while_doing("looking up a key", used).await
    }
}
