//! The audit of a running shop, asked of it by an operator.

use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use domain::order::OrderStatus;
use domain::use_cases::audit::{AuditReport, Finding, Pipeline};
use serde::Deserialize;
use uuid::Uuid;

use super::client::{Client, Document, Token};
use super::endpoint::Endpoint;

/// How long it may take: the shop waits for its pipeline to come to rest, and reads everything.
const TIMEOUT: Duration = Duration::from_mins(2);
const DOING: &str = "asking the running shop for an audit";

const DOCUMENT: Document = Document(
    "query Audit { backOffice { stockAudit { quiet items payments deadLetters \
     findings { invariant subject detail } orders { state count } } } }",
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    back_office: Option<BackOffice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BackOffice {
    stock_audit: Option<StockAudit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StockAudit {
    quiet: bool,
    items: u64,
    payments: u64,
    dead_letters: u64,
    findings: Vec<Found>,
    orders: Vec<Count>,
}

#[derive(Deserialize)]
struct Found {
    invariant: u8,
    subject: Uuid,
    detail: String,
}

#[derive(Deserialize)]
struct Count {
    state: String,
    count: u64,
}

/// Asks the endpoint at `url`, with an admin's access token.
///
/// # Errors
/// Nobody answers, or the answer is no audit.
pub async fn audit(url: &str, token: &str) -> Result<AuditReport, Fault> {
    let endpoint = Endpoint::parse(url).map_err(|error| Fault::corrupt(DOING, error))?;
    let token = Token::new(token).map_err(|error| Fault::corrupt(DOING, error))?;
    let mut client = Client::new(Arc::new(endpoint), TIMEOUT);
    let answer: Answer = client
        .ask(Some(&token), DOCUMENT, &serde_json::Map::new())
        .await
        .map_err(|error| Fault::unavailable(DOING, error.to_string()))?;
    let audit = answer.back_office.and_then(|office| office.stock_audit);
    let audit =
        audit.ok_or_else(|| Fault::corrupt(DOING, "it may not be asked by this operator"))?;
    let orders = audit
        .orders
        .iter()
        .map(|count| Ok((status(&count.state)?, count.count)));
    let findings = audit.findings.into_iter().map(|found| Finding {
        invariant: found.invariant,
        subject: found.subject,
        detail: found.detail,
    });
    Ok(AuditReport {
        orders: orders.collect::<Result<_, Fault>>()?,
        findings: findings.collect(),
        pipeline: if audit.quiet {
            Pipeline::AtRest
        } else {
            Pipeline::Busy
        },
        items: audit.items,
        payments: audit.payments,
        dead_letters: audit.dead_letters,
    })
}

fn status(name: &str) -> Result<OrderStatus, Fault> {
    let known = OrderStatus::IN_LEDGER.into_iter();
    let status = known
        .into_iter()
        .find(|status| crate::audit_report::name(*status) == name);
    status.ok_or_else(|| Fault::corrupt(DOING, format!("an order state {name} that nobody knows")))
}
