//! Tells whoever wants to hear, until they say that they have.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::books::{Done, Job, Webhook};
use crate::payment::stripe::signature;
use crate::payment::tls;

/// Between two looks for what is due.
const LOOK_MS: u64 = 50;
/// How long a webhook may take to be taken.
const LIMIT: Duration = Duration::from_secs(10);
/// Waits before a webhook is sent again: they double, up to the longest.
const FIRST_WAIT_MS: i64 = 200;
const LONGEST_WAIT_MS: i64 = 30_000;

/// Sends webhooks until the shutdown, and captures what comes late.
pub async fn send(desk: Arc<Desk>, shutdown: CancellationToken) {
    let sending = async {
        let http = match tls::client(LIMIT) {
            Ok(http) => http,
            Err(error) => {
                tracing::error!(detail = error.detail(), "no webhooks can be sent");
                return;
            }
        };
        loop {
            let sent = round(&desk, &http).await;
            if sent == 0 {
                desk.clock.sleep_ms(LOOK_MS).await;
            }
        }
    };
    shutdown.run_until_cancelled(sending).await;
}

/// How many were sent.
async fn round(desk: &Desk, http: &Client) -> usize {
    let now_ms = desk.clock.now().timestamp_millis();
    let due = match desk.books.run(Job::Due { now_ms }).await {
        Ok(Done::Due(due)) => due,
        Ok(Done::Answered(_) | Done::Noted) => Vec::new(),
        Err(fault) => {
            tracing::warn!(cause = fault.detail(), "webhooks wait");
            Vec::new()
        }
    };
    join_all(due.iter().map(|webhook| tell(desk, http, webhook))).await;
    due.len()
}

async fn tell(desk: &Desk, http: &Client, webhook: &Webhook) {
    let number = webhook.number;
    let note = if is_taken(desk, http, webhook).await {
        Job::Told { number }
    } else {
        let doubled = 2_i64.saturating_pow(u32::try_from(webhook.tries).unwrap_or(u32::MAX));
        let wait = doubled.saturating_mul(FIRST_WAIT_MS).min(LONGEST_WAIT_MS);
        let at_ms = desk.clock.now().timestamp_millis().saturating_add(wait);
        Job::TellAgain { number, at_ms }
    };
    if let Err(fault) = desk.books.run(note).await {
        tracing::warn!(cause = fault.detail(), "a webhook is sent once more");
    }
}

async fn is_taken(desk: &Desk, http: &Client, webhook: &Webhook) -> bool {
    let (Some(url), Some(secret)) = (&desk.settings.webhook_url, &desk.webhook_secret) else {
        return true;
    };
    let body = webhook.body.clone();
    let signed = signature::sign(secret.expose(), body.as_bytes(), desk.clock.now());
    let Some(signed) = signed else { return true };
    let request = http
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("Stripe-Signature", signed)
        .body(body);
    let answer = request.send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
