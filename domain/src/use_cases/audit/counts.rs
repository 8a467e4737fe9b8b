//! Units: the ledger against its own lines, and against the gate.

use std::collections::HashMap;

use super::{AuditReport, MOST_FINDINGS, PAGE, Pipeline};
use crate::gate::{BuyerCount, Level, Telling};
use crate::ports::Ports;
use crate::ports::audit::StockFigures;
use crate::{AccountId, Fault, ItemId};

/// How often a difference between gate and ledger is looked at again, and after how long.
const LOOKS: usize = 10;
const LOOK_AGAIN_MS: u64 = 200;

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
        if report.pipeline == Pipeline::AtRest {
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
    if !figures.is_explained() {
        let detail = format!(
            "total {}, held {}, released {} are {:?} by the movements",
            stock.total, stock.held, stock.released, figures.moved
        );
        report.note(2, subject, detail);
    }
    if stock.admitted - stock.released != stock.held {
        let detail = format!(
            "admitted {} - released {} is not held {}",
            stock.admitted, stock.released, stock.held
        );
        report.note(2, subject, detail);
    }
}

/// Invariant 3. An item that the gate has not loaded agrees with everything. The gate hears of a
/// commit a moment after it, so only what goes on to differ is noted.
async fn check_gate(
    ports: &Ports,
    items: &[ItemId],
    report: &mut AuditReport,
) -> Result<(), Fault> {
    let mut differing = compare(ports, items).await?;
    for _ in 0..LOOKS {
        if differing.is_empty() {
            return Ok(());
        }
        ports.clock.sleep_ms(LOOK_AGAIN_MS).await;
        let mut items: Vec<ItemId> = differing.iter().map(|(item, _)| *item).collect();
        items.dedup();
        differing = compare(ports, &items).await?;
    }
    for (item, detail) in differing {
        report.note(3, item.0, detail);
    }
    Ok(())
}

/// What is counted differently at the gate.
async fn compare(ports: &Ports, items: &[ItemId]) -> Result<Vec<(ItemId, String)>, Fault> {
    let tellings = ports.catalogue.tellings(items).await?;
    let levels = ports.gate.exact_levels(items).await?;
    let by_item: HashMap<ItemId, Level> = levels
        .into_iter()
        .map(|level| (level.item, level))
        .collect();
    let mut differing = Vec::new();
    for telling in &tellings {
        let Some(level) = by_item.get(&telling.item) else {
            continue;
        };
        let mut details = Vec::from_iter(level_differs(telling, level));
        if telling.terms.counts_buyers {
            let at_gate = ports.gate.buyers(telling.item).await?;
            details.extend(buyers_differ(telling, &at_gate));
        }
        differing.extend(details.into_iter().map(|detail| (telling.item, detail)));
    }
    Ok(differing)
}

fn level_differs(telling: &Telling, level: &Level) -> Option<String> {
    let agrees = level.admitted == telling.admitted && level.terms.ceiling == telling.terms.ceiling;
    (!agrees).then(|| {
        format!(
            "gate admitted {} of {}, ledger {} of {}",
            level.admitted, level.terms.ceiling, telling.admitted, telling.terms.ceiling
        )
    })
}

fn buyers_differ(telling: &Telling, at_gate: &[BuyerCount]) -> Option<String> {
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
    let count = differ + surplus;
    (count > 0).then(|| format!("{count} buyers are counted differently at the gate"))
}
