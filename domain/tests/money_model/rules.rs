//! What is allowed, in the words of the product and by arithmetic of its own: days, units and money
//! are counted here from what was done, not read from what the order says of itself.

use domain::delivery::ShipmentStatus;
use domain::message::Verdict;
use domain::order::OrderStatus;
use domain::payment::PaymentStatus;

use crate::act::{Act, Portions};
use crate::setup::{LINES, TIMES, day_of, price};
use crate::world::{Standing, World};

impl World {
    /// Whether an act has to move something.
    pub fn allows(&self, act: Act) -> bool {
        match act {
            Act::Write(at) => {
                let record = &self.records[at];
                let mut admissions = record.admissions.iter();
                let is_new = self.order.is_none() && record.verdict != Verdict::Void;
                is_new || admissions.any(|one| !self.counted.contains(&one.id))
            }
            Act::Wait => self.time + 1 < TIMES.len(),
            _ => self.order.is_some() && self.allows_on_order(act),
        }
    }

    fn allows_on_order(&self, act: Act) -> bool {
        let order = self.order.as_ref().unwrap();
        let status = order.status();
        let shipment = order
            .shipment
            .as_ref()
            .map(domain::delivery::Shipment::status);
        let is_paid = status == OrderStatus::Paid;
        match act {
            Act::Write(_) | Act::Wait => unreachable!("without an order, too"),
            Act::Pay => status == OrderStatus::PendingPayment && !self.is_over(),
            Act::Take(at) => !self.provider[at].took,
            Act::SayNo(at) => {
                let is_asked = order.payments[at].state.status() == PaymentStatus::Requested;
                is_asked && !self.provider[at].took && !self.provider[at].said_no
            }
            Act::HearYes(at) => {
                let is_known = order.payments[at].state.status() == PaymentStatus::Captured;
                self.provider[at].took && !is_known
            }
            // A no is of the attempt in flight alone, which is the newest.
            Act::HearNo(at) => {
                let in_flight = status == OrderStatus::Paying && at + 1 == order.payments.len();
                self.provider[at].said_no && in_flight
            }
            Act::Expire => status == OrderStatus::PendingPayment && self.is_over(),
            Act::Cancel(portions) => {
                let in_time = match status {
                    OrderStatus::PendingPayment => true,
                    OrderStatus::Paid => shipment == Some(ShipmentStatus::Preparing),
                    _ => false,
                };
                in_time && fits(portions, self.kept())
            }
            // On the day after it was paid, and on the one after that: not sooner, however late.
            Act::Dispatch => {
                let is_due = self.paid.is_some_and(|day| self.day() > day);
                is_paid && is_due && shipment == Some(ShipmentStatus::Preparing)
            }
            Act::Deliver => {
                let is_due = self.paid.is_some_and(|day| self.day() > day + 1);
                is_paid && is_due && shipment == Some(ShipmentStatus::InTransit)
            }
            Act::AskReturn(portions) => {
                // Until the end of the day after it was delivered.
                let in_time = self.delivered.is_some_and(|day| self.day() <= day + 1);
                let left = self.unasked();
                in_time && left != [0; LINES] && fits(portions, left)
            }
            Act::CompleteReturn(at) => match self.returns[at] {
                // The day after it was asked for, or later.
                (Standing::Open { since }, _) => self.day() > since,
                (Standing::Settled, _) => false,
            },
            Act::ApproveReturn(at) | Act::RejectReturn(at) => {
                matches!(self.returns[at].0, Standing::Open { .. })
            }
            Act::RefundByHand(amount) => {
                order
                    .payments
                    .iter()
                    .any(|of| of.state.status() == PaymentStatus::Captured)
                    && amount >= 1
                    && amount <= self.says()
            }
            Act::Give(at) => !self.given.contains(&order.refunds[at].id),
            Act::HearGiven(at) => {
                let refund = &order.refunds[at];
                self.given.contains(&refund.id) && refund.completed_at.is_none()
            }
        }
    }

    /// Whether the time to pay is over.
    pub fn is_over(&self) -> bool {
        self.due.is_some_and(|due| due <= self.now())
    }

    pub fn day(&self) -> i64 {
        day_of(self.now())
    }

    /// Units of each line that are neither cancelled nor returned.
    pub fn kept(&self) -> [u32; LINES] {
        std::array::from_fn(|at| 2 - self.cancelled[at] - self.returned[at])
    }

    /// Those of them that no open return asks for.
    pub fn unasked(&self) -> [u32; LINES] {
        let mut left = self.kept();
        for (standing, portions) in &self.returns {
            if matches!(standing, Standing::Open { .. }) {
                for (left, asked) in left.iter_mut().zip(portions) {
                    *left = left.checked_sub(*asked).expect("asked for once");
                }
            }
        }
        left
    }

    /// The money that the shop has for the order by its state: for one that is paid the price of
    /// what the buyer keeps, less what operators gave back; never less than nothing.
    pub fn says(&self) -> i64 {
        let is_paid = self
            .order
            .as_ref()
            .is_some_and(|order| order.status() == OrderStatus::Paid);
        if !is_paid {
            return 0;
        }
        (price(self.kept()) - self.by_hand).max(0)
    }
}

/// Whether so many units of each line are there.
fn fits(portions: Portions, left: [u32; LINES]) -> bool {
    let mut named = [false; LINES];
    portions.iter().all(|(line, units)| {
        let at = usize::try_from(*line).unwrap();
        let fits = left.get(at).is_some_and(|left| *units <= i64::from(*left));
        fits && !std::mem::replace(&mut named[at], true)
    })
}
