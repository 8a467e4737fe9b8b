//! Whether a client's key was used before: every mutation that moves stock or money asks it.

use uuid::Uuid;

use crate::Failure;
use crate::order::KeyUse;
use crate::ports::Ports;
use crate::refusal::Reason;

/// What the key made or changed, if it did before.
///
/// # Errors
/// It was used for something else; a fault of the ledger.
pub(crate) async fn used_for(ports: &Ports, key: &KeyUse) -> Result<Option<Uuid>, Failure> {
    let used = ports
        .orders
        .key_use(key.requester, key.mutation, key.key)
        .await?;
    match used {
        None => Ok(None),
        Some((fingerprint, subject)) if fingerprint == key.fingerprint => Ok(Some(subject)),
        Some(_) => Err(Reason::IdempotencyKeyReused.at(["idempotencyKey"]).into()),
    }
}
