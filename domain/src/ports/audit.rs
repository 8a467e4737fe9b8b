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
    /// Σ of what is kept over lines of orders that hold.
    pub held_by_lines: i64,
    /// Σ over its movements: of what there is, what is held, what was released.
    pub moved: Moved,
}

/// What an item's movements come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moved {
    pub total: i64,
    pub held: i64,
    pub released: i64,
}

impl StockFigures {
    /// Whether the movements explain every number of the stock.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        let Stock {
            total,
            held,
            admitted,
            released,
            ..
        } = self.stock;
        let moved = self.moved;
        (moved.total, moved.held, moved.released) == (total, held, released)
            && moved.held + moved.released == admitted
    }
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
    /// What the units come to that its buyer still has, or is to get, in minor units.
    pub kept_minor: i64,
    pub payments: Vec<PaymentFigures>,
    /// Completed ones and open ones.
    pub refunds: Vec<RefundFigures>,
}

/// A payment by the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaymentFigures {
    pub id: PaymentId,
    pub amount: Money,
    pub is_captured: bool,
}

/// A refund by the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefundFigures {
    pub payment: PaymentId,
    pub reason: RefundReason,
    pub amount_minor: i64,
    pub is_completed: bool,
}
