//! The ledger, as the audit reads it.

use async_trait::async_trait;

use crate::order::OrderStatus;
use crate::payment::RefundReason;
use crate::stock::Stock;
use crate::{Fault, ItemId, Money, OrderId, PaymentId};

#[async_trait]
pub trait LedgerAudit: Send + Sync {
    /// Stock rows with what the order lines say, by item id, after `after`.
    async fn stock(&self, after: Option<ItemId>, most: usize) -> Result<Vec<StockFigures>, Fault>;

    /// Buyers of counted items whose row differs from their orders, or whose held units exceed the
    /// item's present limit.
    async fn buyers_off(&self, most: usize) -> Result<Vec<BuyerFigures>, Fault>;

    /// Orders with what the ledger says of their money, by order id, after `after`.
    async fn money(&self, after: Option<OrderId>, most: usize) -> Result<Vec<MoneyFigures>, Fault>;

    /// PENDING_PAYMENT orders more than `grace_ms` past `expiresAt` by the ledger's clock.
    async fn overdue_by(&self, grace_ms: i64) -> Result<u64, Fault>;

    /// How many orders are in each status.
    async fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, Fault>;
}

/// An item's counts, and the same from the other tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockFigures {
    pub item: ItemId,
    pub stock: Stock,
    /// Σ quantity over lines of orders that hold.
    pub held_by_lines: i64,
}

/// A buyer's counts that do not agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuyerFigures {
    pub item: ItemId,
    pub held: i64,
    pub held_by_lines: i64,
    pub limit: Option<u32>,
}

/// An order's money by the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyFigures {
    pub order: OrderId,
    pub status: OrderStatus,
    pub total: Money,
    /// Every payment, and whether it is captured.
    pub payments: Vec<(PaymentId, bool)>,
    /// Completed refunds and open ones: of which payment, why, how much, whether completed.
    pub refunds: Vec<(PaymentId, RefundReason, Money, bool)>,
}
