//! Takes an order back before it is dispatched, or parts of it; what was captured for them is
//! refunded.

use crate::order::{KeyUse, Portion};
use crate::ports::Ports;
use crate::use_cases::change_order::{self, Changed, Whose, change, portions};
use crate::{AccountId, Failure, IdempotencyKey, OrderId, RefundId};

#[derive(Clone, Debug)]
pub struct CancelOrder {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub order: OrderId,
    /// What of it; all that is left, when empty.
    pub lines: Vec<Portion>,
}

/// Cancels an order or parts of it. The units are back on sale when this returns; the refund is on
/// its way.
///
/// # Errors
/// Not found, not yet in the ledger (*try again*), a state that can't be cancelled, lines that are
/// not there or have fewer units left, a key used for something else.
pub async fn cancel_order(ports: &Ports, command: CancelOrder) -> Result<Changed, Failure> {
    let key = KeyUse {
        requester: command.buyer,
        mutation: "cancelOrder",
        key: command.key,
        fingerprint: change_order::fingerprint(command.order, &portions(&command.lines)),
        subject: command.order.0,
    };
    change(ports, key, (Whose::Own, command.order), |order| {
        let refund = RefundId(ports.sortable_id());
        order.cancel(&command.lines, refund, ports.clock.now())
    })
    .await
}
