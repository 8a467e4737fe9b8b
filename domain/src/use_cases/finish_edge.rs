//! Finishes orders that were taken at the gate and never got to the log: whoever was to publish
//! them is gone, or the log was away.

use futures_util::{StreamExt, stream};

use crate::Fault;
use crate::ports::Ports;
use crate::use_cases::accept_edge;

/// Entries that are finished at once.
const AT_ONCE: usize = 16;

/// Publishes entries that have waited for `age_ms`; returns how many were taken up. Duplicates are
/// harmless: the ledger counts each admission once.
///
/// # Errors
/// The first fault of the gate, once all were tried: a shard that is away must not hold up the
/// others' orders. What is left is claimed again later.
pub async fn finish_edge(ports: &Ports, age_ms: u64, most: usize) -> Result<usize, Fault> {
    let entries = ports.gate.claim_stale(age_ms, most).await?;
    let finishing: Vec<_> = entries
        .iter()
        .map(|entry| accept_edge::finish(ports, entry))
        .collect();
    let mut finished = stream::iter(finishing).buffer_unordered(AT_ONCE);
    let mut first_fault = None;
    while let Some(finished) = finished.next().await {
        if let Err(fault) = finished {
            first_fault.get_or_insert(fault);
        }
    }
    first_fault.map_or(Ok(entries.len()), Err)
}
