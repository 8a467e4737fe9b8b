//! The tables of the log, and what is read from them.

use std::collections::HashMap;

use domain::Fault;
use domain::message::{Offset, Partition, Topic};
use domain::ports::log::Group;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteExecutor, SqlitePool};
use tokio::sync::watch;

/// `ends` is kept beside the records, so that an end stays known when old records are gone; a dead
/// letter has its record's payload, for the same reason.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS records (
    topic TEXT NOT NULL, part INTEGER NOT NULL, place INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, payload BLOB NOT NULL, trace TEXT,
    PRIMARY KEY (topic, part, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ends (
    topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (topic, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    member_group TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (member_group, topic, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letters (
    member_group TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, place INTEGER NOT NULL,
    reason TEXT NOT NULL, attempts INTEGER NOT NULL, at_ms INTEGER NOT NULL, payload BLOB,
    PRIMARY KEY (member_group, topic, part, place)
) WITHOUT ROWID;
";

/// Gives the records of a file that knows of no traces a place for them.
pub(super) async fn add_traces(writer: &mut SqliteConnection) -> Result<(), Fault> {
    let fault = |error| Fault::unavailable("opening the log", error);
    let known = "SELECT 1 FROM pragma_table_info('records') WHERE name = 'trace'";
    let known = sqlx::query(known).fetch_optional(&mut *writer).await;
    if known.map_err(fault)?.is_none() {
        let add = sqlx::query("ALTER TABLE records ADD COLUMN trace TEXT");
        add.execute(writer).await.map_err(fault)?;
    }
    Ok(())
}

/// The next offset of every partition, as last committed.
#[derive(Clone, Default)]
pub(super) struct Ends(pub HashMap<Partition, i64>);

impl Ends {
    /// What the file says.
    pub async fn read(from: impl SqliteExecutor<'_>) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query("SELECT topic, part, next FROM ends")
            .fetch_all(from)
            .await?;
        let mut ends = HashMap::new();
        for row in rows {
            let name: String = row.try_get(0)?;
            if let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.name() == name) {
                let number = row.try_get(1)?;
                ends.insert(Partition { topic, number }, row.try_get(2)?);
            }
        }
        Ok(Self(ends))
    }

    pub fn of(&self, partition: Partition) -> Offset {
        Offset(self.0.get(&partition).copied().unwrap_or(0))
    }
}

pub(super) struct Store {
    pub readers: SqlitePool,
    /// Moved on by the writer after each commit; waking up on it is how readers hear of records.
    pub ends: watch::Sender<Ends>,
}

/// A record as it is stored.
pub(super) struct Stored {
    pub offset: Offset,
    pub payload: Vec<u8>,
    /// What it was published in the course of, as text.
    pub trace: Option<String>,
}

impl Store {
    pub async fn open(readers: SqlitePool, partitions: u16) -> Result<Self, Fault> {
        let ends = Ends::read(&readers)
            .await
            .map_err(|error| Fault::unavailable("opening the log", error))?;
        let highest = ends.0.keys().map(|partition| partition.number).max();
        if highest.is_some_and(|highest| highest >= i32::from(partitions)) {
            let text = format!("it has more than {partitions} partitions a topic");
            return Err(Fault::corrupt("opening the log", text));
        }
        Ok(Self {
            readers,
            ends: watch::Sender::new(ends),
        })
    }

    /// Up to `most` records from `from` on.
    pub async fn read(
        &self,
        partition: Partition,
        from: Offset,
        most: usize,
    ) -> Result<Vec<Stored>, Fault> {
        let rows = sqlx::query(
            "SELECT place, payload, trace FROM records \
             WHERE topic = ? AND part = ? AND place >= ? ORDER BY place LIMIT ?",
        )
        .bind(partition.topic.name())
        .bind(partition.number)
        .bind(from.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(|error| Fault::unavailable("reading the log", error))?;
        Ok(rows
            .into_iter()
            .map(|row| Stored {
                offset: Offset(row.get(0)),
                payload: row.get(1),
                trace: row.get(2),
            })
            .collect())
    }

    /// Where a group goes on in a partition.
    pub async fn stored(&self, group: Group, partition: Partition) -> Result<Offset, Fault> {
        let row = sqlx::query(
            "SELECT next FROM positions WHERE member_group = ? AND topic = ? AND part = ?",
        )
        .bind(group.name())
        .bind(partition.topic.name())
        .bind(partition.number)
        .fetch_optional(&self.readers)
        .await
        .map_err(|error| Fault::unavailable("reading a group's position", error))?;
        Ok(Offset(row.map_or(0, |row| row.get(0))))
    }

    pub async fn dead_letters(&self) -> Result<u64, Fault> {
        let row = sqlx::query("SELECT COUNT(*) FROM dead_letters")
            .fetch_one(&self.readers)
            .await
            .map_err(|error| Fault::unavailable("counting dead letters", error))?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }
}
