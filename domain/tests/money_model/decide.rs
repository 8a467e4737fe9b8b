//! What can be tried, and what the order makes of it.

use domain::order::{NewIds, Portion, Transition};
use domain::payment::{DeclineReason, PaymentMethod};
use domain::{PaymentId, Quantity, RefundId, ReturnId, ShipmentId};
use uuid::Uuid;

use crate::act::{Act, Bounds, Portions};
use crate::setup::{RETURNS, calendar, won};
use crate::world::World;

impl World {
    /// Everything that can be tried now.
    pub fn acts(&self, bounds: &Bounds) -> Vec<Act> {
        let records = self.records.len();
        let Some(order) = &self.order else {
            return Act::all(bounds, records, 0, 0, 0);
        };
        let (payments, returns) = (order.payments.len(), order.returns.len());
        let mut acts = Act::all(bounds, records, payments, returns, order.refunds.len());
        acts.retain(|act| match act {
            Act::Pay => payments < bounds.payments,
            Act::AskReturn(_) => returns < bounds.returns,
            Act::RefundByHand(_) => self.by_hands < bounds.most_by_hand,
            Act::Give(at) | Act::HearGiven(at) if bounds.in_turn => {
                let mut before = order.refunds[..*at].iter();
                before.all(|refund| refund.completed_at.is_some())
            }
            _ => true,
        });
        acts
    }

    /// What is decided, on the order as it is now.
    pub fn steps(&self, act: Act) -> Vec<Transition> {
        let Some(order) = &self.order else {
            return Vec::new();
        };
        let now = self.now();
        let refund = RefundId(Uuid::from_u128(500 + order.refunds.len() as u128));
        let payment = |at: usize| order.payments[at].id;
        let returned = |at: usize| order.returns[at].id;
        let one = |step: Option<Transition>| step.into_iter().collect();
        match act {
            Act::Pay => {
                let id = PaymentId(Uuid::from_u128(400 + order.payments.len() as u128));
                let method = PaymentMethod("tok".to_owned());
                one(order.pay(id, method, None, now).ok())
            }
            Act::HearYes(at) if self.provider[at].took => {
                let shipment = ShipmentId(Uuid::from_u128(600));
                let new = NewIds { shipment, refund };
                one(order.captured(payment(at), &calendar(), new, now))
            }
            Act::HearNo(at) if self.provider[at].said_no => {
                let steps = order.declined(payment(at), DeclineReason::Refused, now);
                steps.map(Vec::from).unwrap_or_default()
            }
            Act::HearGiven(at) if self.given.contains(&order.refunds[at].id) => {
                one(order.refunded(order.refunds[at].id, now))
            }
            // What nobody said can't be heard; the others are not the order's.
            Act::HearYes(_)
            | Act::HearNo(_)
            | Act::HearGiven(_)
            | Act::Write(_)
            | Act::Take(_)
            | Act::SayNo(_)
            | Act::Give(_)
            | Act::Wait => Vec::new(),
            Act::Expire => one(order.expire(now)),
            Act::Cancel(named) => one(order.cancel(&portions(named), refund, now).ok()),
            Act::Dispatch => one(order.dispatch("T".to_owned(), &calendar(), now)),
            Act::Deliver => one(order.deliver(now)),
            Act::AskReturn(named) => {
                let id = ReturnId(Uuid::from_u128(700 + order.returns.len() as u128));
                let named = portions(named);
                let what = (named.as_slice(), "does not fit");
                one(order
                    .request_return(id, what, (&RETURNS, &calendar()), now)
                    .ok())
            }
            Act::CompleteReturn(at) => one(order.complete_return(returned(at), refund, false, now)),
            Act::ApproveReturn(at) => one(order.complete_return(returned(at), refund, true, now)),
            Act::RejectReturn(at) => one(order.reject_return(returned(at), "worn", now).ok()),
            Act::RefundByHand(amount) => one(order.refund_by_hand(refund, won(amount), now).ok()),
        }
    }
}

fn portions(named: Portions) -> Vec<Portion> {
    let portion = |(line, units): &(u32, i64)| Portion {
        line: *line,
        quantity: Quantity::new(*units).unwrap(),
    };
    named.iter().map(portion).collect()
}
