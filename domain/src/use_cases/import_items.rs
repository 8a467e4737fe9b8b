//! Takes a catalogue in: what is new is created, what is there already is left alone.

use std::collections::HashSet;

use crate::item::{Details, Item, Kind, MAX_SKU, text};
use crate::ports::Ports;
use crate::ports::catalogue::ItemWritten;
use crate::refusal::{Reason, Refusal, Rule};
use crate::stock::Stock;
use crate::{AccountId, Fault, ItemId};

/// A row of a catalogue, as read.
#[derive(Clone, Debug)]
pub struct CatalogueRow {
    pub sku: String,
    pub details: Details,
    pub total: i64,
}

/// What became of the rows, by their place in the input.
#[derive(Clone, Default, Debug)]
pub struct Imported {
    pub created: usize,
    pub refused: Vec<(usize, Refusal)>,
}

/// Items created in one transaction.
const CHUNK: usize = 500;

/// Imports general items for `seller`; every row that is refused says why, the rest goes in.
///
/// # Errors
/// A fault of the ledger; the chunks before it are in, and a repetition refuses those as repeated.
pub async fn import_items(
    ports: &Ports,
    seller: AccountId,
    rows: &[CatalogueRow],
) -> Result<Imported, Fault> {
    let mut imported = Imported::default();
    let mut seen = HashSet::new();
    for (at, chunk) in rows.chunks(CHUNK).enumerate() {
        let skus: Vec<String> = chunk.iter().map(|row| row.sku.clone()).collect();
        let known = ports.catalogue.by_sku(seller, &skus).await?;
        seen.extend(known.into_iter().filter_map(|item| item.sku));
        let mut items = Vec::with_capacity(chunk.len());
        for (within, row) in chunk.iter().enumerate() {
            let mut refusals = check(row);
            if !seen.insert(row.sku.clone()) {
                refusals.push(Reason::from(Rule::Repeated).at(["sku"]));
            }
            let stock = Stock::new(row.total).map_err(|reason| reason.at(["total"]));
            match stock {
                Ok(stock) if refusals.is_empty() => items.push(item(ports, seller, row, stock)),
                Ok(_) => {}
                Err(refusal) => refusals.push(refusal),
            }
            let place = at * CHUNK + within;
            imported
                .refused
                .extend(refusals.into_iter().map(|refusal| (place, refusal)));
        }
        imported.created += create(ports, &items).await?;
    }
    Ok(imported)
}

fn check(row: &CatalogueRow) -> Vec<Refusal> {
    let mut refusals = row.details.refusals();
    refusals.extend(
        text(&row.sku, 1, MAX_SKU)
            .err()
            .map(|reason| reason.at(["sku"])),
    );
    refusals
}

fn item(ports: &Ports, seller: AccountId, row: &CatalogueRow, stock: Stock) -> Item {
    Item {
        id: ItemId(ports.sortable_id()),
        seller,
        sku: Some(row.sku.clone()),
        details: row.details.clone(),
        kind: Kind::General,
        stock,
        version: 1,
        created_at: ports.clock.now(),
    }
}

async fn create(ports: &Ports, items: &[Item]) -> Result<usize, Fault> {
    if items.is_empty() {
        return Ok(0);
    }
    match ports
        .catalogue
        .create_many(items, ports.clock.now())
        .await?
    {
        ItemWritten::Done { .. } => Ok(items.len()),
        other => Err(Fault::unavailable(
            "importing items",
            format!("somebody else imports the same codes: {other:?}"),
        )),
    }
}
