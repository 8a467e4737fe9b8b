//! Items by id, by code, and a page at a time.

use std::collections::HashMap;

use domain::item::Item;
use domain::page::{Cursor, CursorValue, ItemFilter, ItemKindFilter, ItemOrder, ItemQuery, Page};
use domain::{AccountId, ItemId};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query, Value};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, Select,
};
use uuid::Uuid;

use crate::sql::bulk::{self, MOST_IDS};
use crate::sql::entities::{items, stock};
use crate::sql::fault::Stop;
use crate::sql::paging::{self, Direction, List};
use crate::sql::rows::item::{GENERAL, ItemRows, TIME_DEAL, folded};
use crate::sql::rows::{BadRow, ms};
use crate::words::Word;

/// The items of these ids that are there.
pub async fn by_id(on: &impl ConnectionTrait, ids: &[ItemId]) -> Result<Vec<Item>, Stop> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = bulk::rows_of(on, items::Entity::find(), items::Column::Id, &ids).await?;
    whole(on, rows).await
}

/// The items of a seller that have one of these codes.
pub async fn by_sku(
    on: &impl ConnectionTrait,
    seller: AccountId,
    skus: &[String],
) -> Result<Vec<Item>, Stop> {
    let mut rows = Vec::new();
    for chunk in skus.chunks(MOST_IDS) {
        let select = items::Entity::find()
            .filter(items::Column::SellerId.eq(seller.0))
            .filter(items::Column::Sku.is_in(chunk));
        rows.extend(select.all(on).await?);
    }
    whole(on, rows).await
}

/// A page of items. A cursor of another order has nothing beside it.
pub async fn page(on: &impl ConnectionTrait, query: &ItemQuery) -> Result<Page<Item>, Stop> {
    let by = By::from(query.order);
    let mut select = filtered(&query.filter);
    if by == By::Opening {
        select = select.filter(items::Column::OpensAt.is_not_null());
    }
    let list = List {
        select,
        value: by.column(),
        id: items::Column::Id,
        order: direction(query.order),
        reads: by.reads(),
    };
    let (rows, around) = list.take(on, &query.window).await?;
    let items = whole(on, rows).await?;
    Ok(around.page(items, |item| by.cursor(item)))
}

/// How many items a filter leaves.
pub async fn count(on: &impl ConnectionTrait, filter: &ItemFilter) -> Result<u64, DbErr> {
    filtered(filter).count(on).await
}

/// What a list is ordered by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Age,
    Price,
    Name,
    Opening,
}

impl From<ItemOrder> for By {
    fn from(order: ItemOrder) -> Self {
        match order {
            ItemOrder::NewestFirst | ItemOrder::OldestFirst => Self::Age,
            ItemOrder::CheapestFirst | ItemOrder::DearestFirst => Self::Price,
            ItemOrder::ByName => Self::Name,
            ItemOrder::OpensFirst => Self::Opening,
        }
    }
}

fn direction(order: ItemOrder) -> Direction {
    match order {
        ItemOrder::OldestFirst
        | ItemOrder::CheapestFirst
        | ItemOrder::ByName
        | ItemOrder::OpensFirst => Direction::Rising,
        ItemOrder::NewestFirst | ItemOrder::DearestFirst => Direction::Falling,
    }
}

impl By {
    fn column(self) -> items::Column {
        match self {
            Self::Age => items::Column::CreatedAt,
            Self::Price => items::Column::PriceMinor,
            Self::Name => items::Column::NameFolded,
            Self::Opening => items::Column::OpensAt,
        }
    }

    /// Where an item is in the list.
    fn cursor(self, item: &Item) -> Cursor {
        let value = match self {
            Self::Age => CursorValue::At(item.created_at),
            Self::Price => CursorValue::Minor(item.details.price.minor),
            Self::Name => CursorValue::Text(folded(&item.details.name)),
            // The list has deals only.
            Self::Opening => {
                CursorValue::At(item.deal().map_or(item.created_at, |deal| deal.opens_at))
            }
        };
        Cursor {
            value,
            id: item.id.0,
        }
    }

    /// What it reads of a cursor.
    fn reads(self) -> fn(&CursorValue) -> Option<Value> {
        match self {
            Self::Age | Self::Opening => paging::instant,
            Self::Price => paging::amount,
            Self::Name => paging::text,
        }
    }
}

fn filtered(filter: &ItemFilter) -> Select<items::Entity> {
    use items::Column::{Category, Currency, Kind, NameFolded, OpensAt, PriceMinor, SellerId, Sku};
    let mut select = items::Entity::find();
    if let Some(kind) = filter.kind {
        select = select.filter(Kind.eq(match kind {
            ItemKindFilter::General => GENERAL,
            ItemKindFilter::TimeDeal => TIME_DEAL,
        }));
    }
    if let Some(category) = filter.category {
        select = select.filter(Category.eq(category.word()));
    }
    if let Some(seller) = filter.seller {
        select = select.filter(SellerId.eq(seller.0));
    }
    if !filter.skus.is_empty() {
        select = select.filter(Sku.is_in(&filter.skus));
    }
    if let Some(part) = &filter.name_contains {
        select = select.filter(NameFolded.like(containing(&folded(part))));
    }
    if let Some(price) = filter.price_from {
        select = select.filter(Currency.eq(price.currency.code()));
        select = select.filter(PriceMinor.gte(price.minor));
    }
    if let Some(price) = filter.price_to {
        select = select.filter(Currency.eq(price.currency.code()));
        select = select.filter(PriceMinor.lte(price.minor));
    }
    if filter.in_stock {
        select = select.filter(Expr::exists(left()));
    }
    if let Some(from) = filter.opens_from {
        select = select.filter(OpensAt.gte(ms(from)));
    }
    if let Some(before) = filter.opens_before {
        select = select.filter(OpensAt.lt(ms(before)));
    }
    select
}

/// A pattern for texts that contain `part`, whatever characters it has.
fn containing(part: &str) -> LikeExpr {
    const ESCAPE: char = '!';
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape(ESCAPE)
}

/// Stock of the item that orders could still get.
fn left() -> sea_orm::sea_query::SelectStatement {
    let held = Expr::col((stock::Entity, stock::Column::Held));
    Query::select()
        .expr(Expr::val(1))
        .from(stock::Entity)
        .and_where(
            Expr::col((stock::Entity, stock::Column::ItemId))
                .equals((items::Entity, items::Column::Id)),
        )
        .and_where(held.lt(Expr::col((stock::Entity, stock::Column::Total))))
        .take()
}

/// The items of these rows with their stock, in their order.
async fn whole(on: &impl ConnectionTrait, rows: Vec<items::Model>) -> Result<Vec<Item>, Stop> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let stock = bulk::rows_of(on, stock::Entity::find(), stock::Column::ItemId, &ids).await?;
    let mut stock: HashMap<Uuid, stock::Model> =
        stock.into_iter().map(|row| (row.item_id, row)).collect();
    let items = rows.into_iter().map(|row| {
        let stock = stock.remove(&row.id).ok_or_else(|| BadRow {
            table: "stock",
            column: "item_id",
            id: row.id.to_string(),
            problem: "an item without stock".to_owned(),
        })?;
        Item::try_from(ItemRows { item: row, stock })
    });
    Ok(items.collect::<Result<_, BadRow>>()?)
}
