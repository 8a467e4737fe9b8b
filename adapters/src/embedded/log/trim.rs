//! Records that everybody has read, and that are old, make room.

use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::Fault;
use domain::message::{Offset, Partition, Topic};
use sqlx::Row;

use super::Shared;
use super::writer::Job;

/// How often it is looked.
const EVERY: Duration = Duration::from_mins(10);
/// How old a record has to be: longer than anybody takes to notice that a worker is missing.
const AGE_MS: i64 = 7 * 24 * 3_600_000;

/// Trims for as long as the log is there.
pub(super) fn start(shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(shared) = Weak::upgrade(&shared) else {
                return;
            };
            if let Err(fault) = trim(&shared).await {
                tracing::warn!(detail = fault.detail(), "the log could not be trimmed");
            }
        }
    });
}

/// A topic that no group has read yet keeps everything.
pub(super) async fn trim(shared: &Shared) -> Result<(), Fault> {
    let rows = sqlx::query("SELECT topic, part, MIN(next) FROM positions GROUP BY topic, part")
        .fetch_all(&shared.store.readers)
        .await
        .map_err(|error| Fault::unavailable("reading the groups' positions", error))?;
    let done: Vec<(Partition, Offset)> = rows
        .iter()
        .filter_map(|row| {
            let name: String = row.get(0);
            let topic = Topic::ALL.into_iter().find(|topic| topic.name() == name)?;
            Some((
                Partition {
                    topic,
                    number: row.get(1),
                },
                Offset(row.get(2)),
            ))
        })
        .collect();
    let before_ms = shared.clock.now().timestamp_millis() - AGE_MS;
    shared.writer.run(Job::Trim(done, before_ms)).await
}
