//! Moves committed events from the outbox to the log, in order per key.

use crate::Fault;
use crate::message::Message;
use crate::ports::Ports;

/// Moves the oldest events; returns how many. An event that was published but not removed is
/// published again, under the same id.
///
/// # Errors
/// A fault of the log or the ledger; nothing is removed before the log has it.
pub async fn relay_outbox(ports: &Ports, most: usize) -> Result<usize, Fault> {
    let taken = ports.outbox.take(most).await?;
    if taken.events.is_empty() {
        return Ok(0);
    }
    let messages: Vec<Message> = taken.events.into_iter().map(Message::Event).collect();
    ports.log.publish(&messages).await?;
    taken.claim.remove().await?;
    Ok(messages.len())
}
