//! Settles payments with the provider: at once when they are asked for, and again by time when
//! their outcome stays unknown.

use async_trait::async_trait;
use domain::event::{OrderEvent, What};
use domain::message::{Message, Topic};
use domain::ports::Ports;
use domain::ports::log::Group;
use domain::use_cases::settle_payments::{ask_again, settle_payments};
use domain::{Fault, OrderId, PaymentId};

use crate::consume::{Consuming, Handler, Subscription};
use crate::context::{Context, End, Worker};

/// Records taken from the log at once.
const RECORDS_AT_ONCE: usize = 100;
/// Payments settled in one transaction. The slowest answer of the provider holds up its own group,
/// so groups are small.
const PAYMENTS_AT_ONCE: usize = 25;
/// Payments asked after by one sweep.
const SWEPT_AT_ONCE: usize = 200;

pub(crate) fn payment(ports: Ports) -> Consuming<Payment> {
    let subscription = Subscription {
        group: Group::Payment,
        topics: &[Topic::Orders],
        most: RECORDS_AT_ONCE,
        at_once: PAYMENTS_AT_ONCE,
    };
    Consuming::new(ports.log.clone(), subscription, Payment(ports))
}

pub(crate) struct Payment(Ports);

#[async_trait]
impl Handler for Payment {
    type Task = (OrderId, PaymentId);

    fn task(&self, message: &Message) -> Option<Self::Task> {
        requested(message)
    }

    async fn handle(&self, tasks: &[Self::Task]) -> Result<(), Fault> {
        settle_payments(&self.0, tasks).await
    }
}

/// The payment that the message asks for, if it does.
fn requested(message: &Message) -> Option<(OrderId, PaymentId)> {
    let Message::Event(event) = message else {
        return None;
    };
    match event.what {
        What::Order {
            order,
            happened: OrderEvent::PaymentRequested { payment },
            ..
        } => Some((order, payment)),
        What::Order { .. }
        | What::Item { .. }
        | What::Account { .. }
        | What::VerificationRequested { .. } => None,
    }
}

/// Asks after payments that nobody has answered for long. It rests after every round, however much
/// it found: what stays unknown is found again.
pub(crate) struct PaymentSweep(pub Ports);

#[async_trait]
impl Worker for PaymentSweep {
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
    use uuid::Uuid;

    #[test]
    fn only_a_requested_payment_is_settled() {
        let payment = PaymentId(Uuid::from_u128(2));
        let order = OrderId(Uuid::from_u128(1));
        let message = |happened| order_event(order, happened);
        let asked = message(OrderEvent::PaymentRequested { payment });
        assert_eq!(requested(&asked), Some((order, payment)));
        assert_eq!(requested(&message(OrderEvent::Paid { payment })), None);
        assert_eq!(
            requested(&message(OrderEvent::PaymentDeclined { payment })),
            None
        );
    }
}
