//! The ledger as the audit reads it: plain sums over the tables, nothing remembered.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::order::{Order, OrderStatus};
use domain::payment::PaymentState;
use domain::ports::LedgerAudit;
use domain::ports::audit::{
    BuyerFigures, MoneyFigures, Moved, PaymentFigures, RefundFigures, StockFigures,
};
use domain::{Fault, ItemId, OrderId};
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, Func, IntoCondition, JoinType, Query, SelectStatement, SimpleExpr,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::Ledger;
use super::bulk::MOST_IDS;
use super::engine::sum;
use super::entities::{buyer_stock, items, order_lines, orders, stock, stock_movements};
use super::fault::{Stop, while_doing};
use super::orders::page_by_id;
use super::rows::item::TIME_DEAL;
use super::rows::ms;
use crate::words::Word;

#[async_trait]
impl LedgerAudit for Ledger {
    async fn stock(&self, after: Option<ItemId>, most: usize) -> Result<Vec<StockFigures>, Fault> {
        self.read("auditing stock", |on| async move {
            Ok(stock_figures(&on, after, most).await?)
        })
        .await
    }

    async fn buyers_off(&self, most: usize) -> Result<Vec<BuyerFigures>, Fault> {
        self.read("auditing buyers", |on| async move {
            let mut off = select_buyers(&on, differing(&on, most)).await?;
            off.extend(select_buyers(&on, missing(&on, most - off.len())).await?);
            off.into_iter().map(BuyerRow::figures).collect()
        })
        .await
    }

    async fn money(&self, after: Option<OrderId>, most: usize) -> Result<Vec<MoneyFigures>, Fault> {
        let orders = self
            .read("auditing money", |on| async move {
                page_by_id(&on, after, most).await
            })
            .await?;
        let figures = orders.iter().map(money_figures);
        Ok(figures.collect())
    }

    async fn overdue_by(&self, grace_ms: i64) -> Result<u64, Fault> {
        while_doing("counting overdue orders", async {
            let latest = ms(self.engine.now(&self.engine.reader).await?).saturating_sub(grace_ms);
            let select = orders::Entity::find()
                .filter(orders::Column::Status.eq(OrderStatus::PendingPayment.word()))
                .filter(orders::Column::ExpiresAt.lt(latest));
            Ok::<_, Stop>(select.count(&self.engine.reader).await?)
        })
        .await
    }

    async fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, Fault> {
        let doing = "counting orders by status";
        self.read(doing, |on| async move {
            let rows: Vec<(String, i64)> = orders::Entity::find()
                .select_only()
                .column(orders::Column::Status)
                .column_as(orders::Column::Id.count(), "orders")
                .group_by(orders::Column::Status)
                .order_by_asc(orders::Column::Status)
                .into_tuple()
                .all(&on)
                .await?;
            let counts = rows.into_iter().map(|(word, count)| {
                let status = OrderStatus::from_word(&word);
                let status = status.ok_or_else(|| {
                    Fault::corrupt(doing, format!("orders.status {word:?} is an unknown word"))
                })?;
                Ok((status, count.unsigned_abs()))
            });
            counts.collect()
        })
        .await
    }
}

fn money_figures(order: &Order) -> MoneyFigures {
    let payments = order.payments.iter().map(|payment| PaymentFigures {
        id: payment.id,
        amount: payment.amount,
        is_captured: matches!(payment.state, PaymentState::Captured { .. }),
    });
    let refunds = order.refunds.iter().map(|refund| RefundFigures {
        payment: refund.payment,
        reason: refund.reason,
        amount_minor: refund.amount.minor,
        is_completed: refund.completed_at.is_some(),
    });
    let holds = order.status().holds();
    MoneyFigures {
        order: order.id,
        status: order.status(),
        kept_minor: if holds {
            order.current_total().minor
        } else {
            0
        },
        payments: payments.collect(),
        refunds: refunds.collect(),
    }
}

async fn stock_figures(
    on: &impl ConnectionTrait,
    after: Option<ItemId>,
    most: usize,
) -> Result<Vec<StockFigures>, DbErr> {
    let mut select = stock::Entity::find();
    if let Some(after) = after {
        select = select.filter(stock::Column::ItemId.gt(after.0));
    }
    let select = select
        .order_by_asc(stock::Column::ItemId)
        .limit(most as u64);
    let rows = select.all(on).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item_id).collect();
    let mut held: HashMap<Uuid, i64> = HashMap::new();
    for chunk in ids.chunks(MOST_IDS) {
        let item = (order_lines::Entity, order_lines::Column::ItemId);
        let sums = holding_lines(on)
            .column(item)
            .and_where(Expr::col(item).is_in(chunk.iter().copied()))
            .group_by_col(item)
            .take();
        for row in on.query_all(&sums).await? {
            held.insert(row.try_get("", "item_id")?, row.try_get("", UNITS)?);
        }
    }
    let moved = moved(on, &ids).await?;
    let figures = rows.iter().map(|row| StockFigures {
        item: ItemId(row.item_id),
        stock: row.into(),
        held_by_lines: held.get(&row.item_id).copied().unwrap_or(0),
        moved: moved.get(&row.item_id).copied().unwrap_or_default(),
    });
    Ok(figures.collect())
}

/// What the movements of these items come to.
async fn moved(on: &impl ConnectionTrait, items: &[Uuid]) -> Result<HashMap<Uuid, Moved>, DbErr> {
    use stock_movements::Column::{Held, ItemId, Released, Total};
    let of = |column| Expr::col((stock_movements::Entity, column));
    let backend = on.get_database_backend();
    let mut moved = HashMap::new();
    for chunk in items.chunks(MOST_IDS) {
        let sums = Query::select()
            .column(ItemId)
            .expr_as(sum(backend, of(Total)), Alias::new("total"))
            .expr_as(sum(backend, of(Held)), Alias::new("held"))
            .expr_as(sum(backend, of(Released)), Alias::new("released"))
            .from(stock_movements::Entity)
            .and_where(of(ItemId).is_in(chunk.iter().copied()))
            .group_by_col(ItemId)
            .take();
        for row in on.query_all(&sums).await? {
            let item: Uuid = row.try_get("", "item_id")?;
            let of_it = Moved {
                total: row.try_get("", "total")?,
                held: row.try_get("", "held")?,
                released: row.try_get("", "released")?,
            };
            moved.insert(item, of_it);
        }
    }
    Ok(moved)
}

const UNITS: &str = "units";
const HELD: &str = "held";
const LINES: &str = "lines";

/// Σ of what is kept, as `units`, over the lines of orders that hold; the caller says by what.
fn holding_lines(on: &impl ConnectionTrait) -> SelectStatement {
    let of = |column| Expr::col((order_lines::Entity, column));
    let or_none = |column| SimpleExpr::from(Func::coalesce([of(column), Expr::val(0)]));
    let kept = of(order_lines::Column::Quantity)
        .sub(or_none(order_lines::Column::Cancelled))
        .sub(or_none(order_lines::Column::Returned));
    let status = Expr::col((orders::Entity, orders::Column::Status));
    let holding = OrderStatus::IN_LEDGER
        .into_iter()
        .filter(|status| status.holds());
    Query::select()
        .expr_as(sum(on.get_database_backend(), kept), Alias::new(UNITS))
        .from(order_lines::Entity)
        .inner_join(
            orders::Entity,
            Expr::col((orders::Entity, orders::Column::Id))
                .equals((order_lines::Entity, order_lines::Column::OrderId)),
        )
        .and_where(status.is_in(holding.map(Word::word)))
        .take()
}

/// The same by item and buyer.
fn held_by_buyer(on: &impl ConnectionTrait) -> SelectStatement {
    holding_lines(on)
        .column((order_lines::Entity, order_lines::Column::ItemId))
        .column((orders::Entity, orders::Column::BuyerId))
        .group_by_col((order_lines::Entity, order_lines::Column::ItemId))
        .group_by_col((orders::Entity, orders::Column::BuyerId))
        .take()
}

/// Rows of buyers whose units are others than their orders', or more than the limit.
fn differing(on: &impl ConnectionTrait, most: usize) -> SelectStatement {
    let of = |column| Expr::col((buyer_stock::Entity, column));
    let held = of(buyer_stock::Column::Admitted).sub(of(buyer_stock::Column::Released));
    let lines = SimpleExpr::from(Func::coalesce([
        Expr::col((Alias::new(LINES), Alias::new(UNITS))),
        Expr::val(0),
    ]));
    let limit = Expr::col((items::Entity, items::Column::LimitPerBuyer));
    let off = held.clone().ne(lines.clone()).or(held.clone().gt(limit));
    Query::select()
        .column((buyer_stock::Entity, buyer_stock::Column::ItemId))
        .column((items::Entity, items::Column::LimitPerBuyer))
        .expr_as(held, Alias::new(HELD))
        .expr_as(lines, Alias::new(UNITS))
        .from(buyer_stock::Entity)
        .inner_join(items::Entity, item_is(of(buyer_stock::Column::ItemId)))
        .join_subquery(
            JoinType::LeftJoin,
            held_by_buyer(on),
            Alias::new(LINES),
            same_buyer().into_condition(),
        )
        .and_where(Expr::col((items::Entity, items::Column::Kind)).eq(TIME_DEAL))
        .and_where(off)
        .limit(most as u64)
        .take()
}

/// Buyers who hold units of a counted item by their orders and have no row.
fn missing(on: &impl ConnectionTrait, most: usize) -> SelectStatement {
    Query::select()
        .column((Alias::new(LINES), Alias::new("item_id")))
        .column((items::Entity, items::Column::LimitPerBuyer))
        .expr_as(Expr::val(0_i64), Alias::new(HELD))
        .expr_as(
            Expr::col((Alias::new(LINES), Alias::new(UNITS))),
            Alias::new(UNITS),
        )
        .from_subquery(held_by_buyer(on), Alias::new(LINES))
        .inner_join(
            items::Entity,
            item_is(Expr::col((Alias::new(LINES), Alias::new("item_id")))),
        )
        .left_join(buyer_stock::Entity, same_buyer())
        .and_where(Expr::col((items::Entity, items::Column::Kind)).eq(TIME_DEAL))
        .and_where(Expr::col((buyer_stock::Entity, buyer_stock::Column::ItemId)).is_null())
        .limit(most as u64)
        .take()
}

fn item_is(id: SimpleExpr) -> SimpleExpr {
    id.eq(Expr::col((items::Entity, items::Column::Id)))
}

fn same_buyer() -> SimpleExpr {
    let item = Expr::col((Alias::new(LINES), Alias::new("item_id")))
        .equals((buyer_stock::Entity, buyer_stock::Column::ItemId));
    let buyer = Expr::col((Alias::new(LINES), Alias::new("buyer_id")))
        .equals((buyer_stock::Entity, buyer_stock::Column::BuyerId));
    item.and(buyer)
}

#[derive(FromQueryResult)]
struct BuyerRow {
    item_id: Uuid,
    held: i64,
    units: i64,
    limit_per_buyer: Option<i64>,
}

impl BuyerRow {
    fn figures(self) -> Result<BuyerFigures, Stop> {
        let Self {
            item_id,
            held,
            units,
            limit_per_buyer,
        } = self;
        let limit = limit_per_buyer
            .map(u32::try_from)
            .transpose()
            .map_err(|_| {
                Fault::corrupt(
                    "auditing buyers",
                    format!("items.limit_per_buyer of {item_id}"),
                )
            })?;
        Ok(BuyerFigures {
            item: ItemId(item_id),
            held,
            held_by_lines: units,
            limit,
        })
    }
}

async fn select_buyers(
    on: &impl ConnectionTrait,
    select: SelectStatement,
) -> Result<Vec<BuyerRow>, DbErr> {
    let rows = on.query_all(&select).await?;
    rows.iter()
        .map(|row| BuyerRow::from_query_result(row, ""))
        .collect()
}
