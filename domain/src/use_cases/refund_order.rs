//! An operator gives money back by hand.

use crate::account::Role;
use crate::act::{Act, Alteration, Deed};
use crate::item::text;
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::return_request::MAX_NOTE;
use crate::use_cases::change_order::{self, Changed, Whose, change};
use crate::{ActId, Failure, IdempotencyKey, Money, OrderId, RefundId, Requester};

#[derive(Clone, Debug)]
pub struct RefundOrder {
    pub key: IdempotencyKey,
    pub order: OrderId,
    pub amount: Money,
    /// Why, 1 to 200 characters; for the audit log.
    pub reason: String,
}

/// Gives back a part of what was captured for an order, whatever became of it.
///
/// # Errors
/// Not an admin, not found, nothing captured, an amount that is not above nothing or more than is
/// left, a reason of the wrong length, a key used for something else.
pub async fn refund_order(
    ports: &Ports,
    requester: &Requester,
    command: RefundOrder,
) -> Result<Changed, Failure> {
    let operator = requester.acting_as(Role::Admin)?;
    text(&command.reason, 1, MAX_NOTE).map_err(|reason| reason.at(["reason"]))?;
    let input = [
        command.amount.minor.to_be_bytes().as_slice(),
        command.amount.currency.code().as_bytes(),
        command.reason.as_bytes(),
    ]
    .concat();
    let key = KeyUse {
        requester: operator,
        mutation: "refundOrder",
        key: command.key,
        fingerprint: change_order::fingerprint(command.order, &input),
        subject: command.order.0,
    };
    change(ports, key, (Whose::Anybodys, command.order), |order| {
        let now = ports.clock.now();
        let refund = RefundId(ports.sortable_id());
        let mut step = order.refund_by_hand(refund, command.amount, now)?;
        step.act = Some(Act {
            id: ActId(ports.sortable_id()),
            operator,
            at: now,
            deed: Deed::RefundOrder,
            subject: order.id.0,
            note: Some(command.reason.clone()),
            changes: Alteration::of_order(order, &step.next),
        });
        Ok(step)
    })
    .await
}
