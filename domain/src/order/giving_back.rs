//! What goes back after an order was placed: units that are cancelled before dispatch or returned
//! after delivery, and the money for them.
//!
//! Money goes back for every unit once, and never more than was taken: an operator may have given
//! some back by hand before.

use crate::delivery::{DeliveryCalendar, ShipmentState, ShipmentStatus};
use crate::event::OrderEvent;
use crate::order::{Change, Order, OrderState, Portion, Transition};
use crate::payment::{Payment, PaymentState, Refund, RefundReason};
use crate::policy::ReturnPolicy;
use crate::refusal::{Reason, Refusal, Rule};
use crate::return_request::{ReturnRequest, ReturnStatus};
use crate::{Money, RefundId, ReturnId, Timestamp};

impl Order {
    /// The buyer takes units back before dispatch: those of `named`, or all that are left where
    /// none is named. What was paid for them goes back; an order of which nothing is left is
    /// CANCELLED.
    ///
    /// # Errors
    /// [`Reason::StateConflict`] while a payment is in flight, after dispatch, and at the end;
    /// portions that are not there.
    pub fn cancel(
        &self,
        named: &[Portion],
        refund: RefundId,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        if !self.can_cancel() {
            return Err(self.conflict().into());
        }
        let portions = self.meant(named, |_, line| line.kept())?;
        let amount = self.amount_of(&portions)?;
        let payment = match self.state {
            OrderState::Paid { payment, .. } => self.payment(payment),
            _ => None,
        };
        let refund = payment.and_then(|payment| {
            self.refund_of(payment, (refund, RefundReason::Cancelled), amount, now)
        });
        let refund_id = refund.as_ref().map(|refund| refund.id);
        let kept: u32 = self.units().iter().map(|units| units.count).sum();
        let taken: u32 = portions.iter().map(|portion| portion.quantity.get()).sum();
        let mut step = if taken < kept {
            let event = OrderEvent::LinesCancelled { refund: refund_id };
            self.step(self.state, event, now)
        } else {
            let event = OrderEvent::Cancelled { refund: refund_id };
            self.step(OrderState::Cancelled { at: now }, event, now)
        };
        if let Some(shipment) = &self.shipment {
            step.guard.shipment = Some((shipment.id, shipment.status()));
            if taken == kept {
                step.move_shipment(shipment, ShipmentState::Cancelled { at: now });
            }
        }
        step.take_back(&portions, |line, units| line.cancelled += units);
        step.give_back(refund);
        Ok(step)
    }

    /// The buyer of a delivered order wants to give units back: those of `named`, or all that are
    /// left where none is named.
    ///
    /// # Errors
    /// Not delivered, the days for it are over, portions that are not there, a reason that is too
    /// short or too long.
    pub fn request_return(
        &self,
        id: ReturnId,
        (named, reason): (&[Portion], &str),
        (policy, calendar): (&ReturnPolicy, &DeliveryCalendar),
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        let closed_at = self.return_until(policy, calendar)?;
        if now >= closed_at {
            return Err(Reason::ReturnWindowClosed { since: closed_at }.into());
        }
        let lines = self.meant(named, |at, line| self.returnable(at, line.kept()))?;
        let request = ReturnRequest::new(id, lines, reason, (policy, calendar), now)?;
        let mut step = self.step(self.state, OrderEvent::ReturnRequested { request: id }, now);
        step.next.returns.push(request.clone());
        step.returning = Some(Change::Insert(request));
        Ok(step)
    }

    /// The units of a return are back on sale, and their money goes back. `None` unless it is still
    /// open and due; one that an operator approves is due at once.
    #[must_use]
    pub fn complete_return(
        &self,
        id: ReturnId,
        refund: RefundId,
        approved: bool,
        now: Timestamp,
    ) -> Option<Transition> {
        let OrderState::Paid { payment, .. } = self.state else {
            return None;
        };
        let request = self.return_request(id)?;
        let done = request.complete(approved, now)?;
        let amount = self.amount_of(&request.lines).ok()?;
        let why = (refund, RefundReason::Returned);
        let refund = self.refund_of(self.payment(payment)?, why, amount, now);
        let event = OrderEvent::ReturnCompleted {
            request: id,
            refund: refund.as_ref().map(|refund| refund.id),
        };
        let mut step = self.step(self.state, event, now);
        step.take_back(&done.lines, |line, units| line.returned += units);
        step.move_return(done);
        step.give_back(refund);
        Some(step)
    }

    /// An operator does not take units back.
    ///
    /// # Errors
    /// The return is not this order's, or not open any more; a note of the wrong length.
    pub fn reject_return(
        &self,
        id: ReturnId,
        note: &str,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        let request = self.return_request(id).ok_or(Reason::NotFound)?;
        let rejected = request.reject(note, now)?;
        let event = OrderEvent::ReturnRejected { request: id };
        let mut step = self.step(self.state, event, now);
        step.move_return(rejected);
        Ok(step)
    }

    /// An operator gives money back that no cancellation or return asks for.
    ///
    /// # Errors
    /// Nothing was captured, an amount that is not above nothing, in another currency, or more than
    /// is left of what was captured.
    pub fn refund_by_hand(
        &self,
        id: RefundId,
        amount: Money,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        let payment = self.captured_payment().ok_or_else(|| self.conflict())?;
        let left = self.refundable(payment);
        let at = |reason: Reason| reason.at(["amount"]);
        if amount.currency != left.currency {
            return Err(at(Reason::CurrencyMismatch));
        }
        if amount.minor < 1 {
            return Err(at(Rule::TooSmall { least: 1 }.into()));
        }
        if amount.minor > left.minor {
            return Err(at(Reason::MoreThanCaptured { refundable: left }));
        }
        let event = OrderEvent::RefundRequested { refund: id };
        let mut step = self.step(self.state, event, now);
        step.give_back(self.refund_of(payment, (id, RefundReason::ByHand), amount, now));
        Ok(step)
    }

    /// Until when units of it can be given back.
    ///
    /// # Errors
    /// [`Reason::StateConflict`] unless it is delivered and something of it is left to give back.
    pub fn return_until(
        &self,
        policy: &ReturnPolicy,
        calendar: &DeliveryCalendar,
    ) -> Result<Timestamp, Reason> {
        match self.delivered_at() {
            Some(delivered_at) if self.has_returnable() => {
                Ok(calendar.end_of_day(delivered_at, policy.days_to_request))
            }
            _ => Err(self.conflict()),
        }
    }

    /// The payment that was captured for it and kept, whatever of it went back since.
    #[must_use]
    pub fn captured_payment(&self) -> Option<&Payment> {
        let is_stray = |payment: &Payment| {
            let mut refunds = self.refunds.iter();
            refunds.any(|refund| {
                refund.payment == payment.id && refund.reason == RefundReason::StrayCapture
            })
        };
        self.payments.iter().find(|payment| {
            matches!(payment.state, PaymentState::Captured { .. }) && !is_stray(payment)
        })
    }

    /// What is left of a captured payment.
    #[must_use]
    pub fn refundable(&self, payment: &Payment) -> Money {
        let refunds = self.refunds.iter();
        let of_it = refunds.filter(|refund| refund.payment == payment.id);
        let minor = of_it.fold(payment.amount.minor, |left, refund| {
            left.saturating_sub(refund.amount.minor)
        });
        Money {
            minor: minor.max(0),
            ..payment.amount
        }
    }

    /// Whether its buyer may still cancel it or parts of it.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        match self.state {
            OrderState::PendingPayment { .. } => true,
            OrderState::Paid { .. } => self
                .shipment
                .as_ref()
                .is_some_and(|s| s.status() == ShipmentStatus::Preparing),
            OrderState::Rejected { .. }
            | OrderState::Paying { .. }
            | OrderState::Expired { .. }
            | OrderState::PaymentFailed { .. }
            | OrderState::Cancelled { .. } => false,
        }
    }

    /// Whether it is delivered with units that nobody has asked to give back.
    #[must_use]
    pub fn has_returnable(&self) -> bool {
        let mut lines = self.lines.iter().enumerate();
        self.delivered_at().is_some()
            && lines.any(|(at, line)| self.returnable(at, line.kept()) > 0)
    }

    /// The refusal of settling a return that is not open.
    #[must_use]
    pub fn settled(&self, id: ReturnId) -> Refusal {
        match self.return_request(id) {
            Some(request) => Reason::ReturnSettled {
                state: request.state.status(),
            },
            None => Reason::NotFound,
        }
        .into()
    }

    fn delivered_at(&self) -> Option<Timestamp> {
        match self.shipment.as_ref()?.state {
            ShipmentState::Delivered { delivered_at, .. } => Some(delivered_at),
            ShipmentState::Preparing { .. }
            | ShipmentState::InTransit { .. }
            | ShipmentState::Cancelled { .. } => None,
        }
    }

    fn return_request(&self, id: ReturnId) -> Option<&ReturnRequest> {
        self.returns.iter().find(|request| request.id == id)
    }

    /// Of `kept` units of a line, those that no open return asks for.
    fn returnable(&self, line: usize, kept: u32) -> u32 {
        let open = self
            .returns
            .iter()
            .filter(|request| request.state.status() == ReturnStatus::Requested);
        let asked = open
            .flat_map(|request| &request.lines)
            .filter(|portion| usize::try_from(portion.line) == Ok(line));
        asked.fold(kept, |left, portion| {
            left.saturating_sub(portion.quantity.get())
        })
    }

    /// A refund of `amount`, or of what is left of the payment; none of nothing.
    fn refund_of(
        &self,
        payment: &Payment,
        (id, reason): (RefundId, RefundReason),
        amount: Money,
        now: Timestamp,
    ) -> Option<Refund> {
        let left = self.refundable(payment);
        let amount = Money {
            minor: amount.minor.min(left.minor),
            ..amount
        };
        (amount.minor > 0).then_some(Refund {
            id,
            payment: payment.id,
            amount,
            reason,
            requested_at: now,
            completed_at: None,
        })
    }
}

impl Transition {
    /// Notes that money goes back.
    pub(super) fn give_back(&mut self, refund: Option<Refund>) {
        if let Some(refund) = refund {
            self.next.refunds.push(refund.clone());
            self.refund = Some(Change::Insert(refund));
        }
    }

    /// Notes that units go back on sale.
    fn take_back(&mut self, portions: &[Portion], count: impl Fn(&mut super::Line, u32)) {
        self.released = self.next.units_of(portions);
        for portion in portions {
            if let Some(line) = self.next.line_mut(portion.line) {
                count(line, portion.quantity.get());
                self.lines.push(portion.line);
            }
        }
    }

    fn move_return(&mut self, to: ReturnRequest) {
        let slot = self.next.returns.iter_mut().find(|slot| slot.id == to.id);
        if let Some(slot) = slot {
            let from = slot.state.status();
            *slot = to.clone();
            self.returning = Some(Change::Move { from, to });
        }
    }
}
