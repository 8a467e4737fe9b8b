//! Taking stock for an order: one round trip.

use domain::gate::{EntryId, Obstacle, Reservation, Reserved};
use domain::message::{Admission, OrderRecord, Verdict};
use domain::{Fault, ItemId, Timestamp};
use uuid::Uuid;

use super::Shared;
use super::receipts;
use crate::redis::keys::Id;
use crate::redis::replies::{Reply, wrong};
use crate::wire::order_record;

const DOING: &str = "reserving at the gate";
/// Bytes that an argument takes, about.
const ARGUMENT: usize = 48;

pub(super) async fn reserve(shared: &Shared, asked: &Reservation) -> Result<Reserved, Fault> {
    let keys = shared.shard(asked.shard)?;
    let draft = &asked.draft;
    // The entry is the record that the log would get for this shard alone.
    let record = OrderRecord {
        draft: draft.clone(),
        admissions: vec![Admission {
            id: asked.admission,
            units: asked.units.clone(),
        }],
        verdict: Verdict::Accepted,
    };
    let payload = order_record::encode(&record).map_err(|error| Fault::corrupt(DOING, error))?;

    let lines = asked.units.len();
    let bytes = payload.len() + (10 + 2 * lines) * ARGUMENT;
    let mut call = shared.scripts.reserve.call(4 + lines, 6 + lines, bytes);
    call.arg(&keys.state)
        .arg(&keys.edge)
        .arg(&keys.moved)
        .arg(keys.receipt(draft.order));
    for units in &asked.units {
        call.arg(keys.item(units.item));
    }
    call.arg(Id(Uuid::from_u128(draft.fingerprint.0)))
        .arg(Id(asked.admission.0))
        .arg(shared.receipt_ms())
        .arg(shared.settings.edge_queue_max)
        .arg(Id(draft.buyer.0))
        .arg(payload);
    for units in &asked.units {
        call.arg(units.count);
    }
    let answer = shared.scripts.reserve.run(&shared.primary, &call).await?;
    read(asked, Reply::new(DOING, answer)?)
}

fn read(asked: &Reservation, mut answer: Reply) -> Result<Reserved, Fault> {
    match answer.bytes()?.as_slice() {
        b"accepted" => {
            let entry = entry(asked, &mut answer)?;
            entry.map_or_else(
                || Err(wrong(DOING, "an entry without a place")),
                |entry| Ok(Reserved::Taken { entry }),
            )
        }
        b"receipt" => known(asked, answer),
        b"full" => Ok(Reserved::QueueFull),
        b"refused" => {
            let (obstacles, _) = in_the_way(asked, answer)?;
            Ok(Reserved::Refused(obstacles))
        }
        b"not_loaded" => {
            let (_, unknown) = in_the_way(asked, answer)?;
            Ok(Reserved::NotLoaded(unknown))
        }
        b"healing" => Ok(Reserved::Healing),
        _ => Err(wrong(DOING, "an unknown word")),
    }
}

/// The entry of this order in this shard.
fn entry(asked: &Reservation, answer: &mut Reply) -> Result<Option<EntryId>, Fault> {
    let of = |place| EntryId {
        shard: asked.shard,
        place,
        admission: asked.admission,
    };
    Ok(answer.place()?.map(of))
}

fn known(asked: &Reservation, answer: Reply) -> Result<Reserved, Fault> {
    let found = receipts::read(DOING, asked.shard, asked.draft.order, answer)?;
    match found.entry {
        // The same call, run again over a new connection.
        Some(entry) if entry.admission == asked.admission => Ok(Reserved::Taken { entry }),
        entry => Ok(Reserved::Known {
            receipt: found.receipt,
            entry,
        }),
    }
}

/// What stands in the way for good, and the items that are not loaded.
fn in_the_way(
    asked: &Reservation,
    mut answer: Reply,
) -> Result<(Vec<Obstacle>, Vec<ItemId>), Fault> {
    let (mut obstacles, mut unknown) = (Vec::new(), Vec::new());
    let _now = answer.int()?;
    while !answer.is_over() {
        let at = usize::try_from(answer.unsigned()?).unwrap_or(usize::MAX);
        let units = asked.units.get(at.wrapping_sub(1));
        let item = units.ok_or_else(|| wrong(DOING, "a line that was not asked for"))?;
        let item = item.item;
        let reason = answer.bytes()?;
        let (x, y) = (answer.int()?, answer.int()?);
        match reason.as_slice() {
            b"not_loaded" => unknown.push(item),
            b"healing" => {}
            reason => obstacles.push(obstacle(item, reason, x, y)?),
        }
    }
    Ok((obstacles, unknown))
}

fn obstacle(item: ItemId, reason: &[u8], x: i64, y: i64) -> Result<Obstacle, Fault> {
    let instant = |ms| {
        Timestamp::from_timestamp_millis(ms).ok_or_else(|| wrong(DOING, "an impossible instant"))
    };
    Ok(match reason {
        b"sold_out" => Obstacle::SoldOut { item, available: x },
        b"not_open" => Obstacle::NotOpen {
            item,
            opens_at: instant(x)?,
        },
        b"closed" => Obstacle::Closed {
            item,
            closed_at: instant(x)?,
        },
        b"paused" => Obstacle::Paused { item },
        b"limit" => Obstacle::Limit {
            item,
            limit: u32::try_from(y).map_err(|_| wrong(DOING, "an impossible limit"))?,
            held: x,
            remaining: (y - x).max(0),
        },
        _ => return Err(wrong(DOING, "an unknown reason")),
    })
}
