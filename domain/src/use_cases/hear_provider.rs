//! The provider tells something of its own accord. That is a hint: the provider is asked what became
//! of the payment, and only its answer moves anything.

use crate::order::{Order, Transition};
use crate::payment::{CaptureAnswer, Payment, PaymentState};
use crate::ports::Ports;
use crate::ports::orders::Committed;
use crate::ports::provider::{Heard, Notice, NoticeRefused, ProviderReference};
use crate::use_cases::settle_payments::{Settled, decide};
use crate::use_cases::tell;
use crate::{Fault, OrderId, PaymentId};

/// How often an answer is applied again when somebody commits first.
const MOST_TRIES: usize = 5;

/// Listens to a notice. Returns once everything that follows from it is committed; heard again, late
/// or before the answer it is about, it changes nothing twice: each step names what it saw, and a
/// payment that is captured is not asked about again. So no notice has to be remembered.
///
/// # Errors
/// A notice that is not the provider's; a fault, or an outcome that nobody knows yet: then it has
/// to be sent again.
pub async fn hear_provider(ports: &Ports, notice: &Notice<'_>) -> Result<(), NoticeRefused> {
    match ports.provider.hear(notice).await? {
        Heard::Nothing => Ok(()),
        Heard::Settled { payment, known_as } => Ok(apply(ports, payment, &known_as).await?),
    }
}

impl From<Fault> for NoticeRefused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn apply(ports: &Ports, id: PaymentId, known_as: &ProviderReference) -> Result<(), Fault> {
    // One that we never asked for is somebody else's, who has the same provider.
    let Some(order) = ports.orders.order_of_payment(id).await? else {
        return Ok(());
    };
    let Some(mut seen) = open(ports, order, id).await? else {
        return Ok(());
    };
    let answer = ports.provider.look_up(&seen.1, Some(known_as)).await;
    if answer == CaptureAnswer::Unknown {
        let text = "nobody knows yet what came of the payment";
        return Err(Fault::unavailable(DOING, text));
    }
    for _ in 0..MOST_TRIES {
        if settle(ports, decide(ports, &seen.0, id, answer)).await? {
            return Ok(());
        }
        match open(ports, order, id).await? {
            Some(now) => seen = now,
            None => return Ok(()),
        }
    }
    Err(Fault::unavailable(DOING, "somebody else keeps committing"))
}

const DOING: &str = "listening to the payment provider";

/// The order with the payment, unless there is nothing left to hear about it.
async fn open(
    ports: &Ports,
    order: OrderId,
    payment: PaymentId,
) -> Result<Option<(Order, Payment)>, Fault> {
    let order = ports.orders.orders(&[order]).await?.pop();
    Ok(order.and_then(|order| {
        let payment = order.payment(payment)?.clone();
        let is_captured = matches!(payment.state, PaymentState::Captured { .. });
        (!is_captured).then_some((order, payment))
    }))
}

/// Whether it is settled: one of the steps is committed, or there is none to take.
async fn settle(ports: &Ports, settled: Settled) -> Result<bool, Fault> {
    match settled {
        Settled::Nothing => Ok(true),
        Settled::One(step) => commit(ports, *step).await,
        // Of each declined pair the ledger's clock lets exactly one through.
        Settled::Declined(steps) => {
            let [again, failed] = *steps;
            Ok(commit(ports, again).await? || commit(ports, failed).await?)
        }
    }
}

async fn commit(ports: &Ports, step: Transition) -> Result<bool, Fault> {
    let committed = tell::commit(ports, &[step]).await?.pop();
    Ok(matches!(committed, Some(Committed::Done(_))))
}
