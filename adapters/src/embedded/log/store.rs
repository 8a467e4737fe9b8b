//! The tables of the log, and what is read from them.

use std::collections::HashMap;

use domain::dead_letter::{KeptLetter, RawRecord};
use domain::message::{Offset, Partition, Topic};
use domain::ports::log::{DeadLetter, Group, Kept};
use domain::{Fault, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteExecutor, SqlitePool, SqliteRow};
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
    trace TEXT, number INTEGER,
    PRIMARY KEY (member_group, topic, part, place)
) WITHOUT ROWID;
";

/// Columns that have come since the first program: table, name, and how each is added.
const ADDED: [(&str, &str, &str); 3] = [
    (
        "records",
        "trace",
        "ALTER TABLE records ADD COLUMN trace TEXT",
    ),
    (
        "dead_letters",
        "trace",
        "ALTER TABLE dead_letters ADD COLUMN trace TEXT",
    ),
    (
        "dead_letters",
        "number",
        "ALTER TABLE dead_letters ADD COLUMN number INTEGER",
    ),
];
/// A dead letter's number is its place among all of them; those of a file that knew of none get theirs.
const NUMBER_LETTERS: &str = "
WITH counted AS (
    SELECT member_group, topic, part, place,
        ROW_NUMBER() OVER (ORDER BY at_ms, member_group, topic, part, place) - 1 AS number
    FROM dead_letters
)
UPDATE dead_letters SET number = counted.number FROM counted
WHERE (SELECT MAX(number) FROM dead_letters) IS NULL
    AND counted.member_group = dead_letters.member_group AND counted.topic = dead_letters.topic
    AND counted.part = dead_letters.part AND counted.place = dead_letters.place";

/// Brings the tables of a file from an earlier program up to those of this one.
pub(super) async fn bring_up(writer: &mut SqliteConnection) -> Result<(), Fault> {
    let fault = |error| Fault::unavailable("opening the log", error);
    for (table, column, add) in ADDED {
        let known = sqlx::query("SELECT 1 FROM pragma_table_info(?) WHERE name = ?");
        let known = known.bind(table).bind(column).fetch_optional(&mut *writer);
        if known.await.map_err(fault)?.is_none() {
            sqlx::query(add)
                .execute(&mut *writer)
                .await
                .map_err(fault)?;
        }
    }
    let number = sqlx::query(NUMBER_LETTERS).execute(writer).await;
    number.map_err(fault)?;
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

/// The first parameter, where dead letters have got so far: a number beyond is of another file.
macro_rules! from_or_beginning {
    () => {
        "(SELECT CASE WHEN COALESCE(MAX(number), -1) + 1 < ?1 THEN 0 ELSE ?1 END \
         FROM dead_letters)"
    };
}

/// A dead letter of its row; none, where a group or a topic is unknown.
fn kept_letter(row: &SqliteRow) -> Option<KeptLetter> {
    let (group, topic): (String, String) = (row.get(1), row.get(2));
    let mut groups = Group::ALL.into_iter();
    let mut topics = Topic::ALL.into_iter();
    let (payload, trace): (Option<Vec<u8>>, Option<String>) = (row.get(8), row.get(9));
    Some(KeptLetter {
        letter: DeadLetter {
            group: groups.find(|known| known.name() == group)?,
            partition: Partition {
                topic: topics.find(|known| known.name() == topic)?,
                number: row.get(3),
            },
            offset: Offset(row.get(4)),
            reason: row.get(5),
            attempts: row.get(6),
        },
        at: Timestamp::from_timestamp_millis(row.get(7))?,
        record: payload.map(|payload| RawRecord {
            key: Vec::new(),
            payload,
            trace: trace.as_deref().and_then(crate::wire::trace::decode),
        }),
    })
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

    /// How many dead letters there are from this place among them on.
    pub async fn dead_letters(&self, from: Offset) -> Result<u64, Fault> {
        let row = sqlx::query(concat!(
            "SELECT COUNT(*) FROM dead_letters WHERE number >= ",
            from_or_beginning!()
        ))
        .bind(from.0)
        .fetch_one(&self.readers)
        .await
        .map_err(|error| Fault::unavailable("counting dead letters", error))?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// Up to `most` of them.
    pub async fn kept(&self, from: Offset, most: usize) -> Result<Kept, Fault> {
        const DOING: &str = "reading dead letters";
        let rows = sqlx::query(concat!(
            "SELECT number, member_group, topic, part, place, reason, attempts, at_ms, payload, \
             trace FROM dead_letters WHERE number >= ",
            from_or_beginning!(),
            " ORDER BY number LIMIT ?2"
        ))
        .bind(from.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(|error| Fault::unavailable(DOING, error))?;
        let next = rows.last().map_or(from.0, |row| row.get::<i64, _>(0) + 1);
        let letters = rows.iter().map(kept_letter);
        let letters = letters.collect::<Option<_>>();
        Ok(Kept {
            letters: letters.ok_or_else(|| Fault::corrupt(DOING, "an unknown group or topic"))?,
            next: Offset(next),
        })
    }
}
