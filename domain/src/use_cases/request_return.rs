//! Asks to give delivered units back.

use crate::order::{KeyUse, Portion};
use crate::ports::Ports;
use crate::use_cases::change_order::{self, Changed, Whose, change, portions};
use crate::{AccountId, Failure, IdempotencyKey, OrderId, ReturnId};

#[derive(Clone, Debug)]
pub struct RequestReturn {
    pub buyer: AccountId,
    pub key: IdempotencyKey,
    pub order: OrderId,
    /// What of it; all that is left, when empty.
    pub lines: Vec<Portion>,
    /// Why, 10 to 50 characters.
    pub reason: String,
}

/// Asks for a return. It is completed on its day, unless an operator settles it before.
///
/// # Errors
/// Not found, not yet in the ledger (*try again*), not delivered, the days for it are over, lines
/// that are not there or have fewer units left, a reason of the wrong length, a key used for
/// something else.
pub async fn request_return(ports: &Ports, command: RequestReturn) -> Result<Changed, Failure> {
    let input = [
        portions(&command.lines).as_slice(),
        command.reason.as_bytes(),
    ]
    .concat();
    let key = KeyUse {
        requester: command.buyer,
        mutation: "requestReturn",
        key: command.key,
        fingerprint: change_order::fingerprint(command.order, &input),
        subject: command.order.0,
    };
    let rules = (&ports.policies.returns, &ports.policies.calendar);
    change(ports, key, (Whose::Own, command.order), |order| {
        let id = ReturnId(ports.sortable_id());
        let what = (command.lines.as_slice(), command.reason.as_str());
        order.request_return(id, what, rules, ports.clock.now())
    })
    .await
}
