//! Money: every order's state against the provider's books, to the last unit.

use std::collections::HashMap;

use super::{AuditReport, PAGE};
use crate::order::OrderStatus;
use crate::payment::{ProviderEntry, RefundReason};
use crate::ports::Ports;
use crate::ports::audit::MoneyFigures;
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
        let page = ports.provider.statement(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(books);
        };
        after = Some(last.payment);
        books.extend(page.into_iter().map(|entry| (entry.payment, entry)));
    }
}

fn check_order(
    figures: &MoneyFigures,
    books: &mut HashMap<PaymentId, ProviderEntry>,
    report: &mut AuditReport,
) {
    let subject = figures.order.0;
    let mut captured = 0;
    for (payment, is_captured) in &figures.payments {
        let entry = books.remove(payment);
        let captures = entry.map_or(0, |entry| entry.captures);
        let in_flight = figures.status == OrderStatus::Paying && !is_captured;
        if captures > 1 || (!in_flight && (captures == 1) != *is_captured) {
            let detail = format!("captured {captures} times, by the ledger: {is_captured}");
            report.note(5, payment.0, detail);
        }
        if let Some(entry) = entry.filter(|entry| entry.captures > 0) {
            if entry.captured != figures.total {
                let detail = "captured another amount than the order's total".to_owned();
                report.note(5, payment.0, detail);
            }
            check_refunds(figures, &entry, report);
        }
        captured += usize::from(*is_captured && !is_stray(figures, *payment));
    }
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
        report.note(5, subject, detail);
    }
    let cancelled = figures
        .refunds
        .iter()
        .filter(|(_, why, ..)| *why == RefundReason::Cancelled);
    let due = usize::from(figures.status == OrderStatus::Cancelled && captured == 1);
    if cancelled.count() != due {
        report.note(
            5,
            subject,
            "refunds do not match the cancellation".to_owned(),
        );
    }
}

/// Whether a captured payment is one that the order had no use for.
fn is_stray(figures: &MoneyFigures, payment: PaymentId) -> bool {
    figures
        .refunds
        .iter()
        .any(|(of, why, ..)| *of == payment && *why == RefundReason::StrayCapture)
}

/// What the provider gave back of a payment is what the ledger's completed refunds say; an open one
/// may be there already or not.
fn check_refunds(figures: &MoneyFigures, entry: &ProviderEntry, report: &mut AuditReport) {
    let of_payment = figures
        .refunds
        .iter()
        .filter(|(of, ..)| *of == entry.payment);
    let (mut least, mut most) = (0, 0);
    for (_, _, amount, completed) in of_payment {
        most += amount.minor;
        least += if *completed { amount.minor } else { 0 };
    }
    if entry.refunded_minor < least || entry.refunded_minor > most {
        let detail = format!(
            "the provider gave back {} minor units, the ledger says {least} to {most}",
            entry.refunded_minor
        );
        report.note(5, entry.payment.0, detail);
    }
}
