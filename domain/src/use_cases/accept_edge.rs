//! From the gate to the log: asks every shard of an order in shard order, publishes what came of
//! it, and only then takes the entries off the edge queue.
//!
//! Whoever runs this for an order, the API for its buyer or the edge relay for an orphan, and
//! however often: each shard takes once, and the log gets the same admissions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gate::{EdgeEntry, EntryId, Fingerprint, Obstacle, Reservation, Reserved, Shard};
use crate::message::{Admission, Draft, Message, OrderRecord, Verdict};
use crate::ports::Ports;
use crate::stock::Units;
use crate::use_cases::load_gate;
use crate::{AdmissionId, Fault, Timestamp};

/// What became of an order at the gate.
#[derive(Debug)]
pub enum Accepted {
    Now,
    /// A receipt was there, with what it was for.
    Before {
        fingerprint: Fingerprint,
        draft: Option<Arc<Draft>>,
    },
    Not(Turned),
}

/// Why the gate did not take it.
#[derive(Debug)]
pub enum Turned {
    Away(Vec<Obstacle>),
    /// It can't say now; the same request may be sent again.
    TryAgain {
        after_ms: u32,
    },
}

/// The longest that an order is in one caller's hands between the gate and the log, in milliseconds.
/// What takes longer is left to the edge relay, so that after this time every order the gate let
/// through is in the log, in the edge queue, or lost without an answer.
pub const HAND_OVER_MS: u64 = 7_000;
/// How much of it may be spent on asking further shards.
const ASKING_MS: u64 = 1_500;
/// What is left for one call of the gate and one of the log, which have to be limited to it.
pub const CALLS_MS: u64 = HAND_OVER_MS - ASKING_MS;
/// How long an order in the edge queue waits for shards that are healing, in milliseconds: longer than
/// it can be in a caller's hands, and than a healing takes where nothing is in its way.
const HEALING_WAIT_MS: u64 = 3 * HAND_OVER_MS;
/// How long a client should wait before it sends the same key again.
const TRY_AGAIN_MS: u32 = 500;
/// How often an item may turn out not to be loaded before it is *try again*.
const MOST_LOADS: usize = 3;

/// What the shards asked so far have said.
#[derive(Default)]
struct Asked {
    admissions: Vec<Admission>,
    entries: Vec<EntryId>,
    /// What the entry that is being finished took, if the shards have forgotten it since.
    forgotten: Option<Admission>,
    /// Whether the first shard took now, in contrast to having a receipt: of those who send one key
    /// at once, that is one.
    took: bool,
    /// When the first shard said yes; only told where there are several to ask.
    since: Option<Timestamp>,
    known: Option<(Fingerprint, Option<Arc<Draft>>)>,
    /// Whether it has waited long enough for shards that are healing.
    has_waited: bool,
}

impl Asked {
    /// Whether the entry that is being finished is one of this shard that forgot its receipt.
    fn has_own_of(&self, shard: Shard) -> bool {
        let own = self.forgotten.as_ref();
        let is_own = |entry: &EntryId| own.is_some_and(|own| own.id == entry.admission);
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.shard == shard && is_own(entry))
    }
}

/// Takes stock for `draft` and brings it into the log.
///
/// # Errors
/// A fault of the gate, or of the ledger where an item has to be loaded. Nothing is answered then,
/// and the edge relay finishes what was taken.
pub async fn accept(ports: &Ports, draft: &Arc<Draft>) -> Result<Accepted, Fault> {
    go_round(ports, draft, Asked::default()).await
}

/// Does the same for an order that was left in the edge queue. Whatever the shards say now, what
/// the entry itself took is counted, and the entry goes.
///
/// A shard that is healing is waited for, but not for ever: a shard heals only once its queue is
/// through, so one that never stops healing would keep the others from it. An order that is given up
/// then is in the log already, where the first record decides, or nobody was told that it was
/// accepted.
///
/// # Errors
/// As [`accept`].
pub async fn finish(ports: &Ports, entry: &EdgeEntry) -> Result<Accepted, Fault> {
    let taken = Admission {
        id: entry.id.admission,
        units: entry.units.clone(),
    };
    let asked = Asked {
        entries: vec![entry.id],
        forgotten: Some(taken),
        has_waited: entry.waited_ms >= HEALING_WAIT_MS,
        ..Asked::default()
    };
    go_round(ports, &entry.draft, asked).await
}

async fn go_round(ports: &Ports, draft: &Arc<Draft>, mut asked: Asked) -> Result<Accepted, Fault> {
    let shards = by_shard(ports, draft);
    let several = shards.len() > 1;
    for (shard, units) in shards {
        let (id, answer) = ask(ports, draft, shard, &units).await?;
        match answer {
            Reserved::Taken { entry } => {
                asked.took |= asked.admissions.is_empty();
                asked.admissions.push(Admission { id, units });
                asked.entries.push(entry);
            }
            Reserved::Known { receipt, entry } => {
                asked
                    .forgotten
                    .take_if(|taken| taken.id == receipt.admission);
                if receipt.fingerprint != draft.fingerprint {
                    give_up(ports, draft, asked, Verdict::Void).await;
                    let (fingerprint, draft) = (receipt.fingerprint, receipt.draft);
                    return Ok(Accepted::Before { fingerprint, draft });
                }
                asked.admissions.push(Admission {
                    id: receipt.admission,
                    units,
                });
                asked.entries.extend(entry);
                asked.known = Some((receipt.fingerprint, receipt.draft));
            }
            Reserved::Refused(obstacles) => {
                give_up(ports, draft, asked, Verdict::Withdrawn).await;
                return Ok(Accepted::Not(Turned::Away(obstacles)));
            }
            // The shard has no room, or is not sure of itself, but this order is in its queue: that
            // must wait neither for another place in it nor for a healing that waits for it.
            Reserved::QueueFull | Reserved::Healing if asked.has_own_of(shard) => {
                asked.admissions.extend(asked.forgotten.take());
            }
            Reserved::Healing if asked.has_waited => {
                give_up(ports, draft, asked, Verdict::Withdrawn).await;
                return Ok(Accepted::Not(Turned::TryAgain {
                    after_ms: TRY_AGAIN_MS,
                }));
            }
            Reserved::NotLoaded(_) | Reserved::QueueFull | Reserved::Healing => {
                // What other shards took stays queued there; the same key, or the edge relay, goes
                // on from their receipts.
                return Ok(Accepted::Not(Turned::TryAgain {
                    after_ms: TRY_AGAIN_MS,
                }));
            }
        }
        if several {
            asked.since.get_or_insert_with(|| ports.clock.now());
        }
    }
    let took_long = |since: Timestamp| {
        let took = (ports.clock.now() - since).num_milliseconds();
        u64::try_from(took).is_ok_and(|took| took > ASKING_MS)
    };
    if asked.since.is_some_and(took_long) || !publish(ports, draft, &asked).await? {
        return Ok(Accepted::Not(Turned::TryAgain {
            after_ms: TRY_AGAIN_MS,
        }));
    }
    match asked.known {
        Some((fingerprint, draft)) if !asked.took => Ok(Accepted::Before { fingerprint, draft }),
        _ => Ok(Accepted::Now),
    }
}

fn by_shard(ports: &Ports, draft: &Draft) -> BTreeMap<Shard, Vec<Units>> {
    let mut shards = BTreeMap::<Shard, Vec<Units>>::new();
    for units in draft.units() {
        shards
            .entry(ports.gate.shard_of(units.item))
            .or_default()
            .push(units);
    }
    shards
}

/// Asks one shard, loading what it does not know. Every run brings a fresh admission.
async fn ask(
    ports: &Ports,
    draft: &Arc<Draft>,
    shard: Shard,
    units: &[Units],
) -> Result<(AdmissionId, Reserved), Fault> {
    let mut loads = 0;
    loop {
        let admission = AdmissionId(ports.random_id());
        let (draft, units) = (draft.clone(), units.to_vec());
        let answer = ports
            .gate
            .reserve(&Reservation {
                draft,
                shard,
                admission,
                units,
            })
            .await?;
        match &answer {
            Reserved::NotLoaded(items)
                if loads < MOST_LOADS && load_gate::load_items(ports, items).await? =>
            {
                loads += 1;
            }
            _ => return Ok((admission, answer)),
        }
    }
}

/// Brings an order into the log, unless all of it is there. `false` when neither the log nor every
/// replica of the gate has it for certain.
async fn publish(ports: &Ports, draft: &Arc<Draft>, asked: &Asked) -> Result<bool, Fault> {
    if asked.entries.is_empty() {
        return Ok(true);
    }
    let mut records = vec![record(draft, &asked.admissions, Verdict::Accepted)];
    if let Some(taken) = &asked.forgotten {
        records.push(record(draft, std::slice::from_ref(taken), Verdict::Void));
    }
    if ports.log.publish(&records).await.is_ok() {
        // The order is safe; an entry that stays is published again and counted once.
        let _ = ports.gate.settle(&asked.entries).await;
        return Ok(true);
    }
    for entry in &asked.entries {
        if !ports.gate.is_replicated(entry).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells the ledger of units that were taken for an order that is not to be. If the log is away
/// the entries stay, and the edge relay comes to the same end.
async fn give_up(ports: &Ports, draft: &Arc<Draft>, mut asked: Asked, verdict: Verdict) {
    asked.admissions.extend(asked.forgotten);
    if asked.admissions.is_empty() {
        return;
    }
    let record = record(draft, &asked.admissions, verdict);
    if ports.log.publish(&[record]).await.is_ok() {
        let _ = ports.gate.settle(&asked.entries).await;
    }
}

fn record(draft: &Arc<Draft>, admissions: &[Admission], verdict: Verdict) -> Message {
    let (draft, admissions) = (draft.clone(), admissions.to_vec());
    Message::Order(OrderRecord {
        draft,
        admissions,
        verdict,
    })
}
