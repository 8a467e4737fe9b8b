//! The server's books: intents, refunds, what was answered under each key, and what is to be told.
//!
//! A request is one step of one transaction, with its answer: asked again under its key, it is
//! answered the same and does nothing.

mod steps;

use domain::Fault;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Connection, FromRow, Row, SqliteTransaction};

use super::objects::{Intent, Refund};
use crate::batcher::Work;
use crate::config::Simulated;

/// Instants in milliseconds, but for `created`, which Stripe gives in seconds.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS intents (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payment TEXT NOT NULL,
    order_id TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL,
    status TEXT NOT NULL, cancellation TEXT, created INTEGER NOT NULL, succeeds_at INTEGER
);
CREATE INDEX IF NOT EXISTS intents_of_payment ON intents (payment);
CREATE INDEX IF NOT EXISTS intents_to_come ON intents (succeeds_at) WHERE succeeds_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refunds (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, intent TEXT NOT NULL, refund TEXT NOT NULL,
    payment TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_of_intent ON refunds (intent);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
    number INTEGER PRIMARY KEY, body TEXT NOT NULL, due_at INTEGER NOT NULL, tries INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due_at);
";

/// An intent's columns, with what was given back of it.
const INTENT: &str = "
SELECT id, payment, order_id, amount, currency, method, status, cancellation, created,
       (SELECT COALESCE(SUM(amount), 0) FROM refunds WHERE intent = intents.id) AS refunded,
       (SELECT COUNT(*) FROM refunds WHERE intent = intents.id) AS refunds
FROM intents ";
const REFUND: &str = "SELECT id, intent, refund, payment, amount, currency, created FROM refunds ";

const READING: &str = "reading the provider's books";
const WRITING: &str = "writing the provider's books";

/// Something to be done in one transaction.
pub enum Job {
    /// A request, under its key if it has one.
    Ask {
        key: Option<String>,
        request: Request,
        now_ms: i64,
    },
    /// Captures what comes late, and takes what is to be told now.
    Due { now_ms: i64 },
    /// A webhook was taken.
    Told { number: i64 },
    /// A webhook was not taken, and is sent again then.
    TellAgain { number: i64, at_ms: i64 },
}

/// What can be asked for. The ids of what is made are given.
#[derive(Debug)]
pub enum Request {
    Create(NewIntent),
    Capture { intent: String, event: String },
    Cancel { intent: String, event: String },
    Refund(NewRefund),
}

#[derive(Debug)]
pub struct NewIntent {
    pub id: String,
    pub event: String,
    pub amount: i64,
    pub currency: String,
    pub method: String,
    pub payment: String,
    pub order: String,
}

#[derive(Debug)]
pub struct NewRefund {
    pub id: String,
    pub intent: String,
    /// The whole, where absent.
    pub amount: Option<i64>,
    pub payment: String,
    pub refund: String,
}

pub enum Done {
    Answered(Answer),
    Due(Vec<Webhook>),
    Noted,
}

/// What a request is answered.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    /// The connection breaks before the answer is there.
    pub is_lost: bool,
}

/// What is to be told.
pub struct Webhook {
    pub number: i64,
    pub body: String,
    pub tries: i64,
}

impl FromRow<'_, SqliteRow> for Webhook {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            number: row.try_get("number")?,
            body: row.try_get("body")?,
            tries: row.try_get("tries")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Intent {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            payment: row.try_get("payment")?,
            order_id: row.try_get("order_id")?,
            amount: row.try_get("amount")?,
            currency: row.try_get("currency")?,
            method: row.try_get("method")?,
            status: row.try_get("status")?,
            cancellation: row.try_get("cancellation")?,
            created: row.try_get("created")?,
            refunded: row.try_get("refunded")?,
            refunds: row.try_get("refunds")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Refund {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            intent: row.try_get("intent")?,
            of: row.try_get("refund")?,
            payment: row.try_get("payment")?,
            amount: row.try_get("amount")?,
            currency: row.try_get("currency")?,
            created: row.try_get("created")?,
        })
    }
}

/// Writes the books.
pub struct Books {
    connection: SqliteConnection,
    settings: Simulated,
}

impl Books {
    pub fn new(connection: SqliteConnection, settings: Simulated) -> Self {
        Self {
            connection,
            settings,
        }
    }

    async fn write(&mut self, jobs: &[Job]) -> Result<Vec<Done>, sqlx::Error> {
        let settings = &self.settings;
        let mut on = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(match job {
                Job::Ask {
                    key,
                    request,
                    now_ms,
                } => Done::Answered(
                    answer(&mut on, settings, key.as_deref(), request, *now_ms).await?,
                ),
                Job::Due { now_ms } => {
                    steps::come_late(&mut on, settings, *now_ms).await?;
                    Done::Due(due(&mut on, *now_ms).await?)
                }
                Job::Told { number } => {
                    let told = sqlx::query("DELETE FROM webhooks WHERE number = ?");
                    told.bind(number).execute(&mut *on).await?;
                    Done::Noted
                }
                Job::TellAgain { number, at_ms } => {
                    let text = "UPDATE webhooks SET due_at = ?, tries = tries + 1 WHERE number = ?";
                    let again = sqlx::query(text).bind(at_ms).bind(number);
                    again.execute(&mut *on).await?;
                    Done::Noted
                }
            });
        }
        on.commit().await?;
        Ok(done)
    }
}

impl Work for Books {
    type Job = Job;
    type Done = Done;

    async fn run(&mut self, jobs: &[Job]) -> Result<Vec<Done>, Fault> {
        let done = self.write(jobs).await;
        done.map_err(|error| Fault::unavailable(WRITING, error))
    }
}

/// The most webhooks that are taken up at once.
const MOST_DUE: i64 = 50;

async fn due(on: &mut SqliteTransaction<'_>, now_ms: i64) -> Result<Vec<Webhook>, sqlx::Error> {
    let text = "SELECT number, body, tries FROM webhooks WHERE due_at <= ? ORDER BY due_at LIMIT ?";
    let due = sqlx::query_as(text).bind(now_ms).bind(MOST_DUE);
    due.fetch_all(&mut **on).await
}

/// What was answered under the key, or what is answered now.
async fn answer(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    key: Option<&str>,
    request: &Request,
    now_ms: i64,
) -> Result<Answer, sqlx::Error> {
    let asked_for = request.fingerprint();
    if let Some(key) = key {
        let known: Option<(String, i64, String)> =
            sqlx::query_as("SELECT request, status, body FROM answers WHERE key = ?")
                .bind(key)
                .fetch_optional(&mut **on)
                .await?;
        if let Some((request, status, body)) = known {
            return Ok(if request == asked_for {
                Answer {
                    status: u16::try_from(status).unwrap_or(500),
                    body: serde_json::from_str(&body).unwrap_or_default(),
                    is_lost: false,
                }
            } else {
                Answer::refused(400, "idempotency_error", None, None)
            });
        }
    }
    let answer = steps::ask(on, settings, request, now_ms).await?;
    if let Some(key) = key {
        sqlx::query("INSERT INTO answers (key, request, status, body) VALUES (?, ?, ?, ?)")
            .bind(key)
            .bind(asked_for)
            .bind(i64::from(answer.status))
            .bind(answer.body.to_string())
            .execute(&mut **on)
            .await?;
    }
    Ok(answer)
}

impl Request {
    /// What was asked for, without the ids that are made for the answer.
    fn fingerprint(&self) -> String {
        match self {
            Self::Create(new) => {
                let NewIntent {
                    amount,
                    currency,
                    method,
                    payment,
                    order,
                    ..
                } = new;
                format!("create {amount} {currency} {payment} {order} {method}")
            }
            Self::Capture { intent, .. } => format!("capture {intent}"),
            Self::Cancel { intent, .. } => format!("cancel {intent}"),
            Self::Refund(new) => {
                let NewRefund {
                    intent,
                    amount,
                    payment,
                    refund,
                    ..
                } = new;
                format!("refund {intent} {amount:?} {payment} {refund}")
            }
        }
    }
}

impl Answer {
    fn done(body: Value) -> Self {
        Self {
            status: 200,
            body,
            is_lost: false,
        }
    }

    fn refused(status: u16, kind: &str, code: Option<&str>, param: Option<&str>) -> Self {
        Self {
            status,
            body: super::objects::error(kind, code, param, None),
            is_lost: false,
        }
    }
}

async fn intent(on: &mut SqliteTransaction<'_>, id: &str) -> Result<Option<Intent>, sqlx::Error> {
    let text = text_of(INTENT, "WHERE id = ?");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(id);
    found.fetch_optional(&mut **on).await
}

/// A query of fixed parts.
fn text_of(select: &'static str, rest: &'static str) -> String {
    format!("{select}{rest}")
}

/// Reads the books.
pub struct Reader {
    readers: SqlitePool,
}

impl Reader {
    pub fn new(readers: SqlitePool) -> Self {
        Self { readers }
    }

    pub async fn intent(&self, id: &str) -> Result<Option<Intent>, Fault> {
        let text = text_of(INTENT, "WHERE id = ?");
        let found = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(id);
        told(found.fetch_optional(&self.readers).await)
    }

    /// Intents of a payment.
    pub async fn intents_of(&self, payment: &str) -> Result<Vec<Intent>, Fault> {
        let text = text_of(INTENT, "WHERE payment = ? ORDER BY number DESC LIMIT 100");
        let found = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(payment);
        told(found.fetch_all(&self.readers).await)
    }

    /// Intents, the newest first, after the one with this id.
    pub async fn intents(&self, after: Option<&str>, most: i64) -> Result<Vec<Intent>, Fault> {
        let rest = "WHERE number < COALESCE((SELECT number FROM intents WHERE id = ?), \
                    9223372036854775807) ORDER BY number DESC LIMIT ?";
        let text = text_of(INTENT, rest);
        let found = sqlx::query_as(sqlx::AssertSqlSafe(text));
        told(found.bind(after).bind(most).fetch_all(&self.readers).await)
    }

    /// Refunds of an intent, the newest first, after the one with this id.
    pub async fn refunds(
        &self,
        intent: &str,
        after: Option<&str>,
        most: i64,
    ) -> Result<Vec<Refund>, Fault> {
        let rest = "WHERE intent = ? AND number < COALESCE((SELECT number FROM refunds \
                    WHERE id = ?), 9223372036854775807) ORDER BY number DESC LIMIT ?";
        let text = text_of(REFUND, rest);
        let found = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(intent);
        told(found.bind(after).bind(most).fetch_all(&self.readers).await)
    }
}

fn told<T>(read: Result<T, sqlx::Error>) -> Result<T, Fault> {
    read.map_err(|error| Fault::unavailable(READING, error))
}
