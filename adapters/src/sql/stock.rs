//! Stock rows that a transaction has locked: what is left, what moves, what the gate then hears.

use std::collections::{BTreeMap, BTreeSet};

use domain::batch::Room;
use domain::gate::{BuyerCount, Telling, Terms};
use domain::item::Kind;
use domain::stock::{Stock, StockMove};
use domain::{AccountId, ItemId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::bulk::{self, MOST_IDS, exactly};
use super::entities::{buyer_stock, items, stock};
use super::fault::Stop;
use super::many::{self, Cell, Update};
use super::rows::item::{Window, counts};
use super::rows::ms;

/// Stock rows in item order, locked until the transaction ends, with buyers where they were asked
/// for.
#[derive(Default)]
pub struct LockedStock {
    rows: BTreeMap<ItemId, Row>,
    buyers: BTreeMap<(ItemId, AccountId), BuyerCount>,
}

struct Row {
    stock: Stock,
    kind: Kind,
}

impl LockedStock {
    /// Locks the rows of these items that are there, in item order, and reads how they sell. The
    /// window can't change in between: whoever changes it locks the row first.
    pub async fn lock(on: &impl ConnectionTrait, items: &BTreeSet<ItemId>) -> Result<Self, Stop> {
        let ids: Vec<Uuid> = items.iter().map(|item| item.0).collect();
        let select = stock::Entity::find()
            .order_by_asc(stock::Column::ItemId)
            .lock_exclusive();
        let stock = bulk::rows_of(on, select, stock::Column::ItemId, &ids).await?;
        let ids: Vec<Uuid> = stock.iter().map(|row| row.item_id).collect();
        let mut kinds = windows(on, &ids).await?;
        let mut rows = BTreeMap::new();
        for row in stock {
            let id = ItemId(row.item_id);
            // A foreign key keeps the item there.
            let Some(kind) = kinds.remove(&id) else {
                continue;
            };
            rows.insert(
                id,
                Row {
                    stock: counts(&row)?,
                    kind,
                },
            );
        }
        Ok(Self {
            rows,
            buyers: BTreeMap::new(),
        })
    }

    /// Reads what buyers took of the locked items that count buyers.
    pub async fn read_buyers(
        &mut self,
        on: &impl ConnectionTrait,
        places: &BTreeSet<(ItemId, AccountId)>,
    ) -> Result<(), DbErr> {
        use buyer_stock::Column::{BuyerId, ItemId as Item};
        let counted = places.iter().filter(|(item, _)| self.counts_buyers(*item));
        let places: Vec<Vec<Cell>> = counted
            .map(|(item, buyer)| vec![item.0.into(), buyer.0.into()])
            .collect();
        for row in many::select::<buyer_stock::Entity>(on, &[Item, BuyerId], &places).await? {
            let (item, count) = buyer_count(&row);
            self.buyers.insert((item, count.buyer), count);
        }
        Ok(())
    }

    /// The stock of a locked item.
    pub fn stock(&self, item: ItemId) -> Option<Stock> {
        self.rows.get(&item).map(|row| row.stock)
    }

    /// Whether an item is locked and counts its buyers.
    pub fn counts_buyers(&self, item: ItemId) -> bool {
        self.rows.get(&item).is_some_and(Row::counts_buyers)
    }

    /// What is left of every locked item.
    pub fn room(&self) -> BTreeMap<ItemId, Room> {
        self.rows
            .iter()
            .map(|(item, row)| (*item, row.room()))
            .collect()
    }

    /// Units that the buyers hold who were read.
    pub fn holdings(&self) -> impl Iterator<Item = ((ItemId, AccountId), i64)> {
        self.buyers
            .iter()
            .map(|(place, count)| (*place, count.admitted - count.released))
    }

    /// Moves every row once, and remembers how they stand afterwards.
    pub async fn apply(
        &mut self,
        on: &impl ConnectionTrait,
        moves: &BTreeMap<ItemId, StockMove>,
        buyers: &BTreeMap<(ItemId, AccountId), StockMove>,
        now: Timestamp,
    ) -> Result<(), Stop> {
        use stock::Column::{Admitted, ChangedAt, Held, ItemId as Item, Released, Version};
        let mut rows = Vec::with_capacity(moves.len());
        for (item, moved) in moves {
            let row = self.rows.get_mut(item);
            let row = row.ok_or_else(|| Stop::moved("moving stock", 1, 0))?;
            let next = row.stock.after(*moved);
            rows.push(vec![
                item.0.into(),
                row.stock.version.into(),
                next.version.into(),
                ms(now).into(),
                moved.held.into(),
                moved.admitted.into(),
                moved.released.into(),
            ]);
            row.stock = next;
        }
        let update = Update::<stock::Entity> {
            doing: "moving stock",
            keys: &[Item],
            seen: &[Version],
            open: None,
            set: &[Version, ChangedAt],
            add: &[Held, Admitted, Released],
        };
        update.write(on, &rows).await?;
        self.apply_buyers(on, buyers, now).await
    }

    async fn apply_buyers(
        &mut self,
        on: &impl ConnectionTrait,
        moves: &BTreeMap<(ItemId, AccountId), StockMove>,
        now: Timestamp,
    ) -> Result<(), Stop> {
        use buyer_stock::Column::{Admitted, BuyerId, ChangedAt, ItemId as Item, Released};
        let mut new = Vec::new();
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for ((item, buyer), moved) in moves {
            let (admitted, released) = (moved.admitted, moved.released);
            if let Some(count) = self.buyers.get_mut(&(*item, *buyer)) {
                rows.push(vec![
                    item.0.into(),
                    buyer.0.into(),
                    ms(now).into(),
                    admitted.into(),
                    released.into(),
                ]);
                count.admitted += admitted;
                count.released += released;
            } else {
                let count = BuyerCount {
                    buyer: *buyer,
                    admitted,
                    released,
                };
                self.buyers.insert((*item, *buyer), count);
                new.push(buyer_stock::Model {
                    item_id: item.0,
                    buyer_id: buyer.0,
                    admitted,
                    released,
                    changed_at: ms(now),
                });
            }
        }
        bulk::insert::<buyer_stock::ActiveModel, _>(on, new).await?;
        let update = Update::<buyer_stock::Entity> {
            doing: "moving buyers' stock",
            keys: &[Item, BuyerId],
            seen: &[],
            open: None,
            set: &[ChangedAt],
            add: &[Admitted, Released],
        };
        update.write(on, &rows).await
    }

    /// Gives an item another total, with the version that says so.
    pub async fn set_total(
        &mut self,
        on: &impl ConnectionTrait,
        item: ItemId,
        next: Stock,
        now: Timestamp,
    ) -> Result<(), Stop> {
        let row = self
            .rows
            .get_mut(&item)
            .ok_or_else(|| Stop::moved("restocking", 1, 0))?;
        let update = stock::Entity::update_many()
            .col_expr(stock::Column::Total, Expr::value(next.total))
            .col_expr(stock::Column::Version, Expr::value(next.version))
            .col_expr(stock::Column::ChangedAt, Expr::value(ms(now)))
            .filter(stock::Column::ItemId.eq(item.0))
            .filter(stock::Column::Version.eq(row.stock.version))
            .filter(stock::Column::Held.lte(next.total));
        exactly("restocking", 1, update.exec(on).await?.rows_affected)?;
        row.stock = next;
        Ok(())
    }

    /// Notes that an item sells as `kind` from now on; `false` where it always did, and the gate
    /// need not hear of it.
    pub async fn set_kind(
        &mut self,
        on: &impl ConnectionTrait,
        item: ItemId,
        kind: Kind,
        now: Timestamp,
    ) -> Result<bool, Stop> {
        let row = self
            .rows
            .get_mut(&item)
            .ok_or_else(|| Stop::moved("scheduling", 1, 0))?;
        if row.kind == kind {
            return Ok(false);
        }
        let version = row.stock.version;
        let update = stock::Entity::update_many()
            .col_expr(stock::Column::Version, Expr::value(version + 1))
            .col_expr(stock::Column::ChangedAt, Expr::value(ms(now)))
            .filter(stock::Column::ItemId.eq(item.0))
            .filter(stock::Column::Version.eq(version));
        exactly("scheduling", 1, update.exec(on).await?.rows_affected)?;
        row.stock.version = version + 1;
        row.kind = kind;
        Ok(true)
    }

    /// What the gate hears of an item and these of its buyers. `None` for one that is not locked.
    pub fn telling(
        &self,
        item: ItemId,
        buyers: impl IntoIterator<Item = AccountId>,
    ) -> Option<Telling> {
        let row = self.rows.get(&item)?;
        let counts = buyers
            .into_iter()
            .filter_map(|buyer| self.buyers.get(&(item, buyer)));
        Some(Telling {
            item,
            admitted: row.stock.admitted,
            terms: Terms::of(&row.kind, &row.stock),
            buyers: counts.copied().collect(),
        })
    }
}

impl Row {
    fn counts_buyers(&self) -> bool {
        match self.kind {
            Kind::General => false,
            Kind::TimeDeal(_) => true,
        }
    }

    fn room(&self) -> Room {
        let limit = match self.kind {
            Kind::General => None,
            Kind::TimeDeal(deal) => deal.limit_per_buyer,
        };
        let available = self.stock.available();
        Room {
            available,
            limit,
            counts_buyers: self.counts_buyers(),
        }
    }
}

/// How these items sell.
pub async fn windows(
    on: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<BTreeMap<ItemId, Kind>, Stop> {
    let mut kinds = BTreeMap::new();
    for chunk in ids.chunks(MOST_IDS) {
        let select = items::Entity::find()
            .select_only()
            .columns([
                items::Column::Id,
                items::Column::Kind,
                items::Column::OpensAt,
                items::Column::ClosesAt,
                items::Column::LimitPerBuyer,
                items::Column::Paused,
            ])
            .filter(many::one_of(on, items::Column::Id, chunk.iter().copied()));
        for window in select.into_model::<Window>().all(on).await? {
            kinds.insert(ItemId(window.id), window.kind()?);
        }
    }
    Ok(kinds)
}

/// What a buyer took of which item.
pub fn buyer_count(row: &buyer_stock::Model) -> (ItemId, BuyerCount) {
    let buyer = AccountId(row.buyer_id);
    (
        ItemId(row.item_id),
        BuyerCount {
            buyer,
            admitted: row.admitted,
            released: row.released,
        },
    )
}
