//! The one writer of the log: what many ask for in one transaction.

use std::collections::HashMap;

use domain::Fault;
use domain::message::{Offset, Partition};
use domain::ports::log::{DeadLetter, Group};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteTransaction};
use tokio::sync::watch;

use super::store::Ends;
use crate::batcher::Work;

/// Rows of one INSERT: six values each, far below what a statement may bind.
const ROWS: usize = 500;

pub(super) enum Job {
    Append(Vec<Record>),
    /// A group has done everything before this offset.
    Store(Group, Partition, Offset),
    PutAside(DeadLetter, i64),
    /// Records before these offsets that were written before an instant may go.
    Trim(Vec<(Partition, Offset)>, i64),
}

pub(super) struct Record {
    pub partition: Partition,
    pub payload: Vec<u8>,
    /// What it was published in the course of, as text.
    pub trace: Option<String>,
    pub at_ms: i64,
}

pub(super) struct Writer {
    pub connection: SqliteConnection,
    pub ends: watch::Sender<Ends>,
    /// Whether a transaction failed, so that it may be there or not: the file is asked.
    pub in_doubt: bool,
}

impl Work for Writer {
    type Job = Job;
    type Done = ();

    async fn run(&mut self, jobs: &[Job]) -> Result<Vec<()>, Fault> {
        let written = self.write(jobs).await;
        self.in_doubt = written.is_err();
        written.map_err(|error| Fault::unavailable("writing to the log", error))?;
        Ok(vec![(); jobs.len()])
    }
}

impl Writer {
    async fn write(&mut self, jobs: &[Job]) -> Result<(), sqlx::Error> {
        if self.in_doubt {
            self.ends
                .send_replace(Ends::read(&mut self.connection).await?);
        }
        let ends = self.ends.borrow().clone();
        if let Some(ends) = write(&mut self.connection, jobs, ends).await? {
            self.ends.send_replace(ends);
        }
        Ok(())
    }
}

/// Commits all jobs; the new ends, where records came in.
async fn write(
    connection: &mut SqliteConnection,
    jobs: &[Job],
    mut ends: Ends,
) -> Result<Option<Ends>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut rows = Vec::new();
    // Only the last position of a batch counts.
    let mut positions = HashMap::new();
    for job in jobs {
        match job {
            Job::Append(records) => {
                for record in records {
                    let next = ends.0.entry(record.partition).or_default();
                    rows.push((record, *next));
                    *next += 1;
                }
            }
            Job::Store(group, partition, next) => {
                positions.insert((*group, *partition), *next);
            }
            Job::PutAside(letter, at_ms) => put_aside(&mut transaction, letter, *at_ms).await?,
            Job::Trim(partitions, before_ms) => {
                trim(&mut transaction, partitions, *before_ms).await?;
            }
        }
    }
    for chunk in rows.chunks(ROWS) {
        append(&mut transaction, chunk).await?;
    }
    if !rows.is_empty() {
        write_ends(&mut transaction, &ends).await?;
    }
    for ((group, partition), next) in positions {
        store(&mut transaction, group, partition, next).await?;
    }
    transaction.commit().await?;
    Ok((!rows.is_empty()).then_some(ends))
}

async fn append(
    transaction: &mut SqliteTransaction<'_>,
    rows: &[(&Record, i64)],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO records (topic, part, place, at_ms, payload, trace) ",
    );
    insert.push_values(rows, |mut row, (record, place)| {
        row.push_bind(record.partition.topic.name())
            .push_bind(record.partition.number)
            .push_bind(*place)
            .push_bind(record.at_ms)
            .push_bind(record.payload.as_slice())
            .push_bind(record.trace.as_deref());
    });
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn write_ends(
    transaction: &mut SqliteTransaction<'_>,
    ends: &Ends,
) -> Result<(), sqlx::Error> {
    for (partition, next) in &ends.0 {
        sqlx::query("INSERT OR REPLACE INTO ends (topic, part, next) VALUES (?, ?, ?)")
            .bind(partition.topic.name())
            .bind(partition.number)
            .bind(next)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn store(
    transaction: &mut SqliteTransaction<'_>,
    group: Group,
    partition: Partition,
    next: Offset,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO positions (member_group, topic, part, next) VALUES (?, ?, ?, ?)",
    )
    .bind(group.name())
    .bind(partition.topic.name())
    .bind(partition.number)
    .bind(next.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The same letter again replaces the one before, and comes last.
async fn put_aside(
    transaction: &mut SqliteTransaction<'_>,
    letter: &DeadLetter,
    at_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO dead_letters \
         (member_group, topic, part, place, reason, attempts, at_ms, payload, trace, number) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
         (SELECT payload FROM records WHERE topic = ?2 AND part = ?3 AND place = ?4), \
         (SELECT trace FROM records WHERE topic = ?2 AND part = ?3 AND place = ?4), \
         (SELECT COALESCE(MAX(number), -1) + 1 FROM dead_letters))",
    )
    .bind(letter.group.name())
    .bind(letter.partition.topic.name())
    .bind(letter.partition.number)
    .bind(letter.offset.0)
    .bind(letter.reason.as_str())
    .bind(letter.attempts)
    .bind(at_ms)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn trim(
    transaction: &mut SqliteTransaction<'_>,
    partitions: &[(Partition, Offset)],
    before_ms: i64,
) -> Result<(), sqlx::Error> {
    for (partition, before) in partitions {
        sqlx::query("DELETE FROM records WHERE topic = ? AND part = ? AND place < ? AND at_ms < ?")
            .bind(partition.topic.name())
            .bind(partition.number)
            .bind(before.0)
            .bind(before_ms)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
