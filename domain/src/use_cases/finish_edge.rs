//! Finishes orders that were taken at the gate and never got to the log: whoever was to publish
//! them is gone, or the log was away.

use crate::Fault;
use crate::ports::Ports;
use crate::use_cases::accept_edge;

/// Publishes entries that have waited for `age_ms`; returns how many were taken up. Duplicates are
/// harmless: the ledger counts each admission once.
///
/// # Errors
/// A fault of the gate; what is left is claimed again later.
pub async fn finish_edge(ports: &Ports, age_ms: u64, most: usize) -> Result<usize, Fault> {
    let entries = ports.gate.claim_stale(age_ms, most).await?;
    for entry in &entries {
        accept_edge::finish(ports, entry).await?;
    }
    Ok(entries.len())
}
