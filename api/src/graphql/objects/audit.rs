//! The back office's look at the invariants.

use async_graphql::{Context, Object, SimpleObject};
use domain::use_cases::audit::{self, AuditReport, Pipeline};

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::scalars::{Uuid, count};

use super::order::OrderState;

/// What only those who run the shop may see.
pub struct BackOffice;

/// For those who run the shop: role ADMIN.
#[Object]
impl BackOffice {
    /// Holds the ledger against itself, against the gate and against the payment provider. It reads
    /// everything and waits up to 15 seconds for the pipeline to come to rest. Null when something
    /// can't be read.
    #[graphql(complexity = "1000 + child_complexity")]
    async fn stock_audit(&self, ctx: &Context<'_>) -> Option<StockAudit> {
        let report = audit::audit(&Graph::of(ctx).ports).await;
        nullable(
            ctx,
            report
                .map(|report| Some(report.into()))
                .map_err(Fault::from),
        )
    }
}

/// What an audit found.
#[derive(SimpleObject)]
pub struct StockAudit {
    /// Whether nothing is broken.
    clean: bool,
    /// What is broken; at most 100 findings.
    findings: Vec<AuditFinding>,
    /// Whether nothing was on its way. Only then were gate and ledger held against each other.
    quiet: bool,
    /// Items looked at.
    items: i32,
    /// Orders by their state.
    orders: Vec<OrderCount>,
    /// Payments on the provider's books.
    payments: i32,
    /// Records of the log that nobody could handle, kept for an operator.
    dead_letters: i32,
}

/// A broken invariant.
#[derive(SimpleObject)]
pub struct AuditFinding {
    /// The invariant's number, 1 to 6.
    invariant: i32,
    /// The item, order or payment it is about.
    subject: Uuid,
    /// What is wrong, for an operator.
    detail: String,
}

/// How many orders are in a state.
#[derive(SimpleObject)]
pub struct OrderCount {
    /// The state.
    state: OrderState,
    /// Orders in it.
    count: i32,
}

impl From<AuditReport> for StockAudit {
    fn from(report: AuditReport) -> Self {
        let clean = report.is_clean();
        let findings = report.findings.into_iter().map(|finding| AuditFinding {
            invariant: finding.invariant.into(),
            subject: Uuid(finding.subject),
            detail: finding.detail,
        });
        let orders = report
            .orders
            .into_iter()
            .map(|(status, orders)| OrderCount {
                state: status.into(),
                count: count(orders),
            });
        Self {
            clean,
            findings: findings.collect(),
            quiet: report.pipeline == Pipeline::AtRest,
            items: count(report.items),
            orders: orders.collect(),
            payments: count(report.payments),
            dead_letters: count(report.dead_letters),
        }
    }
}
