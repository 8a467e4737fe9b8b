//! What each request does.

use serde_json::Value;
use sqlx::SqliteTransaction;
use uuid::Uuid;

use super::super::objects::{self, Intent, Refund};
use super::{Answer, NewIntent, NewRefund, Request, intent, text_of};
use crate::config::Simulated;
use crate::payment::simulated::tokens;

const DECLINED: u64 = 1;
const LOST: u64 = 2;
const TOLD_TWICE: u64 = 3;

pub async fn ask(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    request: &Request,
    now_ms: i64,
) -> Result<Answer, sqlx::Error> {
    match request {
        Request::Create(new) => create(on, settings, new, now_ms).await,
        Request::Capture { intent: id, event } => {
            let Some(found) = intent(on, id).await? else {
                return Ok(missing("intent"));
            };
            if found.status != "requires_capture" {
                return Ok(unexpected());
            }
            let now = moved(on, settings, &found, "succeeded", (event, now_ms)).await?;
            Ok(Answer {
                is_lost: loses_answer(settings, &now),
                ..Answer::done(now.object(false))
            })
        }
        Request::Cancel { intent: id, event } => {
            let Some(found) = intent(on, id).await? else {
                return Ok(missing("intent"));
            };
            if matches!(&*found.status, "succeeded" | "canceled" | "processing") {
                return Ok(unexpected());
            }
            let now = moved(on, settings, &found, "canceled", (event, now_ms)).await?;
            Ok(Answer::done(now.object(false)))
        }
        Request::Refund(new) => refund(on, new, now_ms).await,
    }
}

/// What comes of a payment's first step.
struct Outcome {
    status: &'static str,
    is_late: bool,
}

fn outcome(settings: &Simulated, method: &str, payment: Uuid) -> Option<Outcome> {
    let (status, is_late) = match method {
        "tok_decline" => ("requires_payment_method", false),
        "tok_requires_action" => ("requires_action", false),
        "tok_late" => ("processing", true),
        "tok_decline_then_approve" => ("requires_payment_method", true),
        "tok_shopper" if tokens::abandons(settings, payment) => ("canceled", false),
        "tok_approve" | "tok_timeout_then_approve" | "tok_answer_twice" | "tok_shopper" => {
            if tokens::is_among(settings, settings.declines, DECLINED, payment) {
                ("requires_payment_method", false)
            } else {
                ("requires_capture", false)
            }
        }
        _ => return None,
    };
    Some(Outcome { status, is_late })
}

fn loses_answer(settings: &Simulated, intent: &Intent) -> bool {
    intent.method == "tok_timeout_then_approve"
        || is_among(settings, settings.lost_answers, LOST, intent)
}

fn is_among(settings: &Simulated, share: f64, kind: u64, intent: &Intent) -> bool {
    let payment = Uuid::parse_str(&intent.payment).unwrap_or_default();
    tokens::is_among(settings, share, kind, payment)
}

async fn create(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    new: &NewIntent,
    now_ms: i64,
) -> Result<Answer, sqlx::Error> {
    let payment = Uuid::parse_str(&new.payment).unwrap_or_default();
    let Some(Outcome { status, is_late }) = outcome(settings, &new.method, payment) else {
        let code = Some("resource_missing");
        let kind = "invalid_request_error";
        return Ok(Answer::refused(400, kind, code, Some("payment_method")));
    };
    let abandoned = (status == "canceled").then_some("abandoned");
    let succeeds_at = is_late.then(|| now_ms.saturating_add(settings.late.ms()));
    sqlx::query(
        "INSERT INTO intents (id, payment, order_id, amount, currency, method, status, \
                              cancellation, created, succeeds_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&new.id)
    .bind(&new.payment)
    .bind(&new.order)
    .bind(new.amount)
    .bind(&new.currency)
    .bind(&new.method)
    .bind(status)
    .bind(abandoned)
    .bind(now_ms / 1_000)
    .bind(succeeds_at)
    .execute(&mut **on)
    .await?;
    let Some(made) = intent(on, &new.id).await? else {
        return Err(sqlx::Error::RowNotFound);
    };
    let object = made.object(false);
    tell(on, settings, &made, (&new.event, now_ms)).await?;
    if status == "requires_payment_method" {
        let code = Some("card_declined");
        return Ok(Answer {
            status: 402,
            body: objects::error("card_error", code, None, Some(&object)),
            is_lost: false,
        });
    }
    Ok(Answer::done(object))
}

/// The intent in its new state, told of.
async fn moved(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    found: &Intent,
    status: &str,
    (event, now_ms): (&str, i64),
) -> Result<Intent, sqlx::Error> {
    let text = "UPDATE intents SET status = ?, succeeds_at = NULL WHERE id = ?";
    let update = sqlx::query(text).bind(status).bind(&found.id);
    update.execute(&mut **on).await?;
    let now = Intent {
        status: status.to_owned(),
        ..found.clone()
    };
    tell(on, settings, &now, (event, now_ms)).await?;
    Ok(now)
}

/// Captures what comes late and is due.
pub async fn come_late(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let text = text_of(super::INTENT, "WHERE succeeds_at <= ? LIMIT 100");
    let late: Vec<Intent> = sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(now_ms)
        .fetch_all(&mut **on)
        .await?;
    for intent in late {
        let event = intent.id.replacen("pi_", "evt_", 1);
        moved(on, settings, &intent, "succeeded", (&event, now_ms)).await?;
    }
    Ok(())
}

async fn refund(
    on: &mut SqliteTransaction<'_>,
    new: &NewRefund,
    now_ms: i64,
) -> Result<Answer, sqlx::Error> {
    let Some(intent) = intent(on, &new.intent).await? else {
        return Ok(missing("payment_intent"));
    };
    if intent.status != "succeeded" {
        return Ok(unexpected());
    }
    let left = intent.amount.saturating_sub(intent.refunded);
    let amount = new.amount.unwrap_or(left);
    if amount < 1 || amount > left {
        let code = (left == 0).then_some("charge_already_refunded");
        let kind = "invalid_request_error";
        return Ok(Answer::refused(400, kind, code, Some("amount")));
    }
    let made = Refund {
        id: new.id.clone(),
        intent: intent.id,
        of: new.refund.clone(),
        payment: new.payment.clone(),
        amount,
        currency: intent.currency,
        created: now_ms / 1_000,
    };
    sqlx::query(
        "INSERT INTO refunds (id, intent, refund, payment, amount, currency, created) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&made.id)
    .bind(&made.intent)
    .bind(&made.of)
    .bind(&made.payment)
    .bind(made.amount)
    .bind(&made.currency)
    .bind(made.created)
    .execute(&mut **on)
    .await?;
    Ok(Answer::done(made.object()))
}

/// Leaves a webhook about where the intent stands now, if that is an end, and anybody wants to hear.
async fn tell(
    on: &mut SqliteTransaction<'_>,
    settings: &Simulated,
    intent: &Intent,
    (event, now_ms): (&str, i64),
) -> Result<(), sqlx::Error> {
    let kind = match &*intent.status {
        "succeeded" => "payment_intent.succeeded",
        "canceled" => "payment_intent.canceled",
        "requires_payment_method" => "payment_intent.payment_failed",
        _ => return Ok(()),
    };
    if settings.webhook_url.is_none() {
        return Ok(());
    }
    let object: Value = intent.object(false);
    let body = objects::event(event, kind, now_ms / 1_000, &object).to_string();
    let is_twice = intent.method == "tok_answer_twice"
        || is_among(settings, settings.duplicate_webhooks, TOLD_TWICE, intent);
    let due_at = now_ms.saturating_add(settings.webhook_delay.ms());
    for _ in 0..=i32::from(is_twice) {
        sqlx::query("INSERT INTO webhooks (body, due_at, tries) VALUES (?, ?, 0)")
            .bind(&body)
            .bind(due_at)
            .execute(&mut **on)
            .await?;
    }
    Ok(())
}

fn missing(param: &str) -> Answer {
    let code = Some("resource_missing");
    Answer::refused(404, "invalid_request_error", code, Some(param))
}

fn unexpected() -> Answer {
    let code = Some("payment_intent_unexpected_state");
    Answer::refused(400, "invalid_request_error", code, None)
}
