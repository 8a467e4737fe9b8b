//! Commits steps and tells the gate what they released.

use crate::Fault;
use crate::order::Transition;
use crate::ports::Ports;
use crate::ports::orders::Committed;

/// Commits `steps` in one transaction. A gate that can't be told is no fault: the keeper tells it
/// again.
///
/// # Errors
/// A fault of the ledger: nothing was committed.
pub(crate) async fn commit(ports: &Ports, steps: &[Transition]) -> Result<Vec<Committed>, Fault> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let committed = ports.orders.commit(steps).await?;
    let tellings: Vec<_> = committed
        .iter()
        .filter_map(|committed| match committed {
            Committed::Done(tellings) => Some(tellings.clone()),
            Committed::Conflict | Committed::KeyTaken => None,
        })
        .flatten()
        .collect();
    if !tellings.is_empty() {
        let _ = ports.gate.sync(&tellings).await;
    }
    Ok(committed)
}
