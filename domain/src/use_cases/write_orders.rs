//! Writes accepted orders into the ledger, a batch in one transaction, and tells the gate.

use std::collections::HashMap;

use crate::Fault;
use crate::message::{Message, Offset, Partition, Verdict};
use crate::ports::Ports;
use crate::ports::log::{DeadLetter, Delivery, Group};
use crate::ports::orders::{BatchWritten, WriteBatch};

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// In the ledger; `next` is where the writer goes on.
    Done { next: Offset },
    /// Another writer has the partition now.
    NotMine,
}

/// Writes `deliveries`, which start at `from` and have no gaps. What can't be read is put aside and
/// passed.
///
/// # Errors
/// A fault of the ledger: nothing was written, the same batch may be sent again. A gate that can't
/// be told is no fault: the keeper tells it again.
pub async fn write_orders(
    ports: &Ports,
    partition: Partition,
    from: Offset,
    deliveries: &[Delivery],
) -> Result<Written, Fault> {
    let Some(last) = deliveries.last() else {
        return Ok(Written::Done { next: from });
    };
    let next = Offset(last.offset.0 + 1);
    let mut records = Vec::with_capacity(deliveries.len());
    let mut traces = HashMap::new();
    for delivery in deliveries {
        match &delivery.content {
            Ok(Message::Order(record)) => {
                // The first record of an order is what is written; a void one names another's order.
                if let Some(trace) = &delivery.trace
                    && trace.is_sampled
                    && record.verdict != Verdict::Void
                {
                    let order = record.draft.order;
                    traces.entry(order).or_insert_with(|| trace.clone());
                }
                records.push(record.clone());
            }
            Ok(Message::Event(_)) => {
                put_aside(ports, delivery, "an event among accepted orders").await?;
            }
            Err(unreadable) => put_aside(ports, delivery, &unreadable.reason).await?,
        }
    }
    let hold_ms = ports.policies.hold_ms;
    let batch = WriteBatch {
        partition,
        from,
        next,
        records,
        traces,
        hold_ms,
    };
    match ports.orders.write_batch(&batch).await? {
        BatchWritten::NotMine => Ok(Written::NotMine),
        BatchWritten::Done(tellings) => {
            // A short cut only; the gate keeper makes it certain.
            let _ = ports.gate.sync(&tellings).await;
            Ok(Written::Done { next })
        }
    }
}

async fn put_aside(ports: &Ports, delivery: &Delivery, reason: &str) -> Result<(), Fault> {
    let letter = DeadLetter {
        group: Group::OrderWriter,
        partition: delivery.partition,
        offset: delivery.offset,
        reason: reason.to_owned(),
        attempts: 1,
    };
    ports.log.put_aside(&letter).await
}
