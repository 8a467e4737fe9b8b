//! Beats, and how healing ends.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use domain::gate::Shard;
use domain::ports::gate::{Beat, HealingItem};
use domain::{Fault, Timestamp};

use super::{Shared, ms};
use crate::redis::connection::fault;
use crate::redis::keys::ShardKeys;
use crate::redis::replies::{Reply, wrong};

const DOING: &str = "giving the gate its beat";
/// Items that one call heals, and that are asked for at once.
const AT_ONCE: usize = 500;

/// The highest beat and epoch that this process had from a shard: what goes back below them was
/// lost.
#[derive(Default)]
pub(super) struct Seen {
    beat: AtomicU64,
    epoch: AtomicU32,
}

pub(super) async fn beat(shared: &Shared, keys: &ShardKeys, seen: &Seen) -> Result<Beat, Fault> {
    let script = &shared.scripts.beat;
    let mut call = script.call(2, 4, 256);
    call.arg(&keys.state)
        .arg(&keys.moved)
        .arg(seen.beat.load(Ordering::Relaxed))
        .arg(seen.epoch.load(Ordering::Relaxed))
        .arg(ms(shared.settings.trust))
        .arg(&keys.levels);
    let mut answer = Reply::new(DOING, script.run(&shared.primary, &call).await?)?;
    let how = answer.text()?;
    let number = answer.unsigned()?;
    let epoch = u32::try_from(answer.int()?).map_err(|_| wrong(DOING, "an impossible epoch"))?;
    seen.beat.fetch_max(number, Ordering::Relaxed);
    seen.epoch.fetch_max(epoch, Ordering::Relaxed);
    let missing_since = match answer.int()? {
        -1 => None,
        since => Some(Timestamp::from_timestamp_millis(since).unwrap_or(Timestamp::UNIX_EPOCH)),
    };
    if how != "steady" {
        let shard = keys.shard.0;
        tracing::warn!(shard, how, epoch, "the gate may have lost writes: it heals");
    }
    Ok(Beat {
        number,
        epoch,
        missing_since,
    })
}

pub(super) async fn healing_items(
    shared: &Shared,
    shard: Shard,
) -> Result<Vec<HealingItem>, Fault> {
    const DOING: &str = "looking for items that heal";
    let keys = shared.shard(shard)?;
    let mut ask = redis::cmd("HRANDFIELD");
    ask.arg(&keys.healing).arg(AT_ONCE).arg("WITHVALUES");
    let answer = shared.primary.run(&ask).await;
    let mut answer = Reply::new(DOING, answer.map_err(|error| fault(DOING, error))?)?;
    let mut items = Vec::new();
    while !answer.is_over() {
        let (key, mark) = (answer.text()?, answer.text()?);
        let item = keys.item_of(&key);
        let loaded_at = mark.parse().ok().and_then(Timestamp::from_timestamp_millis);
        items.push(HealingItem {
            item: item.ok_or_else(|| wrong(DOING, "it is no item"))?,
            loaded_at: loaded_at.ok_or_else(|| wrong(DOING, "it is no mark"))?,
        });
    }
    Ok(items)
}

pub(super) async fn heal(
    shared: &Shared,
    shard: Shard,
    since: Beat,
    whole: bool,
    items: &[HealingItem],
) -> Result<bool, Fault> {
    const DOING: &str = "healing the gate";
    let keys = shared.shard(shard)?;
    let script = &shared.scripts.heal;
    let (first, others) = items.split_at(items.len().min(AT_ONCE));
    for items in std::iter::once(first).chain(others.chunks(AT_ONCE)) {
        let count = items.len();
        let mut call = script.call(2 + count, 3 + count, 128 + 96 * count);
        call.arg(&keys.state).arg(&keys.healing);
        for healing in items {
            call.arg(keys.item(healing.item));
        }
        call.arg(since.number).arg(since.epoch).arg(u8::from(whole));
        for healing in items {
            call.arg(healing.loaded_at.timestamp_millis());
        }
        let mut answer = Reply::new(DOING, script.run(&shared.primary, &call).await?)?;
        match answer.bytes()?.as_slice() {
            b"healed" => {}
            b"lost" => return Ok(false),
            _ => return Err(wrong(DOING, "an unknown word")),
        }
    }
    Ok(true)
}
