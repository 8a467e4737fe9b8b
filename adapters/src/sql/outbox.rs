//! Events that were committed and are on their way to the log.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use domain::Fault;
use domain::event::Event;
use domain::ports::Outbox;
use domain::ports::outbox::{Claim, Taken};
use domain::trace::TraceContext;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::Ledger;
use super::bulk;
use super::engine::{Engine, Pool, Transaction};
use super::entities::outbox::{ActiveModel, Column, Entity, Model};
use super::fault::{Stop, while_doing};
use super::many::{self, Cell};
use crate::wire;

/// Puts events into the outbox, in their order, each with the trace it says it is part of.
pub async fn insert<'a>(
    on: &impl ConnectionTrait,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Stop> {
    insert_in(on, events, None).await
}

/// Puts events into the outbox that are part of the caller's trace.
pub async fn insert_here<'a>(
    on: &impl ConnectionTrait,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Stop> {
    let current = crate::telemetry::trace::current();
    insert_in(on, events, current.as_ref()).await
}

async fn insert_in<'a>(
    on: &impl ConnectionTrait,
    events: impl IntoIterator<Item = &'a Event>,
    current: Option<&TraceContext>,
) -> Result<(), Stop> {
    let rows = events.into_iter().map(|event| {
        let payload = wire::event::encode(event)
            .map_err(|error| Fault::corrupt("writing down an event", error))?;
        let trace = event.trace.as_deref().or(current);
        Ok(ActiveModel {
            id: ActiveValue::NotSet,
            record_key: ActiveValue::Set(event.key()),
            payload: ActiveValue::Set(payload),
            trace: ActiveValue::Set(trace.map(wire::trace::encode)),
        })
    });
    let rows = rows.collect::<Result<Vec<_>, Fault>>()?;
    bulk::insert::<ActiveModel, _>(on, rows).await
}

#[async_trait]
impl Outbox for Ledger {
    async fn take(&self, most: usize) -> Result<Taken, Fault> {
        let rows = if self.engine.is_server() {
            while_doing(TAKING, take_locked(&self.engine, most)).await?
        } else {
            while_doing(TAKING, oldest(&self.engine, most)).await?
        };
        rows.taken()
    }

    async fn length(&self) -> Result<u64, Fault> {
        while_doing(
            "counting the outbox",
            Entity::find().count(&self.engine.reader),
        )
        .await
    }

    async fn wait(&self, most_ms: u64) {
        // Nobody tells of what another process commits.
        let most_ms = if self.engine.is_server() {
            most_ms.min(OTHERS_COMMIT_MS)
        } else {
            most_ms
        };
        tokio::select! {
            () = self.events.notified() => {}
            () = self.timer.sleep_ms(most_ms) => {}
        }
    }
}

const TAKING: &str = "reading the outbox";
/// How often the outbox of a server is looked at, in milliseconds.
const OTHERS_COMMIT_MS: u64 = 25;

/// Rows that one relay has, and what keeps them from others.
struct Rows {
    rows: Vec<Model>,
    hold: Hold,
}

enum Hold {
    /// Their locks, for as long as the transaction lives.
    Locks(Transaction),
    /// Nothing: a file has one relay.
    Nobody(Pool),
}

impl Rows {
    fn taken(self) -> Result<Taken, Fault> {
        let events = self.rows.iter().map(|row| {
            let event = wire::event::decode(row.payload.as_bytes()).map_err(|error| {
                Fault::corrupt(TAKING, format!("outbox.payload of {}: {error}", row.id))
            })?;
            let trace = row.trace.as_deref().and_then(wire::trace::decode);
            Ok(Event { trace, ..event })
        });
        Ok(Taken {
            events: events.collect::<Result<_, Fault>>()?,
            claim: Box::new(RowClaim {
                ids: self.rows.iter().map(|row| row.id).collect(),
                hold: self.hold,
            }),
        })
    }
}

fn by_age(most: usize) -> Select<Entity> {
    Entity::find().order_by_asc(Column::Id).limit(most as u64)
}

async fn oldest(engine: &Engine, most: usize) -> Result<Rows, DbErr> {
    Ok(Rows {
        rows: by_age(most).all(&engine.reader).await?,
        hold: Hold::Nobody(engine.writer.clone()),
    })
}

/// The oldest rows that no other relay has locked, but for those of keys of which another has
/// something older: the rows of a key are committed in the order of their ids, so whatever is older
/// and still there to be seen is in somebody else's hands.
async fn take_locked(engine: &Engine, most: usize) -> Result<Rows, DbErr> {
    let on = engine.begin_write().await?;
    let mut rows = by_age(most)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&on)
        .await?;
    if let Some(last) = rows.last().map(|row| row.id) {
        let seen = Entity::find().filter(Column::Id.lte(last));
        if seen.clone().count(&on).await? > rows.len() as u64 {
            let seen = seen.select_only().columns([Column::Id, Column::RecordKey]);
            let seen: Vec<(i64, Uuid)> = seen.into_tuple().all(&on).await?;
            leave_to_others(&mut rows, seen);
        }
    }
    Ok(Rows {
        rows,
        hold: Hold::Locks(on),
    })
}

/// Leaves out rows whose key has an older one among `seen` that is not in `rows`.
fn leave_to_others(rows: &mut Vec<Model>, seen: Vec<(i64, Uuid)>) {
    let ours: HashSet<i64> = rows.iter().map(|row| row.id).collect();
    let mut theirs: HashMap<Uuid, i64> = HashMap::new();
    for (id, key) in seen {
        if !ours.contains(&id) {
            let oldest = theirs.entry(key).or_insert(id);
            *oldest = id.min(*oldest);
        }
    }
    rows.retain(|row| {
        theirs
            .get(&row.record_key)
            .is_none_or(|oldest| row.id < *oldest)
    });
}

struct RowClaim {
    ids: Vec<i64>,
    hold: Hold,
}

#[async_trait]
impl Claim for RowClaim {
    async fn remove(self: Box<Self>) -> Result<(), Fault> {
        while_doing("emptying the outbox", async {
            match self.hold {
                Hold::Locks(on) => {
                    delete(&on, &self.ids).await?;
                    on.commit().await
                }
                Hold::Nobody(on) => delete(&on, &self.ids).await,
            }
        })
        .await
    }
}

async fn delete(on: &impl ConnectionTrait, ids: &[i64]) -> Result<(), DbErr> {
    let rows: Vec<_> = ids.iter().map(|id| vec![Cell::from(*id)]).collect();
    many::delete::<Entity>(on, &[Column::Id], &rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_younger_than_somebody_elses_is_left_to_them() {
        let row = |id, key| Model {
            id,
            record_key: Uuid::from_u128(key),
            payload: String::new(),
            trace: None,
        };
        let mut rows = vec![row(1, 7), row(3, 8), row(5, 7), row(6, 9), row(8, 7)];
        let others = [(2, 9), (4, 7), (7, 8)];
        let ours = rows.iter().map(|row| (row.id, row.record_key));
        let seen = ours.chain(others.map(|(id, key)| (id, Uuid::from_u128(key))));
        let seen = seen.collect();
        leave_to_others(&mut rows, seen);
        let left: Vec<i64> = rows.iter().map(|row| row.id).collect();
        assert_eq!(left, [1, 3], "what is older than theirs stays");
    }
}
