//! What the gate has to know, read from the ledger.

use std::collections::HashMap;

use domain::gate::{BuyerCount, Telling, Terms};
use domain::item::Kind;
use domain::{ItemId, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::sql::bulk::{self, MOST_IDS};
use crate::sql::entities::{buyer_stock, stock};
use crate::sql::fault::Stop;
use crate::sql::many;
use crate::sql::rows::item::counts;
use crate::sql::rows::ms;
use crate::sql::stock::{buyer_count, windows};

/// These items with all their buyers.
pub async fn of(on: &impl ConnectionTrait, items: &[ItemId]) -> Result<Vec<Telling>, Stop> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.0).collect();
    let rows = bulk::rows_of(on, stock::Entity::find(), stock::Column::ItemId, &ids).await?;
    tellings(on, rows, None).await
}

/// What changed at or after `since`, with the buyers that did: a buyer's row never changes without
/// its item's.
pub async fn since(
    on: &impl ConnectionTrait,
    since: Option<Timestamp>,
    after: Option<ItemId>,
    most: usize,
) -> Result<Vec<Telling>, Stop> {
    let mut select = stock::Entity::find();
    if let Some(since) = since {
        select = select.filter(stock::Column::ChangedAt.gte(ms(since)));
    }
    if let Some(after) = after {
        select = select.filter(stock::Column::ItemId.gt(after.0));
    }
    let select = select
        .order_by_asc(stock::Column::ItemId)
        .limit(most as u64);
    let rows = select.all(on).await?;
    tellings(on, rows, since).await
}

async fn tellings(
    on: &impl ConnectionTrait,
    rows: Vec<stock::Model>,
    since: Option<Timestamp>,
) -> Result<Vec<Telling>, Stop> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item_id).collect();
    let mut kinds = windows(on, &ids).await?;
    let deals = kinds
        .iter()
        .filter(|(_, kind)| matches!(kind, Kind::TimeDeal(_)));
    let deals: Vec<Uuid> = deals.map(|(item, _)| item.0).collect();
    let mut buyers = buyers(on, &deals, since).await?;
    let mut tellings = Vec::with_capacity(rows.len());
    for row in rows {
        let item = ItemId(row.item_id);
        // A foreign key keeps the item there.
        let Some(kind) = kinds.remove(&item) else {
            continue;
        };
        let stock = counts(&row)?;
        tellings.push(Telling {
            item,
            admitted: stock.admitted,
            terms: Terms::of(&kind, &stock),
            buyers: buyers.remove(&item).unwrap_or_default(),
        });
    }
    Ok(tellings)
}

async fn buyers(
    on: &impl ConnectionTrait,
    items: &[Uuid],
    since: Option<Timestamp>,
) -> Result<HashMap<ItemId, Vec<BuyerCount>>, DbErr> {
    let mut buyers: HashMap<ItemId, Vec<BuyerCount>> = HashMap::new();
    for chunk in items.chunks(MOST_IDS) {
        let mut select = buyer_stock::Entity::find().filter(many::one_of(
            on,
            buyer_stock::Column::ItemId,
            chunk.iter().copied(),
        ));
        if let Some(since) = since {
            select = select.filter(buyer_stock::Column::ChangedAt.gte(ms(since)));
        }
        for row in select.all(on).await? {
            let (item, count) = buyer_count(&row);
            buyers.entry(item).or_default().push(count);
        }
    }
    Ok(buyers)
}
