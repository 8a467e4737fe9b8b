//! Adding, editing and restocking items. Everything is looked at before anything is written.

use std::collections::{BTreeSet, HashSet};

use domain::act::{Act, Alteration};
use domain::event::{Event, ItemEvent};
use domain::gate::Telling;
use domain::item::Item;
use domain::movement::Movement;
use domain::order::KeyUse;
use domain::ports::catalogue::ItemWritten;
use domain::{ItemId, Reason, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::list;
use crate::sql::bulk::{self, exactly};
use crate::sql::entities::{items, stock};
use crate::sql::fault::Stop;
use crate::sql::rows::item::{item_row, stock_row};
use crate::sql::rows::ms;
use crate::sql::stock::LockedStock;
use crate::sql::{keys, outbox, records};

/// The events of items that are created.
pub fn created(items: &[Item], at: Timestamp) -> Vec<Event> {
    items
        .iter()
        .map(|item| Event::of_item(item.id, item.version, at, ItemEvent::Created))
        .collect()
}

/// Adds items with their stock and events, all or none.
pub async fn create(
    on: &impl ConnectionTrait,
    items: &[Item],
    events: &[Event],
    key: Option<&KeyUse>,
    now: Timestamp,
) -> Result<ItemWritten, Stop> {
    if let Some(key) = key
        && keys::use_of(on, keys::name(key)).await?.is_some()
    {
        return Ok(ItemWritten::KeyTaken);
    }
    if any_sku_taken(on, items).await? {
        return Ok(ItemWritten::SkuTaken);
    }
    bulk::insert::<items::ActiveModel, _>(on, items.iter().map(item_row).collect()).await?;
    let stock = items.iter().map(|item| stock_row(item, ms(now))).collect();
    bulk::insert::<stock::ActiveModel, _>(on, stock).await?;
    let opened = items
        .iter()
        .map(|item| Movement::opened(item.id, &item.stock, item.id.0, now));
    records::insert_movements(on, &opened.collect::<Vec<_>>()).await?;
    keys::insert(on, key.map(std::slice::from_ref).unwrap_or_default(), now).await?;
    outbox::insert_here(on, events).await?;
    let item = match items {
        [item] => Some(Box::new(item.clone())),
        _ => None,
    };
    Ok(ItemWritten::Done {
        item,
        tellings: items.iter().map(first_telling).collect(),
    })
}

/// What the gate hears of an item that nobody has bought yet.
fn first_telling(item: &Item) -> Telling {
    let (admitted, terms) = (item.stock.admitted, item.terms());
    Telling {
        item: item.id,
        admitted,
        terms,
        buyers: Vec::new(),
    }
}

/// Whether a code is used already, in the ledger or twice among the new items.
async fn any_sku_taken(on: &impl ConnectionTrait, items: &[Item]) -> Result<bool, DbErr> {
    let coded = items
        .iter()
        .filter_map(|item| Some((item.seller.0, item.sku.as_deref()?)));
    let mut new = HashSet::new();
    for (seller, sku) in coded {
        if !new.insert((seller, sku)) {
            return Ok(true);
        }
    }
    let sellers: HashSet<_> = new.iter().map(|(seller, _)| *seller).collect();
    for seller in sellers {
        let skus = new
            .iter()
            .filter(|(of, _)| *of == seller)
            .map(|(_, sku)| *sku);
        let skus: Vec<&str> = skus.collect();
        for chunk in skus.chunks(bulk::MOST_IDS) {
            let taken = items::Entity::find()
                .select_only()
                .column(items::Column::Id)
                .filter(items::Column::SellerId.eq(seller))
                .filter(items::Column::Sku.is_in(chunk.iter().copied()))
                .into_tuple::<uuid::Uuid>();
            if taken.one(on).await?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Writes details and kind of an item that nobody edited since; where it sells otherwise than
/// before, the gate is told.
pub async fn edit(
    on: &impl ConnectionTrait,
    item: &Item,
    expected_version: i64,
    (event, act): (&Event, Option<&Act>),
    now: Timestamp,
) -> Result<ItemWritten, Stop> {
    let mut stock = LockedStock::lock(on, &BTreeSet::from([item.id])).await?;
    let Some(current) = version(on, item.id).await? else {
        return Ok(ItemWritten::NotFound);
    };
    if current != expected_version {
        return Ok(ItemWritten::Conflict { current });
    }
    let row = item_row(item);
    let update = items::Entity::update_many()
        .col_expr(items::Column::Name, Expr::value(row.name))
        .col_expr(items::Column::NameFolded, Expr::value(row.name_folded))
        .col_expr(items::Column::Description, Expr::value(row.description))
        .col_expr(items::Column::Category, Expr::value(row.category))
        .col_expr(items::Column::PriceMinor, Expr::value(row.price_minor))
        .col_expr(items::Column::Currency, Expr::value(row.currency))
        .col_expr(items::Column::Kind, Expr::value(row.kind))
        .col_expr(items::Column::OpensAt, Expr::value(row.opens_at))
        .col_expr(items::Column::ClosesAt, Expr::value(row.closes_at))
        .col_expr(
            items::Column::LimitPerBuyer,
            Expr::value(row.limit_per_buyer),
        )
        .col_expr(items::Column::Paused, Expr::value(row.paused))
        .col_expr(items::Column::Version, Expr::value(row.version))
        .filter(items::Column::Id.eq(row.id))
        .filter(items::Column::Version.eq(expected_version));
    exactly("editing an item", 1, update.exec(on).await?.rows_affected)?;
    let sells_otherwise = stock.set_kind(on, item.id, item.kind, now).await?;
    outbox::insert_here(on, [event]).await?;
    records::insert_acts(on, act.into_iter()).await?;
    let tellings = if sells_otherwise {
        stock.telling(item.id, [])
    } else {
        None
    };
    done(on, item.id, tellings).await
}

/// Changes an item's total. The item's version rises with it, so that its events keep apart.
pub async fn restock(
    on: &impl ConnectionTrait,
    item: ItemId,
    change: i64,
    (key, act): (&KeyUse, Option<&Act>),
    (at, now): (Timestamp, Timestamp),
) -> Result<ItemWritten, Stop> {
    let mut stock = LockedStock::lock(on, &BTreeSet::from([item])).await?;
    if keys::use_of(on, keys::name(key)).await?.is_some() {
        return Ok(ItemWritten::KeyTaken);
    }
    let (Some(before), Some(version)) = (stock.stock(item), version(on, item).await?) else {
        return Ok(ItemWritten::NotFound);
    };
    let next = match before
        .total
        .checked_add(change)
        .map(|total| before.with_total(total))
    {
        Some(Ok(next)) => next,
        Some(Err(Reason::StockBelowHeld { held })) => return Ok(ItemWritten::BelowHeld { held }),
        Some(Err(_)) | None => return Ok(ItemWritten::OutOfRange),
    };
    stock.set_total(on, item, next, now).await?;
    let update = items::Entity::update_many()
        .col_expr(items::Column::Version, Expr::value(version + 1))
        .filter(items::Column::Id.eq(item.0))
        .filter(items::Column::Version.eq(version));
    exactly(
        "restocking an item",
        1,
        update.exec(on).await?.rows_affected,
    )?;
    keys::insert(on, std::slice::from_ref(key), now).await?;
    let event = Event::of_item(item, version + 1, at, ItemEvent::Restocked);
    outbox::insert_here(on, [&event]).await?;
    let movement = Movement::changed(item, change, event.id.0, now);
    records::insert_movements(on, &[movement]).await?;
    let act = act.map(|act| Act {
        changes: Alteration::of_total(before.total, next.total),
        ..act.clone()
    });
    records::insert_acts(on, act.iter()).await?;
    done(on, item, stock.telling(item, [])).await
}

async fn done(
    on: &impl ConnectionTrait,
    item: ItemId,
    telling: Option<Telling>,
) -> Result<ItemWritten, Stop> {
    let item = list::by_id(on, &[item]).await?.pop().map(Box::new);
    Ok(ItemWritten::Done {
        item,
        tellings: telling.into_iter().collect(),
    })
}

async fn version(on: &impl ConnectionTrait, item: ItemId) -> Result<Option<i64>, DbErr> {
    let select = items::Entity::find()
        .select_only()
        .column(items::Column::Version);
    select
        .filter(items::Column::Id.eq(item.0))
        .into_tuple()
        .one(on)
        .await
}
