//! Wishlists.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::page::{Cursor, CursorValue, Page, Window};
use domain::ports::Wishlists;
use domain::ports::wishlists::Added;
use domain::wishlist::WishlistEntry;
use domain::{AccountId, Fault, Quantity, WishlistEntryId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    Select,
};
use uuid::Uuid;

use super::entities::wishlist_entries::{ActiveModel, Column, Entity};
use super::fault::Stop;
use super::many::{self, Cell};
use super::paging::{self, Direction, List};
use super::rows::BadRow;
use super::rows::wishlist::entry_row;
use super::{Ledger, bulk};

#[async_trait]
impl Wishlists for Ledger {
    async fn add(&self, entry: &WishlistEntry, most: u32) -> Result<Added, Fault> {
        self.write("adding to a wishlist", |on| async move {
            add(&on, entry, most).await
        })
        .await
    }

    async fn entries_of(
        &self,
        account: AccountId,
        window: &Window,
    ) -> Result<Page<WishlistEntry>, Fault> {
        self.read("reading a wishlist", |on| async move {
            entries_of(&on, account, window).await
        })
        .await
    }

    async fn entries(
        &self,
        account: AccountId,
        ids: &[WishlistEntryId],
    ) -> Result<Vec<WishlistEntry>, Fault> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.read("reading wishes", |on| async move {
            let rows = bulk::rows_of(&on, of_account(account), Column::Id, &ids).await?;
            let entries = rows.into_iter().map(WishlistEntry::try_from);
            Ok(entries.collect::<Result<_, BadRow>>()?)
        })
        .await
    }

    async fn set_quantity(
        &self,
        account: AccountId,
        entry: WishlistEntryId,
        quantity: Quantity,
    ) -> Result<Option<WishlistEntry>, Fault> {
        self.write("changing a wish", |on| async move {
            let update = Entity::update_many()
                .col_expr(Column::Quantity, Expr::value(i64::from(quantity.get())))
                .filter(Column::Id.eq(entry.0))
                .filter(Column::AccountId.eq(account.0));
            if update.exec(&on).await?.rows_affected == 0 {
                return Ok(None);
            }
            let row = Entity::find_by_id(entry.0).one(&on).await?;
            Ok(row.map(WishlistEntry::try_from).transpose()?)
        })
        .await
    }

    async fn remove(&self, account: AccountId, entry: WishlistEntryId) -> Result<bool, Fault> {
        self.write("removing a wish", |on| async move {
            let delete = Entity::delete_many()
                .filter(Column::Id.eq(entry.0))
                .filter(Column::AccountId.eq(account.0));
            Ok(delete.exec(&on).await?.rows_affected == 1)
        })
        .await
    }
}

fn of_account(account: AccountId) -> Select<Entity> {
    Entity::find().filter(Column::AccountId.eq(account.0))
}

async fn add(on: &impl ConnectionTrait, entry: &WishlistEntry, most: u32) -> Result<Added, Stop> {
    let there = of_account(entry.account)
        .filter(Column::ItemId.eq(entry.item.0))
        .select_only()
        .column(Column::Id)
        .into_tuple::<Uuid>();
    if let Some(id) = there.one(on).await? {
        return Ok(Added::IsThere(WishlistEntryId(id)));
    }
    if of_account(entry.account).count(on).await? >= u64::from(most) {
        return Ok(Added::Full);
    }
    bulk::insert::<ActiveModel, _>(on, vec![entry_row(entry)]).await?;
    Ok(Added::Done)
}

/// Takes entries off the wishlists of these accounts. Those that are gone are no error: their owner
/// was faster.
pub async fn remove_granted(
    on: &impl ConnectionTrait,
    granted: &BTreeSet<(WishlistEntryId, AccountId)>,
) -> Result<(), DbErr> {
    let rows = granted
        .iter()
        .map(|(entry, account)| vec![entry.0.into(), account.0.into()]);
    let rows: Vec<Vec<Cell>> = rows.collect();
    many::delete::<Entity>(on, &[Column::Id, Column::AccountId], &rows).await
}

async fn entries_of(
    on: &impl ConnectionTrait,
    account: AccountId,
    window: &Window,
) -> Result<Page<WishlistEntry>, Stop> {
    let list = List {
        select: of_account(account),
        value: Column::AddedAt,
        id: Column::Id,
        order: Direction::Falling,
        reads: paging::instant,
    };
    let (rows, around) = list.take(on, window).await?;
    let entries = rows.into_iter().map(WishlistEntry::try_from);
    let entries = entries.collect::<Result<_, BadRow>>()?;
    Ok(around.page(entries, |entry: &WishlistEntry| Cursor {
        value: CursorValue::At(entry.added_at),
        id: entry.id.0,
    }))
}
