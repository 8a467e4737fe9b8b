//! The simulated provider's books: one entry a payment, one a refund, each under its key.

use domain::payment::{CaptureAnswer, DeclineReason, ProviderEntry, Refund};
use domain::{Currency, Fault, Money, PaymentId};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Connection, Row, SqliteTransaction};
use uuid::Uuid;

use crate::batcher::Work;
use crate::words::Word;

/// `asked` counts how often a capture was asked for; money moved at most once.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS captures (
    payment BLOB PRIMARY KEY NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    declined TEXT, asked INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refunds (
    refund BLOB PRIMARY KEY NOT NULL, payment BLOB NOT NULL REFERENCES captures (payment),
    amount INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_of_payment ON refunds (payment);
";

const READING: &str = "reading the provider's books";
const WRITING: &str = "writing the provider's books";

/// A payment as the provider knows it.
#[derive(Clone)]
pub(super) struct Entry {
    pub payment: PaymentId,
    pub amount: Money,
    pub outcome: Result<(), DeclineReason>,
}

impl Entry {
    pub fn answer(&self) -> CaptureAnswer {
        match self.outcome {
            Ok(()) => CaptureAnswer::Captured,
            Err(reason) => CaptureAnswer::Declined(reason),
        }
    }
}

pub(super) enum Job {
    /// The outcome counts for the first one of a payment; afterwards the books do.
    Capture(Entry),
    Refund(Refund),
}

pub(super) enum Done {
    /// What the books say, and how often it was asked for.
    Captured(Entry, i64),
    Refunded,
    /// A refund of a payment that was never captured.
    NothingToRefund,
}

impl Done {
    pub fn captured(self) -> Result<(Entry, i64), Fault> {
        match self {
            Self::Captured(entry, asked) => Ok((entry, asked)),
            Self::Refunded | Self::NothingToRefund => {
                Err(Fault::corrupt(WRITING, "a refund answers a capture"))
            }
        }
    }
}

pub(super) struct Books {
    connection: SqliteConnection,
}

impl Books {
    pub fn new(connection: SqliteConnection) -> Self {
        Self { connection }
    }

    async fn write(&mut self, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(match job {
                Job::Capture(entry) => capture(&mut transaction, entry).await?,
                Job::Refund(refund) => give_back(&mut transaction, refund).await?,
            });
        }
        transaction.commit().await?;
        Ok(done)
    }
}

impl Work for Books {
    type Job = Job;
    type Done = Done;

    async fn run(&mut self, jobs: &[Job]) -> Result<Vec<Done>, Fault> {
        self.write(jobs)
            .await
            .map_err(|error| Fault::unavailable(WRITING, error))
    }
}

async fn capture(
    transaction: &mut SqliteTransaction<'_>,
    entry: &Entry,
) -> Result<Done, sqlx::Error> {
    let row = sqlx::query(
        "INSERT INTO captures (payment, amount, currency, declined, asked) \
         VALUES (?, ?, ?, ?, 1) \
         ON CONFLICT (payment) DO UPDATE SET asked = asked + 1 \
         RETURNING payment, amount, currency, declined, asked",
    )
    .bind(entry.payment.0.as_bytes().as_slice())
    .bind(entry.amount.minor)
    .bind(entry.amount.currency.code())
    .bind(entry.outcome.err().map(Word::word))
    .fetch_one(&mut **transaction)
    .await?;
    let asked = row.try_get(4)?;
    Ok(Done::Captured(entry_of(&row)?, asked))
}

async fn give_back(
    transaction: &mut SqliteTransaction<'_>,
    refund: &Refund,
) -> Result<Done, sqlx::Error> {
    let captured = sqlx::query("SELECT 1 FROM captures WHERE payment = ? AND declined IS NULL")
        .bind(refund.payment.0.as_bytes().as_slice())
        .fetch_optional(&mut **transaction)
        .await?;
    if captured.is_none() {
        return Ok(Done::NothingToRefund);
    }
    sqlx::query(
        "INSERT INTO refunds (refund, payment, amount) VALUES (?, ?, ?) \
         ON CONFLICT (refund) DO NOTHING",
    )
    .bind(refund.id.0.as_bytes().as_slice())
    .bind(refund.payment.0.as_bytes().as_slice())
    .bind(refund.amount.minor)
    .execute(&mut **transaction)
    .await?;
    Ok(Done::Refunded)
}

fn id_of(bytes: &[u8]) -> Result<PaymentId, sqlx::Error> {
    let id = Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(PaymentId(id))
}

fn money_of(minor: i64, code: &str) -> Result<Money, sqlx::Error> {
    let currency = Currency::from_code(code);
    let currency = currency.ok_or_else(|| sqlx::Error::Decode("no currency".into()))?;
    Ok(Money { minor, currency })
}

fn entry_of(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let declined: Option<String> = row.try_get(3)?;
    let outcome = match declined.as_deref() {
        None => Ok(()),
        Some(word) => Err(DeclineReason::from_word(word)
            .ok_or_else(|| sqlx::Error::Decode("no reason to decline".into()))?),
    };
    let code: String = row.try_get(2)?;
    let (payment, amount) = (id_of(row.try_get(0)?)?, money_of(row.try_get(1)?, &code)?);
    Ok(Entry {
        payment,
        amount,
        outcome,
    })
}

/// Reads the books.
pub(super) struct Reader {
    readers: SqlitePool,
}

impl Reader {
    pub fn new(readers: SqlitePool) -> Self {
        Self { readers }
    }

    pub async fn entry(&self, payment: PaymentId) -> Result<Option<Entry>, Fault> {
        let row = sqlx::query(
            "SELECT payment, amount, currency, declined FROM captures WHERE payment = ?",
        )
        .bind(payment.0.as_bytes().as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(|error| Fault::unavailable(READING, error))?;
        let entry = row.as_ref().map(entry_of).transpose();
        entry.map_err(|error| Fault::corrupt(READING, error))
    }

    pub async fn statement(
        &self,
        after: Option<PaymentId>,
        most: usize,
    ) -> Result<Vec<ProviderEntry>, Fault> {
        let after = after.map_or(Vec::new(), |payment| payment.0.as_bytes().to_vec());
        let rows = sqlx::query(
            "SELECT c.payment, c.amount, c.currency, c.declined, \
                    COALESCE(SUM(r.amount), 0), COUNT(r.refund) \
             FROM captures c LEFT JOIN refunds r ON r.payment = c.payment \
             WHERE c.payment > ? GROUP BY c.payment ORDER BY c.payment LIMIT ?",
        )
        .bind(after)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(|error| Fault::unavailable(READING, error))?;
        let entries: Result<Vec<_>, _> = rows.iter().map(statement_row).collect();
        entries.map_err(|error| Fault::corrupt(READING, error))
    }
}

fn statement_row(row: &SqliteRow) -> Result<ProviderEntry, sqlx::Error> {
    let entry = entry_of(row)?;
    Ok(ProviderEntry {
        payment: entry.payment,
        captured: entry.amount,
        refunded_minor: row.try_get(4)?,
        captures: u32::from(entry.outcome.is_ok()),
        refunds: row.try_get(5)?,
    })
}
