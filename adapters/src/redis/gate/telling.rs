//! What the ledger tells the gate.

use std::collections::BTreeMap;

use domain::gate::{BuyerCount, Telling, Terms};
use domain::{Fault, ItemId};
use redis::{Cmd, Pipeline};

use super::Shared;
use crate::redis::keys::{Id, ShardKeys};
use crate::redis::replies::Reply;
use crate::redis::scripts::Script;

const DOING: &str = "telling the gate";
/// Buyers that one call tells.
const BUYERS: usize = 500;
/// Items and buyers told in one round trip: some ten milliseconds of Redis' time.
const AT_ONCE: usize = 2_000;

/// Makes items known: their buyers first, so that they are whole when they begin to sell.
pub(super) async fn load(shared: &Shared, tellings: &[Telling]) -> Result<(), Fault> {
    for (keys, tellings) in by_shard(shared, tellings) {
        let mut ahead = Told::to(shared, keys, &shared.scripts.sync);
        for telling in &tellings {
            for buyers in telling.buyers.chunks(BUYERS) {
                let call = sync_call(shared, keys, telling, buyers, true);
                ahead.tell(telling.item, call, buyers.len());
                ahead.flush_if_full().await?;
            }
        }
        ahead.flush().await?;
        let mut loading = Told::to(shared, keys, &shared.scripts.load);
        for telling in &tellings {
            let mut call = shared.scripts.load.call(3, 8, 256);
            call.arg(&keys.moved)
                .arg(keys.item(telling.item))
                .arg(&keys.healing)
                .arg(telling.admitted);
            add_terms(&mut call, &telling.terms);
            loading.tell(telling.item, call, 0);
            loading.flush_if_full().await?;
        }
        loading.flush().await?;
    }
    Ok(())
}

/// Tells items that are loaded; returns those that are not.
pub(super) async fn sync(shared: &Shared, tellings: &[Telling]) -> Result<Vec<ItemId>, Fault> {
    let mut unknown = Vec::new();
    for (keys, tellings) in by_shard(shared, tellings) {
        let mut told = Told::to(shared, keys, &shared.scripts.sync);
        for telling in &tellings {
            let (first, others) = telling.buyers.split_at(telling.buyers.len().min(BUYERS));
            for buyers in std::iter::once(first).chain(others.chunks(BUYERS)) {
                let call = sync_call(shared, keys, telling, buyers, false);
                told.tell(telling.item, call, buyers.len());
                told.flush_if_full().await?;
            }
        }
        told.flush().await?;
        unknown.append(&mut told.unknown);
    }
    unknown.dedup();
    Ok(unknown)
}

fn by_shard<'a>(
    shared: &'a Shared,
    tellings: &'a [Telling],
) -> Vec<(&'a ShardKeys, Vec<&'a Telling>)> {
    let mut shards = BTreeMap::<u16, Vec<&Telling>>::new();
    for telling in tellings {
        let shard = shared.of_item(telling.item).shard;
        shards.entry(shard.0).or_default().push(telling);
    }
    shards
        .into_iter()
        .map(|(shard, tellings)| (&shared.shards[usize::from(shard)], tellings))
        .collect()
}

fn sync_call(
    shared: &Shared,
    keys: &ShardKeys,
    telling: &Telling,
    buyers: &[BuyerCount],
    ahead: bool,
) -> Cmd {
    let arguments = 9 + 3 * buyers.len();
    let mut call = shared
        .scripts
        .sync
        .call(2, arguments, 256 + 80 * buyers.len());
    call.arg(&keys.moved)
        .arg(keys.item(telling.item))
        .arg(u8::from(ahead))
        .arg(telling.admitted);
    add_terms(&mut call, &telling.terms);
    for count in buyers {
        call.arg(Id(count.buyer.0))
            .arg(count.admitted)
            .arg(count.released);
    }
    call
}

fn add_terms(call: &mut Cmd, terms: &Terms) {
    let ms = |instant: Option<domain::Timestamp>| {
        instant.map_or(0, |instant| instant.timestamp_millis().max(0))
    };
    call.arg(terms.version)
        .arg(terms.ceiling)
        .arg(ms(terms.opens_at))
        .arg(ms(terms.closes_at))
        .arg(u8::from(terms.paused))
        .arg(terms.limit.unwrap_or(0))
        .arg(u8::from(terms.counts_buyers || terms.limit.is_some()));
}

/// Calls on their way to one shard.
struct Told<'a> {
    shared: &'a Shared,
    keys: &'a ShardKeys,
    script: &'a Script,
    calls: Pipeline,
    /// What each of them is about.
    items: Vec<ItemId>,
    weight: usize,
    /// Items that turned out not to be loaded; one that is told in pieces may be there twice.
    unknown: Vec<ItemId>,
}

impl<'a> Told<'a> {
    fn to(shared: &'a Shared, keys: &'a ShardKeys, script: &'a Script) -> Self {
        Self {
            shared,
            keys,
            script,
            calls: Pipeline::new(),
            items: Vec::new(),
            weight: 0,
            unknown: Vec::new(),
        }
    }

    fn tell(&mut self, item: ItemId, call: Cmd, buyers: usize) {
        self.calls.add_command(call);
        self.items.push(item);
        self.weight += 1 + buyers;
    }

    async fn flush_if_full(&mut self) -> Result<(), Fault> {
        if self.weight < AT_ONCE {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let calls = std::mem::take(&mut self.calls);
        self.weight = 0;
        let primary = &self.shared.primary;
        let answers = self.script.run_all(primary, &calls, &self.keys.state);
        for (item, answer) in self.items.drain(..).zip(answers.await?) {
            if Reply::new(DOING, answer)?.bytes()? == b"not_loaded" {
                self.unknown.push(item);
            }
        }
        Ok(())
    }
}
