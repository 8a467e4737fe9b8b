//! Gives money back: of what was cancelled after its payment or came back, of captures that came
//! for orders that had no use for them, and what an operator gives back by hand.

use async_trait::async_trait;
use domain::event::What;
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::Group;
use domain::use_cases::complete_refunds::{ask_again, complete_refunds};
use domain::{Fault, OrderId, RefundId};

use crate::consume::{Consuming, Handler, Subscription};
use crate::context::{Context, End, Worker};

/// Records taken from the log at once.
const RECORDS_AT_ONCE: usize = 100;
/// Refunds noted in one transaction. The slowest answer of the provider holds up its own group, so
/// groups are small.
const REFUNDS_AT_ONCE: usize = 25;
/// Refunds asked after by one sweep.
const SWEPT_AT_ONCE: usize = 200;

pub(crate) fn cancellation(ports: Ports) -> Consuming<Cancellation> {
    let subscription = Subscription {
        group: Group::Cancellation,
        topics: &[Topic::Orders],
        most: RECORDS_AT_ONCE,
        at_once: REFUNDS_AT_ONCE,
    };
    Consuming::new(ports.log.clone(), subscription, Cancellation(ports))
}

pub(crate) struct Cancellation(Ports);

#[async_trait]
impl Handler for Cancellation {
    type Task = (OrderId, RefundId);

    fn task(&self, message: &Message) -> Option<Self::Task> {
        owed(message)
    }

    async fn handle(&self, tasks: &[Self::Task]) -> Result<(), Fault> {
        complete_refunds(&self.0, tasks).await
    }
}

/// The refund that is owed because of the message, if one is.
fn owed(message: &Message) -> Option<(OrderId, RefundId)> {
    let Message::Event(event) = message else {
        return None;
    };
    let What::Order {
        order, happened, ..
    } = &event.what
    else {
        return None;
    };
    happened.refund_asked().map(|refund| (*order, refund))
}

/// Asks after refunds that nobody has answered for long. It rests after every round, however much
/// it found: what stays unknown is found again.
pub(crate) struct CancellationSweep(pub Ports);

#[async_trait]
impl Worker for CancellationSweep {
    async fn live(&mut self, context: &Context) -> Result<End, Fault> {
        while !context.is_stopping() {
            ask_again(&self.0, SWEPT_AT_ONCE).await?;
            context.rest_after_round(false, context.pace.sweep_ms).await;
        }
        Ok(End::Shutdown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::order_event;
    use domain::event::OrderEvent;
    use domain::{PaymentId, ReturnId};
    use uuid::Uuid;

    #[test]
    fn money_is_owed_after_whatever_asks_for_a_refund() {
        let order = OrderId(Uuid::from_u128(1));
        let refund = RefundId(Uuid::from_u128(2));
        let payment = PaymentId(Uuid::from_u128(3));
        let owed = |happened| owed(&order_event(order, happened));
        let some = Some((order, refund));
        assert_eq!(
            owed(OrderEvent::Cancelled {
                refund: Some(refund)
            }),
            some
        );
        assert_eq!(owed(OrderEvent::CaptureReturned { payment, refund }), some);
        let request = ReturnId(Uuid::from_u128(4));
        let completed = |refund| OrderEvent::ReturnCompleted { request, refund };
        assert_eq!(owed(completed(Some(refund))), some);
        assert_eq!(owed(completed(None)), None);
        assert_eq!(owed(OrderEvent::RefundRequested { refund }), some);
        let part = Some(refund);
        assert_eq!(owed(OrderEvent::LinesCancelled { refund: part }), some);
        assert_eq!(owed(OrderEvent::Cancelled { refund: None }), None);
        assert_eq!(owed(OrderEvent::Refunded { refund }), None);
        assert_eq!(owed(OrderEvent::Expired), None);
    }
}
