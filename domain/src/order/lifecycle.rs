//! Every step an order can take. Each looks at the state it has, and says what to write; a step
//! that this state does not allow is a refusal (somebody asked) or nothing at all (late news).

use crate::delivery::{Address, DeliveryCalendar, Shipment, ShipmentState};
use crate::event::{Event, OrderEvent};
use crate::order::{
    Change, Deadline, Guard, Order, OrderState, Transition, transition::RefundOpen,
};
use crate::payment::{DeclineReason, Payment, PaymentMethod, PaymentState, Refund, RefundReason};
use crate::refusal::Reason;
use crate::{PaymentId, RefundId, ShipmentId, Timestamp};

impl Order {
    /// The buyer pays what is left of the order: a payment goes out, expiry can't touch the order
    /// any more. The parcel goes to `address`, or to that of an earlier attempt.
    ///
    /// # Errors
    /// [`Reason::StateConflict`] unless PENDING_PAYMENT. Whether time is left is for the ledger's
    /// clock to say, in the guard.
    pub fn pay(
        &self,
        payment: PaymentId,
        method: PaymentMethod,
        address: Option<Address>,
        now: Timestamp,
    ) -> Result<Transition, Reason> {
        let OrderState::PendingPayment { expires_at } = self.state else {
            return Err(self.conflict());
        };
        let attempt = u32::try_from(self.payments.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let new = Payment {
            id: payment,
            attempt,
            method,
            amount: self.current_total(),
            requested_at: now,
            state: PaymentState::Requested,
        };
        let state = OrderState::Paying {
            payment,
            expires_at,
        };
        let mut step = self.step(state, OrderEvent::PaymentRequested { payment }, now);
        step.guard.deadline = Some(Deadline::Ahead);
        step.next.payments.push(new.clone());
        step.payment = Some(Change::Insert(new));
        if address.is_some() {
            step.next.delivery_address.clone_from(&address);
            step.address = address;
        }
        Ok(step)
    }

    /// The provider took the money. PAID and the shipment are one step; a capture the order has no
    /// use for is given back at once. `None` for news that is not new.
    #[must_use]
    pub fn captured(
        &self,
        payment: PaymentId,
        calendar: &DeliveryCalendar,
        new: NewIds,
        now: Timestamp,
    ) -> Option<Transition> {
        let seen = self.payment(payment)?;
        if matches!(seen.state, PaymentState::Captured { .. }) {
            return None;
        }
        let captured = Payment {
            state: PaymentState::Captured { at: now },
            ..seen.clone()
        };
        let change = Change::Move {
            from: seen.state.status(),
            to: captured.clone(),
        };
        let mut step = match self.state {
            OrderState::Paying {
                payment: current, ..
            } if current == payment => {
                let state = OrderState::Paid { payment, at: now };
                let mut step = self.step(state, OrderEvent::Paid { payment }, now);
                let dispatch_due = calendar.dispatch_due(now);
                let shipment = Shipment {
                    id: new.shipment,
                    state: ShipmentState::Preparing { dispatch_due },
                };
                step.next.shipment = Some(shipment.clone());
                step.shipment = Some(Change::Insert(shipment));
                step
            }
            _ => {
                let refund = new.refund;
                let event = OrderEvent::CaptureReturned { payment, refund };
                let mut step = self.step(self.state, event, now);
                step.give_back(Some(Refund {
                    id: refund,
                    payment,
                    amount: captured.amount,
                    reason: RefundReason::StrayCapture,
                    requested_at: now,
                    completed_at: None,
                }));
                step
            }
        };
        step.replace_payment(&captured);
        step.payment = Some(change);
        Some(step)
    }

    /// The provider said no. While time is left the buyer may try again; afterwards the order has
    /// failed and its units are back. Two steps, of which the ledger's clock lets one through.
    #[must_use]
    pub fn declined(
        &self,
        payment: PaymentId,
        reason: DeclineReason,
        now: Timestamp,
    ) -> Option<[Transition; 2]> {
        let OrderState::Paying {
            payment: current,
            expires_at,
        } = self.state
        else {
            return None;
        };
        if current != payment {
            return None;
        }
        let seen = self.payment(payment)?;
        let declined = Payment {
            state: PaymentState::Declined { at: now, reason },
            ..seen.clone()
        };
        let change = Change::Move {
            from: seen.state.status(),
            to: declined.clone(),
        };
        let again = OrderState::PendingPayment { expires_at };
        let mut again = self.step(again, OrderEvent::PaymentDeclined { payment }, now);
        again.guard.deadline = Some(Deadline::Ahead);
        let failed = OrderState::PaymentFailed { at: now };
        let mut failed = self.step(failed, OrderEvent::PaymentFailed { payment }, now);
        failed.guard.deadline = Some(Deadline::Passed);
        failed.released = self.units();
        let mut steps = [again, failed];
        for step in &mut steps {
            step.replace_payment(&declined);
            step.payment = Some(change.clone());
        }
        Some(steps)
    }

    /// Nobody paid in time. `None` unless PENDING_PAYMENT; the ledger's clock has the last word.
    #[must_use]
    pub fn expire(&self, now: Timestamp) -> Option<Transition> {
        if !matches!(self.state, OrderState::PendingPayment { .. }) {
            return None;
        }
        let mut step = self.step(OrderState::Expired { at: now }, OrderEvent::Expired, now);
        step.guard.deadline = Some(Deadline::Passed);
        step.released = self.units();
        Some(step)
    }

    /// The parcel leaves; from here on nothing can be cancelled. It arrives as many days after the
    /// day on which it was to leave, so that a run that is late makes good for the days it missed.
    /// `None` unless it is PAID, still being prepared, and its day has come.
    #[must_use]
    pub fn dispatch(
        &self,
        tracking_number: String,
        calendar: &DeliveryCalendar,
        now: Timestamp,
    ) -> Option<Transition> {
        let (OrderState::Paid { .. }, Some(shipment)) = (self.state, &self.shipment) else {
            return None;
        };
        let ShipmentState::Preparing { dispatch_due } = shipment.state else {
            return None;
        };
        if now < dispatch_due {
            return None;
        }
        let mut step = self.step(self.state, OrderEvent::Dispatched, now);
        let delivery_due = calendar.delivery_due(dispatch_due);
        let state = ShipmentState::InTransit {
            tracking_number,
            dispatched_at: now,
            delivery_due,
        };
        step.move_shipment(shipment, state);
        Some(step)
    }

    /// The parcel is there. `None` unless it was in transit and its day has come: whoever was told
    /// that this order is due may have been told of its dispatch, which somebody else did since.
    #[must_use]
    pub fn deliver(&self, now: Timestamp) -> Option<Transition> {
        let (OrderState::Paid { .. }, Some(shipment)) = (self.state, &self.shipment) else {
            return None;
        };
        let ShipmentState::InTransit {
            tracking_number,
            dispatched_at,
            delivery_due,
        } = &shipment.state
        else {
            return None;
        };
        if now < *delivery_due {
            return None;
        }
        let state = ShipmentState::Delivered {
            tracking_number: tracking_number.clone(),
            dispatched_at: *dispatched_at,
            delivered_at: now,
        };
        let mut step = self.step(self.state, OrderEvent::Delivered, now);
        step.move_shipment(shipment, state);
        Some(step)
    }

    /// The provider gave the money back. `None` for a refund that is unknown or done.
    #[must_use]
    pub fn refunded(&self, refund: RefundId, now: Timestamp) -> Option<Transition> {
        let seen = self.refunds.iter().find(|seen| seen.id == refund)?;
        if seen.completed_at.is_some() {
            return None;
        }
        let done = Refund {
            completed_at: Some(now),
            ..seen.clone()
        };
        let mut step = self.step(self.state, OrderEvent::Refunded { refund }, now);
        if let Some(slot) = step.next.refunds.iter_mut().find(|slot| slot.id == refund) {
            *slot = done.clone();
        }
        step.refund = Some(Change::Move {
            from: RefundOpen,
            to: done,
        });
        Some(step)
    }

    /// The bare step to `state`: guarded by status and payment, one version on.
    pub(super) fn step(
        &self,
        state: OrderState,
        happened: OrderEvent,
        now: Timestamp,
    ) -> Transition {
        let payment = match self.state {
            OrderState::Paying { payment, .. } | OrderState::Paid { payment, .. } => Some(payment),
            OrderState::Rejected { .. }
            | OrderState::PendingPayment { .. }
            | OrderState::Expired { .. }
            | OrderState::PaymentFailed { .. }
            | OrderState::Cancelled { .. } => None,
        };
        let version = self.version + 1;
        Transition {
            guard: Guard {
                status: self.status(),
                version: self.version,
                payment,
                deadline: None,
                shipment: None,
            },
            next: Self {
                state,
                version,
                ..self.clone()
            },
            payment: None,
            refund: None,
            shipment: None,
            returning: None,
            lines: Vec::new(),
            address: None,
            released: Vec::new(),
            event: Event::of_order(self.id, version, now, happened),
            key: None,
            act: None,
        }
    }
}

/// Ids for what a step may have to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewIds {
    pub shipment: ShipmentId,
    pub refund: RefundId,
}

impl Transition {
    pub(super) fn move_shipment(&mut self, from: &Shipment, state: ShipmentState) {
        let to = Shipment { id: from.id, state };
        self.guard.shipment = Some((from.id, from.status()));
        self.next.shipment = Some(to.clone());
        self.shipment = Some(Change::Move {
            from: from.status(),
            to,
        });
    }

    fn replace_payment(&mut self, payment: &Payment) {
        if let Some(slot) = self
            .next
            .payments
            .iter_mut()
            .find(|slot| slot.id == payment.id)
        {
            *slot = payment.clone();
        }
    }
}
