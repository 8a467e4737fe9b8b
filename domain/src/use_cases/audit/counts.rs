//! Units: the ledger against its own lines, and against the gate.

use std::collections::HashMap;

use super::{AuditReport, MOST_FINDINGS, PAGE};
use crate::gate::{BuyerCount, Level, Telling};
use crate::ports::Ports;
use crate::ports::audit::StockFigures;
use crate::{AccountId, Fault, ItemId};

pub(super) async fn check(ports: &Ports, report: &mut AuditReport) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let page = ports.audit.stock(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.item);
        report.items += page.len() as u64;
        for figures in &page {
            check_ledger(figures, report);
        }
        if report.quiet {
            let items: Vec<ItemId> = page.iter().map(|figures| figures.item).collect();
            check_gate(ports, &items, report).await?;
        }
    }
    for off in ports.audit.buyers_off(MOST_FINDINGS).await? {
        let detail = format!(
            "a buyer holds {} by the count, {} by the orders, limit {:?}",
            off.held, off.held_by_lines, off.limit
        );
        report.note(2, off.item.0, detail);
    }
    Ok(())
}

/// Invariants 1 and 2.
fn check_ledger(figures: &StockFigures, report: &mut AuditReport) {
    let stock = &figures.stock;
    let subject = figures.item.0;
    if stock.held < 0 || stock.held > stock.total {
        report.note(
            1,
            subject,
            format!("held {} of total {}", stock.held, stock.total),
        );
    }
    if stock.held != figures.held_by_lines {
        let detail = format!(
            "held {}, by the orders {}",
            stock.held, figures.held_by_lines
        );
        report.note(1, subject, detail);
    }
    if stock.admitted - stock.released != stock.held {
        let detail = format!(
            "admitted {} - released {} is not held {}",
            stock.admitted, stock.released, stock.held
        );
        report.note(2, subject, detail);
    }
}

/// Invariant 3. An item that the gate has not loaded agrees with everything.
async fn check_gate(
    ports: &Ports,
    items: &[ItemId],
    report: &mut AuditReport,
) -> Result<(), Fault> {
    let tellings = ports.catalogue.tellings(items).await?;
    let levels = ports.gate.levels(items).await?;
    let by_item: HashMap<ItemId, Level> = levels
        .into_iter()
        .map(|level| (level.item, level))
        .collect();
    for telling in &tellings {
        let Some(level) = by_item.get(&telling.item) else {
            continue;
        };
        check_level(telling, level, report);
        if telling.terms.counts_buyers {
            check_buyers(telling, &ports.gate.buyers(telling.item).await?, report);
        }
    }
    Ok(())
}

fn check_level(telling: &Telling, level: &Level, report: &mut AuditReport) {
    if level.admitted != telling.admitted || level.terms.ceiling != telling.terms.ceiling {
        let detail = format!(
            "gate admitted {} of {}, ledger {} of {}",
            level.admitted, level.terms.ceiling, telling.admitted, telling.terms.ceiling
        );
        report.note(3, telling.item.0, detail);
    }
}

fn check_buyers(telling: &Telling, at_gate: &[BuyerCount], report: &mut AuditReport) {
    let held = |counts: &[BuyerCount]| -> HashMap<AccountId, (i64, i64)> {
        counts
            .iter()
            .map(|count| (count.buyer, (count.admitted, count.released)))
            .collect()
    };
    let (ledger, gate) = (held(&telling.buyers), held(at_gate));
    let differ = ledger
        .iter()
        .filter(|(buyer, counts)| gate.get(buyer) != Some(counts))
        .count();
    let surplus = gate
        .iter()
        .filter(|(buyer, counts)| **counts != (0, 0) && !ledger.contains_key(buyer))
        .count();
    if differ + surplus > 0 {
        let detail = format!(
            "{} buyers are counted differently at the gate",
            differ + surplus
        );
        report.note(3, telling.item.0, detail);
    }
}
