//! Orders with their stock, payments, refunds and shipments.

mod commit;
mod read;
mod sweeps;
mod write_batch;

use async_trait::async_trait;
use domain::gate::{Fingerprint, Receipt};
use domain::message::{Offset, Partition};
use domain::order::{Order, Transition};
use domain::page::{Page, Window};
use domain::ports::Orders;
use domain::ports::orders::{BatchWritten, Committed, WriteBatch};
use domain::{AccountId, Fault, IdempotencyKey, OrderId, RefundId, Timestamp};
use uuid::Uuid;

use super::{Ledger, keys};

pub use read::page_by_id;

#[async_trait]
impl Orders for Ledger {
    async fn writer_position(&self, partition: Partition) -> Result<Offset, Fault> {
        let doing = "reading the writer's position";
        self.read(doing, |on| async move {
            Ok(write_batch::position(&*on, partition).await?)
        })
        .await
    }

    async fn write_batch(&self, batch: &WriteBatch) -> Result<BatchWritten, Fault> {
        let doing = "writing a batch of orders";
        let written = self
            .write(doing, |on| async move {
                write_batch::write(&self.engine, &*on, batch).await
            })
            .await?;
        self.events.notify_one();
        Ok(written)
    }

    async fn commit(&self, steps: &[Transition]) -> Result<Vec<Committed>, Fault> {
        let doing = "committing steps of orders";
        let committed = self
            .write(doing, |on| async move {
                commit::commit(&self.engine, &*on, steps).await
            })
            .await?;
        self.events.notify_one();
        Ok(committed)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, Fault> {
        self.read("reading orders", |on| async move {
            read::by_id(&*on, ids).await
        })
        .await
    }

    async fn orders_of(&self, buyer: AccountId, window: &Window) -> Result<Page<Order>, Fault> {
        self.read("listing orders", |on| async move {
            read::of_buyer(&*on, buyer, window).await
        })
        .await
    }

    async fn overdue(&self, most: usize) -> Result<Vec<OrderId>, Fault> {
        let doing = "looking for overdue orders";
        self.read(doing, |on| async move {
            let now = self.engine.now(&*on).await?;
            Ok(sweeps::overdue(&*on, now, most).await?)
        })
        .await
    }

    async fn paying_since(&self, before: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault> {
        let doing = "looking for payments in flight";
        self.read(doing, |on| async move {
            Ok(sweeps::paying_since(&*on, before, most).await?)
        })
        .await
    }

    async fn refunding_since(
        &self,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(OrderId, RefundId)>, Fault> {
        let doing = "looking for open refunds";
        self.read(doing, |on| async move {
            Ok(sweeps::refunding_since(&*on, before, most).await?)
        })
        .await
    }

    async fn shipments_due(&self, now: Timestamp, most: usize) -> Result<Vec<OrderId>, Fault> {
        let doing = "looking for shipments that are due";
        self.read(doing, |on| async move {
            Ok(sweeps::shipments_due(&*on, now, most).await?)
        })
        .await
    }

    async fn receipts(
        &self,
        since: Timestamp,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<Receipt>, Fault> {
        self.read("reading receipts", |on| async move {
            read::receipts(&*on, since, after, most).await
        })
        .await
    }

    async fn key_use(
        &self,
        requester: AccountId,
        mutation: &'static str,
        key: IdempotencyKey,
    ) -> Result<Option<(Fingerprint, Uuid)>, Fault> {
        let doing = "looking up a key";
        self.read(doing, |on| async move {
            Ok(keys::use_of(&*on, (requester, mutation, key)).await?)
        })
        .await
    }
}
