//! Reading what the gate counts.

use std::collections::BTreeMap;

use domain::gate::{BuyerCount, Level, LevelVersion, Terms};
use domain::{AccountId, Fault, FaultKind, ItemId};
use futures_util::future::try_join_all;
use redis::Value;
use uuid::Uuid;

use super::Shared;
use crate::redis::connection::{Connection, fault};
use crate::redis::keys::ShardKeys;
use crate::redis::replies::{Reply, wrong};

const DOING: &str = "reading levels";
/// Items that one call reads.
const AT_ONCE: usize = 500;
/// Fields of an item that one call looks at, about.
const FIELDS: usize = 1_000;

/// Levels from a replica; from the primary while no replica answers.
pub(super) async fn for_display(shared: &Shared, items: &[ItemId]) -> Result<Vec<Level>, Fault> {
    match read(shared, &shared.display, items).await {
        Err(fault) if fault.kind == FaultKind::Unavailable => {
            read(shared, &shared.primary, items).await
        }
        levels => levels,
    }
}

pub(super) async fn read(
    shared: &Shared,
    on: &Connection,
    items: &[ItemId],
) -> Result<Vec<Level>, Fault> {
    let mut shards = BTreeMap::<u16, Vec<ItemId>>::new();
    for item in items {
        let shard = shared.of_item(*item).shard;
        shards.entry(shard.0).or_default().push(*item);
    }
    let calls = shards.iter().flat_map(|(shard, items)| {
        let keys = &shared.shards[usize::from(*shard)];
        let chunks = items.chunks(AT_ONCE);
        chunks.map(move |items| of_shard(shared, on, keys, items))
    });
    Ok(try_join_all(calls).await?.concat())
}

async fn of_shard(
    shared: &Shared,
    on: &Connection,
    keys: &ShardKeys,
    items: &[ItemId],
) -> Result<Vec<Level>, Fault> {
    let script = &shared.scripts.level;
    let mut call = script.call_read_only(1 + items.len(), 64 * (1 + items.len()));
    call.arg(&keys.state);
    for item in items {
        call.arg(keys.item(*item));
    }
    let mut answer = Reply::new(DOING, script.run(on, &call).await?)?;
    let epoch = u32::try_from(answer.int()?).map_err(|_| wrong(DOING, "an impossible epoch"))?;
    let as_of = answer.instant()?;
    let mut levels = Vec::with_capacity(items.len());
    for item in items {
        let found = answer.next().unwrap_or(Value::Nil);
        if found == Value::Nil {
            continue;
        }
        let mut found = Reply::new(DOING, found)?;
        let (admitted, ceiling, count) = (found.int()?, found.int()?, found.int()?);
        let terms = Terms {
            ceiling,
            version: found.int()?,
            opens_at: found.maybe_instant()?,
            closes_at: found.maybe_instant()?,
            paused: found.int()? == 1,
            limit: u32::try_from(found.int()?).ok().filter(|limit| *limit > 0),
            counts_buyers: found.int()? == 1,
        };
        levels.push(Level {
            item: *item,
            admitted,
            terms,
            version: LevelVersion { epoch, count },
            as_of,
        });
    }
    Ok(levels)
}

/// What the gate counts of every buyer, read piece by piece.
pub(super) async fn buyers(shared: &Shared, item: ItemId) -> Result<Vec<BuyerCount>, Fault> {
    const DOING: &str = "reading an item's buyers";
    let keys = shared.of_item(item);
    let mut counts = BTreeMap::<Uuid, (i64, i64)>::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut scan = redis::cmd("HSCAN");
        scan.arg(keys.item(item))
            .arg(&cursor)
            .arg("COUNT")
            .arg(FIELDS);
        let answer = shared.primary.run(&scan).await;
        let mut answer = Reply::new(DOING, answer.map_err(|error| fault(DOING, error))?)?;
        cursor = answer.text()?;
        let mut fields = Reply::new(DOING, answer.next().unwrap_or(Value::Nil))?;
        while !fields.is_over() {
            let (field, value) = (fields.text()?, fields.text()?);
            let Some((kind @ ("a" | "r"), buyer)) = field.split_once(':') else {
                continue;
            };
            let buyer = Uuid::try_parse(buyer).map_err(|_| wrong(DOING, "it is no id"))?;
            let value = value.parse().map_err(|_| wrong(DOING, "it is no figure"))?;
            let count = counts.entry(buyer).or_default();
            match kind {
                "a" => count.0 = value,
                _ => count.1 = value,
            }
        }
        if cursor == "0" {
            break;
        }
    }
    let count = |(buyer, (admitted, released))| BuyerCount {
        buyer: AccountId(buyer),
        admitted,
        released,
    };
    Ok(counts.into_iter().map(count).collect())
}
