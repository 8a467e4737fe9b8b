//! An operator takes delivered units back before their day, or does not take them back.

use crate::account::Role;
use crate::act::{Act, Alteration, Deed};
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::refusal::Reason;
use crate::use_cases::change_order::{self, Changed, Whose, change};
use crate::{ActId, Failure, IdempotencyKey, RefundId, Requester, ReturnId};

/// What an operator decides about a return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// Restocked and refunded now.
    Approve,
    /// Not taken back; why, for the buyer, 1 to 200 characters.
    Reject { note: String },
}

#[derive(Clone, Debug)]
pub struct SettleReturn {
    pub key: IdempotencyKey,
    pub request: ReturnId,
    pub settlement: Settlement,
}

/// Settles a return that is still open.
///
/// # Errors
/// Not an admin, not found, settled already, a note of the wrong length, a key used for something
/// else.
pub async fn settle_return(
    ports: &Ports,
    requester: &Requester,
    command: SettleReturn,
) -> Result<Changed, Failure> {
    let operator = requester.acting_as(Role::Admin)?;
    let not_found = || Failure::from(Reason::NotFound.at(["returnId"]));
    let order = ports.orders.order_of_return(command.request).await?;
    let order = order.ok_or_else(not_found)?;
    let (mutation, deed, note) = match &command.settlement {
        Settlement::Approve => ("approveReturn", Deed::ApproveReturn, None),
        Settlement::Reject { note } => ("rejectReturn", Deed::RejectReturn, Some(note.clone())),
    };
    let input = [
        command.request.0.as_bytes().as_slice(),
        note.as_deref().unwrap_or_default().as_bytes(),
    ]
    .concat();
    let key = KeyUse {
        requester: operator,
        mutation,
        key: command.key,
        fingerprint: change_order::fingerprint(order, &input),
        subject: command.request.0,
    };
    change(ports, key, (Whose::Anybodys, order), |order| {
        let now = ports.clock.now();
        let mut step = match &command.settlement {
            Settlement::Approve => {
                let refund = RefundId(ports.sortable_id());
                let step = order.complete_return(command.request, refund, true, now);
                step.ok_or_else(|| order.settled(command.request))?
            }
            Settlement::Reject { note } => order.reject_return(command.request, note, now)?,
        };
        step.act = Some(Act {
            id: ActId(ports.sortable_id()),
            operator,
            at: now,
            deed,
            subject: command.request.0,
            note: note.clone(),
            changes: Alteration::of_order(order, &step.next),
        });
        Ok(step)
    })
    .await
}
