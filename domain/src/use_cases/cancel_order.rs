//! Takes an order back before it is dispatched; what was captured is refunded.

use crate::order::KeyUse;
use crate::ports::Ports;
use crate::use_cases::change_order::{self, Changed};
use crate::{AccountId, Failure, IdempotencyKey, OrderId, RefundId};

#[derive(Clone, Copy, Debug)]
pub struct CancelOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub order: OrderId,
}

/// Cancels an order. Its units are back on sale when this returns; the refund is on its way.
///
/// # Errors
/// Not found, not yet in the ledger (*try again*), a state that can't be cancelled, a key used for
/// something else.
pub async fn cancel_order(ports: &Ports, command: CancelOrder) -> Result<Changed, Failure> {
    let key = KeyUse {
        requester: command.buyer,
        mutation: "cancelOrder",
        key: command.key,
        fingerprint: change_order::fingerprint(command.order, &[]),
        subject: command.order.0,
    };
    change_order::change(ports, key, command.order, |order| {
        order.cancel(RefundId(ports.sortable_id()), ports.clock.now())
    })
    .await
}
