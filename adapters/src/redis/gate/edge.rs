//! Accepted orders that wait until the log has them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use domain::gate::{EdgeEntry, EdgePlace, EntryId, Shard};
use domain::{AdmissionId, Fault};
use redis::{Pipeline, RedisWrite, ToRedisArgs, ToSingleRedisArg, Value};

use super::Shared;
use super::requirements::Info;
use crate::batcher::Work;
use crate::redis::connection::{Connection, fault};
use crate::redis::keys::{Id, ShardKeys};
use crate::redis::replies::{Reply, int, place};
use crate::wire::order_record;

/// The consumer group of the edge relay. Its members share one name: what counts is only when an
/// entry was claimed.
const GROUP: &str = "edge-relay";
/// Entries that one call settles or claims.
const AT_ONCE: usize = 500;
/// How long the write lasts that replicas are asked about.
const PROBE_MS: u64 = 60_000;

/// A place as a stream writes it.
struct Place(EdgePlace);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.at_ms, self.0.number)
    }
}

impl ToRedisArgs for Place {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        out.write_arg_fmt(self);
    }
}

impl ToSingleRedisArg for Place {}

/// Takes entries off, those of all callers of a moment in one call a shard.
pub(super) struct Settling(pub Arc<Shared>);

impl Work for Settling {
    type Job = Vec<EntryId>;
    type Done = ();

    async fn run(&mut self, jobs: &[Vec<EntryId>]) -> Result<Vec<()>, Fault> {
        for (shard, entries) in by_shard(jobs.iter().flatten()) {
            let keys = self.0.shard(shard)?;
            for entries in entries.chunks(AT_ONCE) {
                self.settle(keys, entries).await?;
            }
        }
        Ok(vec![(); jobs.len()])
    }
}

impl Settling {
    async fn settle(&self, keys: &ShardKeys, entries: &[EntryId]) -> Result<(), Fault> {
        let script = &self.0.scripts.settle;
        let count = entries.len();
        let mut call = script.call(1, 1 + 2 * count, 32 + count * 64);
        call.arg(&keys.edge).arg(GROUP);
        for entry in entries {
            call.arg(Place(entry.place)).arg(Id(entry.admission.0));
        }
        script.run(&self.0.primary, &call).await.map(drop)
    }
}

fn by_shard<'a>(entries: impl Iterator<Item = &'a EntryId>) -> BTreeMap<Shard, Vec<EntryId>> {
    let mut shards = BTreeMap::<Shard, Vec<EntryId>>::new();
    for entry in entries {
        shards.entry(entry.shard).or_default().push(*entry);
    }
    shards
}

/// Asks whether entries have reached every replica, for all callers of a moment at once.
pub(super) struct Replicating {
    pub shared: Arc<Shared>,
    /// Nobody else's.
    pub waiting: Connection,
    pub wait_ms: u64,
    /// Whether Redis itself writes everything down before it answers.
    pub is_durable: bool,
}

impl Work for Replicating {
    type Job = EntryId;
    type Done = bool;

    async fn run(&mut self, jobs: &[EntryId]) -> Result<Vec<bool>, Fault> {
        let mut safe = Vec::new();
        for (shard, entries) in by_shard(jobs.iter()) {
            let keys = self.shared.shard(shard)?;
            for entries in entries.chunks(AT_ONCE) {
                safe.extend(self.safe(keys, entries).await?);
            }
        }
        Ok(jobs.iter().map(|entry| safe.contains(entry)).collect())
    }
}

impl Replicating {
    /// Those entries that are there and that every replica has.
    async fn safe(&self, keys: &ShardKeys, entries: &[EntryId]) -> Result<Vec<EntryId>, Fault> {
        const DOING: &str = "asking the gate's replicas";
        let replicas = Info::replication(&self.waiting, keys).await?.replicas();
        let mut asked = Pipeline::new();
        for entry in entries {
            let place = || Place(entry.place);
            asked
                .cmd("XRANGE")
                .arg(&keys.edge)
                .arg(place())
                .arg(place());
        }
        // A connection waits for what it wrote itself; after this write that is all before it.
        asked
            .cmd("SET")
            .arg(&keys.probe)
            .arg("")
            .arg("PX")
            .arg(PROBE_MS);
        asked.cmd("WAIT").arg(replicas).arg(self.wait_ms);
        let answers = self.waiting.run_all(&asked, &keys.state).await;
        let mut answers = answers.map_err(|error| fault(DOING, error))?;
        let mut last = || {
            let answer = answers.pop().unwrap_or(Value::Nil);
            answer.extract_error().map_err(|error| fault(DOING, error))
        };
        let acknowledged = int(DOING, &last()?)?;
        // A write that was refused is none to wait for.
        last()?;
        let is_safe = match replicas {
            0 => self.is_durable,
            replicas => u64::try_from(acknowledged).is_ok_and(|count| count >= replicas),
        };
        let mut safe = Vec::new();
        for (entry, found) in entries.iter().zip(answers) {
            let found = found.extract_error().map_err(|error| fault(DOING, error))?;
            if is_safe && holds(found, entry)? {
                safe.push(*entry);
            }
        }
        Ok(safe)
    }
}

/// Whether what was found at an entry's place is that entry.
fn holds(found: Value, entry: &EntryId) -> Result<bool, Fault> {
    const DOING: &str = "looking for an entry of the edge queue";
    let Some(first) = Reply::new(DOING, found)?.next() else {
        return Ok(false);
    };
    let mut first = Reply::new(DOING, first)?;
    first.bytes()?;
    let fields = first.next().unwrap_or(Value::Nil);
    let mut fields = Reply::new(DOING, fields)?;
    fields.bytes()?;
    Ok(fields.id()? == entry.admission.0)
}

pub(super) async fn claim_stale(
    shared: &Shared,
    age_ms: u64,
    most: usize,
) -> Result<Vec<EdgeEntry>, Fault> {
    const DOING: &str = "claiming entries of the edge queue";
    let script = &shared.scripts.claim;
    let mut claimed = Vec::new();
    for keys in &shared.shards {
        let room = (most - claimed.len()).min(AT_ONCE);
        if room == 0 {
            break;
        }
        let mut call = script.call(1, 4, 128);
        call.arg(&keys.edge)
            .arg(GROUP)
            .arg(GROUP)
            .arg(age_ms)
            .arg(room);
        let mut answer = Reply::new(DOING, script.run(&shared.primary, &call).await?)?;
        let now_ms = answer.unsigned()?;
        while !answer.is_over() {
            let (place, admission) = (answer.place()?, AdmissionId(answer.id()?));
            let payload = answer.bytes()?;
            let Some(place) = place else { continue };
            let id = EntryId {
                shard: keys.shard,
                place,
                admission,
            };
            claimed.extend(entry(id, &payload, now_ms));
        }
    }
    Ok(claimed)
}

/// The entry of this payload. One that can't be read stays where it is, and must not hold up the
/// others.
fn entry(id: EntryId, payload: &[u8], now_ms: u64) -> Option<EdgeEntry> {
    match order_record::decode(payload) {
        Ok(record) => {
            let mut admissions = record.admissions.into_iter();
            let own = admissions.find(|admission| admission.id == id.admission);
            Some(EdgeEntry {
                id,
                draft: record.draft,
                units: own.map(|own| own.units).unwrap_or_default(),
                waited_ms: now_ms.saturating_sub(id.place.at_ms),
            })
        }
        Err(error) => {
            let place = Place(id.place).to_string();
            tracing::error!(%error, place, "an entry of the edge queue can't be read");
            None
        }
    }
}

pub(super) async fn length(shared: &Shared) -> Result<u64, Fault> {
    const DOING: &str = "measuring the edge queue";
    let mut length = 0;
    for keys in &shared.shards {
        let mut call = redis::cmd("XLEN");
        call.arg(&keys.edge);
        let answer = shared.primary.run(&call).await;
        let answer = answer.map_err(|error| fault(DOING, error))?;
        length += int(DOING, &answer)?.unsigned_abs();
    }
    Ok(length)
}

pub(super) async fn span(
    shared: &Shared,
    shard: Shard,
) -> Result<Option<(EdgePlace, EdgePlace)>, Fault> {
    const DOING: &str = "looking into the edge queue";
    let keys = shared.shard(shard)?;
    let mut asked = Pipeline::new();
    asked
        .cmd("XRANGE")
        .arg(&keys.edge)
        .arg("-")
        .arg("+")
        .arg("COUNT")
        .arg(1);
    asked
        .cmd("XREVRANGE")
        .arg(&keys.edge)
        .arg("+")
        .arg("-")
        .arg("COUNT")
        .arg(1);
    let answers = shared.primary.run_all(&asked, &keys.state).await;
    let mut ends = Vec::new();
    for answer in answers.map_err(|error| fault(DOING, error))? {
        let answer = answer
            .extract_error()
            .map_err(|error| fault(DOING, error))?;
        let Some(entry) = Reply::new(DOING, answer)?.next() else {
            return Ok(None);
        };
        let id = Reply::new(DOING, entry)?.text()?;
        ends.extend(place(&id));
    }
    match ends[..] {
        [oldest, newest] => Ok(Some((oldest, newest))),
        _ => Ok(None),
    }
}
