//! Money: every order's state against the provider's books, to the last unit.

use std::collections::HashMap;

use super::{AuditReport, PAGE};
use crate::order::OrderStatus;
use crate::payment::{ProviderEntry, RefundReason};
use crate::ports::Ports;
use crate::ports::audit::{MoneyFigures, PaymentFigures};
use crate::{Fault, PaymentId};

/// Invariant 5.
pub(super) async fn check(ports: &Ports, report: &mut AuditReport) -> Result<(), Fault> {
    let mut books = books(ports).await?;
    report.payments = books.len() as u64;
    let mut after = None;
    loop {
        let page = ports.audit.money(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.order);
        for figures in &page {
            check_order(figures, &mut books, report);
        }
    }
    for (payment, entry) in books {
        if entry.captures > 0 {
            let detail = "the provider took money for no order".to_owned();
            report.note(5, payment.0, detail);
        }
    }
    Ok(())
}

async fn books(ports: &Ports) -> Result<HashMap<PaymentId, ProviderEntry>, Fault> {
    let mut books = HashMap::new();
    let mut after = None;
    loop {
        let page = ports.provider.statement(after.as_ref(), PAGE).await?;
        for entry in page.entries {
            let known = books.entry(entry.payment);
            known
                .and_modify(|known: &mut ProviderEntry| known.add(&entry))
                .or_insert(entry);
        }
        after = page.next;
        if after.is_none() {
            return Ok(books);
        }
    }
}

fn check_order(
    figures: &MoneyFigures,
    books: &mut HashMap<PaymentId, ProviderEntry>,
    report: &mut AuditReport,
) {
    let mut kept = Vec::new();
    for payment in &figures.payments {
        let entry = books.remove(&payment.id);
        let captures = entry.map_or(0, |entry| entry.captures);
        let in_flight = figures.status == OrderStatus::Paying && !payment.is_captured;
        if captures > 1 || (!in_flight && (captures == 1) != payment.is_captured) {
            let detail = format!(
                "captured {captures} times, by the ledger: {}",
                payment.is_captured
            );
            report.note(5, payment.id.0, detail);
        }
        if let Some(entry) = entry.filter(|entry| entry.captures > 0) {
            if entry.captured != payment.amount {
                let detail = "captured another amount than was asked for".to_owned();
                report.note(5, payment.id.0, detail);
            }
            check_refunds(figures, &entry, report);
        }
        if payment.is_captured && !is_stray(figures, payment.id) {
            kept.push(*payment);
        }
    }
    check_count(figures, kept.len(), report);
    for payment in &kept {
        check_kept(figures, payment, report);
    }
}

/// A paid order has one capture that it keeps, a cancelled one at most one, any other none.
fn check_count(figures: &MoneyFigures, captured: usize, report: &mut AuditReport) {
    let expected = match figures.status {
        OrderStatus::Paid => 1..=1,
        OrderStatus::Cancelled => 0..=1,
        OrderStatus::Accepted
        | OrderStatus::Rejected
        | OrderStatus::PendingPayment
        | OrderStatus::Paying
        | OrderStatus::Expired
        | OrderStatus::PaymentFailed => 0..=0,
    };
    if !expected.contains(&captured) {
        let detail = format!("{captured} captures for an order in {:?}", figures.status);
        report.note(5, figures.order.0, detail);
    }
}

/// What was given back of the capture that an order keeps is what was cancelled and returned of it,
/// and what an operator gave back by hand; never more than was taken.
fn check_kept(figures: &MoneyFigures, payment: &PaymentFigures, report: &mut AuditReport) {
    let refunds = figures.refunds.iter();
    let of_it = refunds.filter(|refund| refund.payment == payment.id);
    let (mut given, mut by_hand) = (0, 0);
    for refund in of_it {
        given += refund.amount_minor;
        if refund.reason == RefundReason::ByHand {
            by_hand += refund.amount_minor;
        }
    }
    let taken = payment.amount.minor;
    let due = taken.min(taken - figures.kept_minor + by_hand);
    if given != due {
        let detail = format!(
            "of {taken} minor units {given} go back, while {} are kept: that makes {due}",
            figures.kept_minor
        );
        report.note(5, figures.order.0, detail);
    }
}

/// Whether a captured payment is one that the order had no use for.
fn is_stray(figures: &MoneyFigures, payment: PaymentId) -> bool {
    figures
        .refunds
        .iter()
        .any(|refund| refund.payment == payment && refund.reason == RefundReason::StrayCapture)
}

/// What the provider gave back of a payment is what the ledger's completed refunds say; an open one
/// may be there already or not.
fn check_refunds(figures: &MoneyFigures, entry: &ProviderEntry, report: &mut AuditReport) {
    let of_payment = figures
        .refunds
        .iter()
        .filter(|refund| refund.payment == entry.payment);
    let (mut least, mut most) = (0, 0);
    for refund in of_payment {
        most += refund.amount_minor;
        if refund.is_completed {
            least += refund.amount_minor;
        }
    }
    if entry.refunded_minor < least || entry.refunded_minor > most {
        let detail = format!(
            "the provider gave back {} minor units, the ledger says {least} to {most}",
            entry.refunded_minor
        );
        report.note(5, entry.payment.0, detail);
    }
}
