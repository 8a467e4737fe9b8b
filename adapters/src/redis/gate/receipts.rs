//! What the gate remembers of accepted orders.

use domain::gate::{EntryId, Fingerprint, Recall, Receipt, Shard};
use domain::{AdmissionId, Fault, OrderId};
use futures_util::future::try_join_all;
use redis::Pipeline;

use super::Shared;
use crate::redis::keys::{Id, ShardKeys};
use crate::redis::replies::{Reply, wrong};
use crate::wire::order_record;

const DOING: &str = "reading a receipt";
/// Receipts that one call tells.
const AT_ONCE: usize = 500;

/// A receipt, and its entry while that is in the edge queue.
pub(super) struct Found {
    pub receipt: Receipt,
    pub entry: Option<EntryId>,
}

/// Reads what follows the word *receipt*.
pub(super) fn read(
    doing: &'static str,
    shard: Shard,
    order: OrderId,
    mut answer: Reply,
) -> Result<Found, Fault> {
    let fingerprint = Fingerprint(answer.id()?.as_u128());
    let admission = AdmissionId(answer.id()?);
    let place = answer.place()?;
    let is_queued = answer.int()? == 1;
    let payload = answer.bytes()?;
    let draft = match payload.as_slice() {
        [] => None,
        payload => {
            let record = order_record::decode(payload);
            let record = record.map_err(|error| Fault::corrupt(doing, error))?;
            Some(record.draft)
        }
    };
    let entry = place.filter(|_| is_queued).map(|place| EntryId {
        shard,
        place,
        admission,
    });
    Ok(Found {
        receipt: Receipt {
            order,
            fingerprint,
            admission,
            draft,
        },
        entry,
    })
}

/// What is remembered of an order. Any shard may have its receipt: an order does not say which it
/// asked.
pub(super) async fn recall(shared: &Shared, order: OrderId) -> Result<Recall, Fault> {
    let asked = shared
        .shards
        .iter()
        .map(|keys| of_shard(shared, keys, order));
    let recalled = try_join_all(asked).await?.into_iter();
    Ok(recalled.reduce(Recall::or).unwrap_or(Recall::Nothing))
}

async fn of_shard(shared: &Shared, keys: &ShardKeys, order: OrderId) -> Result<Recall, Fault> {
    let script = &shared.scripts.receipt;
    let mut call = script.call_read_only(3, 128);
    call.arg(keys.receipt(order))
        .arg(&keys.edge)
        .arg(&keys.state);
    let mut answer = Reply::new(DOING, script.run(&shared.primary, &call).await?)?;
    match answer.bytes()?.as_slice() {
        b"none" => Ok(Recall::Nothing),
        b"unsure" => Ok(Recall::Unsure),
        b"receipt" => {
            let found = read(DOING, keys.shard, order, answer)?;
            Ok(Recall::Receipt(found.receipt))
        }
        _ => Err(wrong(DOING, "an unknown word")),
    }
}

/// Tells receipts that may have been forgotten.
pub(super) async fn tell(shared: &Shared, shard: Shard, receipts: &[Receipt]) -> Result<(), Fault> {
    if receipts.is_empty() {
        return Ok(());
    }
    let keys = shared.shard(shard)?;
    let script = &shared.scripts.remember;
    let mut calls = Pipeline::new();
    for receipts in receipts.chunks(AT_ONCE) {
        let count = receipts.len();
        let mut call = script.call(count, 1 + 2 * count, count * 160);
        for receipt in receipts {
            call.arg(keys.receipt(receipt.order));
        }
        call.arg(shared.receipt_ms());
        for receipt in receipts {
            call.arg(Id(uuid::Uuid::from_u128(receipt.fingerprint.0)))
                .arg(Id(receipt.admission.0));
        }
        calls.add_command(call);
    }
    script.run_all(&shared.primary, &calls, &keys.state).await?;
    Ok(())
}
