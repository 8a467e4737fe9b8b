//! Every change of an item's stock, written down once and for ever, so that any number of it can be
//! explained: the sum of an item's movements is its stock row.

use uuid::Uuid;

use crate::event::OrderEvent;
use crate::stock::Stock;
use crate::{ItemId, OrderId, Timestamp};

/// One change of an item's stock. What was admitted follows: it is what is held and released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Movement {
    pub item: ItemId,
    pub at: Timestamp,
    /// Of the admission or event it comes from: the same however often that is told.
    pub id: Uuid,
    pub cause: Cause,
    /// The order it is for, where it is for one.
    pub order: Option<OrderId>,
    /// Units added to what there is.
    pub total: i64,
    /// Units added to what orders hold.
    pub held: i64,
    /// Units added to what was ever given back.
    pub released: i64,
}

/// Why stock moved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// The item came on sale, or this record began.
    Opened,
    /// The seller added units.
    Restocked,
    /// The seller took unsold units off sale.
    Adjusted,
    /// An order got them.
    Reserved,
    /// The gate had let them through, and no order got them.
    TurnedAway,
    /// Nobody paid in time.
    Expired,
    /// The payment was declined and no time was left.
    PaymentFailed,
    /// The buyer took them back before they were dispatched.
    Cancelled,
    /// They came back after they were delivered.
    Returned,
}

impl Cause {
    /// Why an order's event puts units back on sale; `None` where it does not.
    #[must_use]
    pub fn of_release(happened: &OrderEvent) -> Option<Self> {
        match happened {
            OrderEvent::Expired => Some(Self::Expired),
            OrderEvent::PaymentFailed { .. } => Some(Self::PaymentFailed),
            OrderEvent::Cancelled { .. } | OrderEvent::LinesCancelled { .. } => {
                Some(Self::Cancelled)
            }
            OrderEvent::ReturnCompleted { .. } => Some(Self::Returned),
            OrderEvent::Placed { .. }
            | OrderEvent::Rejected { .. }
            | OrderEvent::PaymentRequested { .. }
            | OrderEvent::PaymentDeclined { .. }
            | OrderEvent::Paid { .. }
            | OrderEvent::CaptureReturned { .. }
            | OrderEvent::Dispatched
            | OrderEvent::Delivered
            | OrderEvent::ReturnRequested { .. }
            | OrderEvent::ReturnRejected { .. }
            | OrderEvent::RefundRequested { .. }
            | OrderEvent::Refunded { .. } => None,
        }
    }
}

impl Movement {
    /// Nothing moved yet.
    fn none(
        item: ItemId,
        (id, order): (Uuid, Option<OrderId>),
        cause: Cause,
        at: Timestamp,
    ) -> Self {
        Self {
            item,
            at,
            id,
            cause,
            order,
            total: 0,
            held: 0,
            released: 0,
        }
    }

    /// Admitted units that an order got, or did not get.
    #[must_use]
    pub fn admitted(
        (item, units): (ItemId, u32),
        (id, order): (Uuid, OrderId),
        got: bool,
        at: Timestamp,
    ) -> Self {
        let units = i64::from(units);
        let (cause, held, released) = if got {
            (Cause::Reserved, units, 0)
        } else {
            (Cause::TurnedAway, 0, units)
        };
        Self {
            held,
            released,
            ..Self::none(item, (id, Some(order)), cause, at)
        }
    }

    /// Held units that are back on sale.
    #[must_use]
    pub fn released(
        (item, units): (ItemId, u32),
        (id, order): (Uuid, OrderId),
        cause: Cause,
        at: Timestamp,
    ) -> Self {
        let units = i64::from(units);
        Self {
            held: -units,
            released: units,
            ..Self::none(item, (id, Some(order)), cause, at)
        }
    }

    /// A new item's first units.
    #[must_use]
    pub fn opened(item: ItemId, stock: &Stock, id: Uuid, at: Timestamp) -> Self {
        Self {
            total: stock.total,
            held: stock.held,
            released: stock.released,
            ..Self::none(item, (id, None), Cause::Opened, at)
        }
    }

    /// Another total.
    #[must_use]
    pub fn changed(item: ItemId, change: i64, id: Uuid, at: Timestamp) -> Self {
        let cause = if change > 0 {
            Cause::Restocked
        } else {
            Cause::Adjusted
        };
        Self {
            total: change,
            ..Self::none(item, (id, None), cause, at)
        }
    }

    /// Units admitted with it.
    #[must_use]
    pub fn admitted_units(&self) -> i64 {
        self.held + self.released
    }
}
