//! What every change that a buyer asks of an order shares: the key it is asked under, and deciding
//! again when somebody commits first.

use crate::gate::Fingerprint;
use crate::order::{KeyUse, Order, Transition};
use crate::ports::Ports;
use crate::ports::orders::Committed;
use crate::refusal::Reason;
use crate::use_cases::tell;
use crate::use_cases::view_order::{Found, OrderView, find};
use crate::{AccountId, Failure, OrderId};

/// How often a step is decided again when somebody commits first.
const MOST_TRIES: usize = 5;

/// An order after the request, and whether the same key had made it before.
#[derive(Clone, Debug)]
pub struct Changed {
    pub order: Order,
    pub replayed: bool,
}

/// Decides a step of `order` for its buyer under a key, again for as long as somebody else commits
/// first.
pub(crate) async fn change(
    ports: &Ports,
    key: KeyUse,
    order: OrderId,
    decide: impl Fn(&Order) -> Result<Transition, Reason> + Send + Sync,
) -> Result<Changed, Failure> {
    for _ in 0..MOST_TRIES {
        let seen = written(ports, key.requester, order).await?;
        if is_used(ports, &key).await? {
            // Read again: what was seen may be from before the key was used.
            let order = written(ports, key.requester, order).await?;
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
async fn written(ports: &Ports, buyer: AccountId, id: OrderId) -> Result<Order, Failure> {
    match find(ports, buyer, id).await? {
        Found::Nothing => Err(Reason::NotFound.at(["orderId"]).into()),
        Found::Order(OrderView::Accepted(_)) => Err(Reason::TryAgain { after_ms: 200 }.into()),
        Found::Unsure => Err(Reason::TryAgain { after_ms: 1_000 }.into()),
        Found::Order(OrderView::Written(order)) => Ok(*order),
    }
}

/// Whether the key has made this change before.
async fn is_used(ports: &Ports, key: &KeyUse) -> Result<bool, Failure> {
    let used = ports
        .orders
        .key_use(key.requester, key.mutation, key.key)
        .await?;
    match used {
        None => Ok(false),
        Some((fingerprint, _)) if fingerprint == key.fingerprint => Ok(true),
        Some(_) => Err(Reason::IdempotencyKeyReused.at(["idempotencyKey"]).into()),
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
