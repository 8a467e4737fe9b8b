//! The audit finds what was tampered with.

use domain::item::{Item, Kind};
use domain::ports::audit::BuyerFigures;
use domain::ports::{Catalogue, LedgerAudit};
use domain::{ItemId, Timestamp};
use tempfile::TempDir;

use super::{ID, deal, item, open, place, tamper};
use crate::sql::Ledger;

/// A deal of which one buyer holds two units, by two orders.
async fn sold() -> (Ledger, TempDir) {
    let (ledger, folder) = open().await;
    let item = Item {
        kind: Kind::TimeDeal(deal(Some(5))),
        ..item(0x1234)
    };
    ledger
        .create_many(&[item], Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    place(&ledger, 1).await;
    place(&ledger, 2).await;
    assert_eq!(ledger.buyers_off(9).await.unwrap(), []);
    (ledger, folder)
}

async fn off(ledger: &Ledger) -> Vec<(i64, i64, Option<u32>)> {
    let off = ledger.buyers_off(9).await.unwrap();
    assert!(
        off.iter()
            .all(|BuyerFigures { item, .. }| *item == ItemId(ID))
    );
    off.iter()
        .map(|off| (off.held, off.held_by_lines, off.limit))
        .collect()
}

#[tokio::test]
async fn a_buyers_row_that_is_not_as_the_orders_say() {
    let (ledger, _folder) = sold().await;
    tamper(&ledger, "UPDATE buyer_stock SET admitted = admitted + 1").await;
    assert_eq!(off(&ledger).await, [(3, 2, Some(5))]);
    tamper(&ledger, "DELETE FROM buyer_stock").await;
    assert_eq!(
        off(&ledger).await,
        [(0, 2, Some(5))],
        "and one that is missing"
    );
    tamper(&ledger, "UPDATE items SET kind = 'GENERAL'").await;
    assert_eq!(
        off(&ledger).await,
        [],
        "nobody counts buyers of what is no deal"
    );
}

#[tokio::test]
async fn a_buyer_over_the_limit() {
    let (ledger, _folder) = sold().await;
    tamper(&ledger, "UPDATE items SET limit_per_buyer = 1").await;
    assert_eq!(off(&ledger).await, [(2, 2, Some(1))]);
    tamper(&ledger, "UPDATE items SET limit_per_buyer = NULL").await;
    assert_eq!(off(&ledger).await, []);
    assert_eq!(ledger.buyers_off(0).await.unwrap(), []);
}

#[tokio::test]
async fn units_that_no_line_holds() {
    let (ledger, _folder) = sold().await;
    tamper(
        &ledger,
        "UPDATE orders SET status = 'EXPIRED', ended_at = 1 WHERE version = 1",
    )
    .await;
    let figures = LedgerAudit::stock(&ledger, None, 9).await.unwrap();
    assert_eq!((figures[0].stock.held, figures[0].held_by_lines), (2, 0));
    assert_eq!(off(&ledger).await, [(2, 0, Some(5))]);
}
