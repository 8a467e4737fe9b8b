//! Paying an order and seeing it through: one buyer's side of a payment.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Client, NoAnswer, Token};
use super::patience::{Look, Patience};
use super::requests::{self, Asked, Order, UserError};

/// How a payment ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payment {
    Captured,
    /// The order is in another state that it does not leave by itself, or waits for another payment.
    Not {
        state: String,
        rejection: Option<String>,
    },
    /// The payment was not even started.
    Refused(Vec<UserError>),
    /// Nothing was decided in time; the state that was seen last, if one was.
    Undecided {
        state: Option<String>,
    },
    /// There was no answer that would let anybody go on.
    NoAnswer(NoAnswer),
}

/// An order to pay, and how.
pub struct Bill<'a> {
    pub order: &'a str,
    /// The same for every repetition.
    pub key: Uuid,
    pub method: &'a str,
    pub deadline: Instant,
    /// Spreads the tries of a crowd.
    pub seed: u64,
}

/// Starts the payment, under one key however often, and waits until the order is PAID or will not be.
pub async fn pay(client: &mut Client, token: &Token, bill: &Bill<'_>) -> Payment {
    let mut patience = Patience::until(bill.deadline, bill.seed);
    loop {
        let asked = requests::pay_order(client, token, bill.key, bill.order, bill.method).await;
        let asked_for = match asked {
            Ok(Asked::Done { order, .. }) => match decided(order) {
                Some(payment) => return payment,
                None => return watch(client, token, bill).await,
            },
            Ok(Asked::Refused(errors)) if errors.iter().all(UserError::is_retryable) => {
                errors.iter().filter_map(|error| error.retry_after_ms).max()
            }
            // Somebody, or an earlier run, has paid it before: then it shows in its state.
            Ok(Asked::Refused(errors))
                if errors.iter().any(|error| error.code == "STATE_CONFLICT") =>
            {
                return watch(client, token, bill).await;
            }
            Ok(Asked::Refused(errors)) => return Payment::Refused(errors),
            Err(no_answer) if no_answer.is_retryable() => None,
            Err(no_answer) => return Payment::NoAnswer(no_answer),
        };
        if !patience.wait(asked_for.map(Duration::from_millis)).await {
            return Payment::Undecided { state: None };
        }
    }
}

/// Looks at the order until its payment is decided.
async fn watch(client: &mut Client, token: &Token, bill: &Bill<'_>) -> Payment {
    let (mut look, mut seen) = (Look::new(), None);
    loop {
        match requests::orders(client, token, &[bill.order]).await {
            Ok(orders) => {
                let Some(order) = orders.into_iter().flatten().next() else {
                    return Payment::Not {
                        state: "NOT_FOUND".to_owned(),
                        rejection: None,
                    };
                };
                seen = Some(order.state.clone());
                if let Some(payment) = decided(order) {
                    return payment;
                }
            }
            Err(no_answer) if no_answer.is_retryable() => {}
            Err(no_answer) => return Payment::NoAnswer(no_answer),
        }
        if !look.again(bill.deadline).await {
            return Payment::Undecided { state: seen };
        }
    }
}

/// What the state says about the payment, if it says anything.
fn decided(
    Order {
        state, rejection, ..
    }: Order,
) -> Option<Payment> {
    match state.as_str() {
        "PAID" => Some(Payment::Captured),
        "ACCEPTED" | "PAYING" => None,
        _ => Some(Payment::Not { state, rejection }),
    }
}
