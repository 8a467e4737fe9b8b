//! What a buyer may do with an order now, until when, and why not.

use crate::Timestamp;
use crate::delivery::DeliveryCalendar;
use crate::order::{Order, OrderState};
use crate::policy::ReturnPolicy;
use crate::refusal::Reason;

/// What a buyer may do with an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrderAction {
    Pay,
    Cancel,
    RequestReturn,
}

/// Whether an action is open, until when, and why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permission {
    pub action: OrderAction,
    pub until: Option<Timestamp>,
    pub refused: Option<Reason>,
}

impl Order {
    /// What its buyer may do now, until when, and why not.
    #[must_use]
    pub fn permissions(
        &self,
        (policy, calendar): (&ReturnPolicy, &DeliveryCalendar),
        now: Timestamp,
    ) -> Vec<Permission> {
        let pay = match self.state {
            OrderState::PendingPayment { expires_at } if expires_at <= now => {
                Err(Reason::PaymentWindowClosed { since: expires_at })
            }
            OrderState::PendingPayment { .. } => Ok(()),
            _ => Err(self.conflict()),
        };
        let cancel = if self.can_cancel() {
            Ok(())
        } else {
            Err(self.conflict())
        };
        let return_until = self.return_until(policy, calendar);
        let permission = |action, until, allowed: Result<(), Reason>| Permission {
            action,
            until: allowed.is_ok().then_some(until).flatten(),
            refused: allowed.err(),
        };
        vec![
            permission(OrderAction::Pay, self.payment_due_at(), pay),
            permission(OrderAction::Cancel, self.cancel_until(), cancel),
            permission(
                OrderAction::RequestReturn,
                return_until.as_ref().ok().copied(),
                return_until.and_then(|closed_at| {
                    let is_open = now < closed_at;
                    let closed = Reason::ReturnWindowClosed { since: closed_at };
                    is_open.then_some(()).ok_or(closed)
                }),
            ),
        ]
    }

    /// The refusal of what this state does not allow.
    #[must_use]
    pub fn conflict(&self) -> Reason {
        let mut allowed = Vec::new();
        if matches!(self.state, OrderState::PendingPayment { .. }) {
            allowed.push(OrderAction::Pay);
        }
        if self.can_cancel() {
            allowed.push(OrderAction::Cancel);
        }
        if self.has_returnable() {
            allowed.push(OrderAction::RequestReturn);
        }
        Reason::StateConflict {
            state: self.status(),
            allowed,
        }
    }

    /// Until when it can be cancelled, as far as that is known now.
    #[must_use]
    pub fn cancel_until(&self) -> Option<Timestamp> {
        match &self.shipment {
            Some(shipment) => shipment.due().filter(|_| self.can_cancel()),
            None => self.payment_due_at(),
        }
    }
}
