//! What every change that somebody asks of an order shares: the key it is asked under, and deciding
//! again when somebody commits first.

use crate::gate::Fingerprint;
use crate::order::{KeyUse, Order, Portion, Transition};
use crate::ports::Ports;
use crate::ports::orders::Committed;
use crate::refusal::{Reason, Refusal};
use crate::use_cases::key_use::used_for;
use crate::use_cases::tell;
use crate::use_cases::view_order::{Found, OrderView, find, find_of_anybody};
use crate::{AccountId, Failure, OrderId};

/// How often a step is decided again when somebody commits first.
const MOST_TRIES: usize = 5;

/// An order after the request, and whether the same key had made it before.
#[derive(Clone, Debug)]
pub struct Changed {
    pub order: Order,
    pub replayed: bool,
}

/// Whose order may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// The requester's own.
    Own,
    /// Anybody's: an operator asks.
    Anybodys,
}

/// Decides a step of an order under a key, again for as long as somebody else commits first.
pub(crate) async fn change(
    ports: &Ports,
    key: KeyUse,
    (whose, order): (Whose, OrderId),
    decide: impl Fn(&Order) -> Result<Transition, Refusal> + Send + Sync,
) -> Result<Changed, Failure> {
    for _ in 0..MOST_TRIES {
        let seen = written(ports, key.requester, (whose, order)).await?;
        if used_for(ports, &key).await?.is_some() {
            // Read again: what was seen may be from before the key was used.
            let order = written(ports, key.requester, (whose, order)).await?;
            let replayed = true;
            return Ok(Changed { order, replayed });
        }
        let mut step = decide(&seen)?;
        step.key = Some(key);
        let deadline_may_be_over = step.guard.deadline.is_some();
        match tell::commit(ports, std::slice::from_ref(&step))
            .await?
            .pop()
        {
            Some(Committed::Done(_)) => {
                return Ok(Changed {
                    order: step.next,
                    replayed: false,
                });
            }
            Some(Committed::Conflict) if deadline_may_be_over => {
                payment_window(ports, &seen)?;
            }
            Some(Committed::Conflict | Committed::KeyTaken) | None => {}
        }
    }
    Err(Reason::TryAgain { after_ms: 100 }.into())
}

/// The order if the ledger has it; one that is only accepted can't be changed yet.
async fn written(
    ports: &Ports,
    requester: AccountId,
    (whose, id): (Whose, OrderId),
) -> Result<Order, Failure> {
    let found = match whose {
        Whose::Own => find(ports, requester, id).await?,
        Whose::Anybodys => find_of_anybody(ports, id).await?,
    };
    match found {
        Found::Nothing => Err(Reason::NotFound.at(["orderId"]).into()),
        Found::Order(OrderView::Accepted(_)) => Err(Reason::TryAgain { after_ms: 200 }.into()),
        Found::Unsure => Err(Reason::TryAgain { after_ms: 1_000 }.into()),
        Found::Order(OrderView::Written(order)) => Ok(*order),
    }
}

/// Refuses when the conflict was the ledger's clock and nothing else.
fn payment_window(ports: &Ports, seen: &Order) -> Result<(), Reason> {
    match seen.payment_due_at() {
        Some(since) if since <= ports.clock.now() => Err(Reason::PaymentWindowClosed { since }),
        _ => Ok(()),
    }
}

/// What a key of a mutation on `subject` stands for.
pub(crate) fn fingerprint(OrderId(subject): OrderId, input: &[u8]) -> Fingerprint {
    Fingerprint::of(&[subject.as_bytes().as_slice(), input].concat())
}

/// The same of parts of an order, in the words of a fingerprint.
pub(crate) fn portions(named: &[Portion]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(named.len() * 8);
    for portion in named {
        bytes.extend_from_slice(&portion.line.to_be_bytes());
        bytes.extend_from_slice(&portion.quantity.get().to_be_bytes());
    }
    bytes
}
