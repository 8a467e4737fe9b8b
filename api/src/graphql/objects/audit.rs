//! The invariants of the order path, held against what there is.

use async_graphql::SimpleObject;
use domain::use_cases::audit::{AuditReport, Pipeline};

use crate::graphql::scalars::{Uuid, count};

use super::order::OrderState;

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
