//! Orders as aggregates: the rows of seven tables, read as of one moment.

use std::collections::HashMap;

use domain::delivery::ShipmentStatus;
use domain::gate::Receipt;
use domain::order::Order;
use domain::page::{Cursor, CursorValue, Page, Window};
use domain::{AccountId, OrderId, PaymentId, ReturnId, Timestamp};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::crypto::vault::Vault;
use crate::sql::bulk;
use crate::sql::entities::{
    order_lines, orders, payments, refunds, return_lines, return_requests, shipments,
};
use crate::sql::fault::Stop;
use crate::sql::paging::{self, Direction, List};
use crate::sql::rows::order::{OrderRows, receipt};
use crate::sql::rows::{BadRow, ms};
use crate::words::Word;

/// The orders of these ids that are there.
pub async fn by_id(
    on: &impl ConnectionTrait,
    vault: &Vault,
    ids: &[OrderId],
) -> Result<Vec<Order>, Stop> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = bulk::rows_of(on, orders::Entity::find(), orders::Column::Id, &ids).await?;
    whole(on, vault, rows).await
}

/// A buyer's orders, newest first.
pub async fn of_buyer(
    on: &impl ConnectionTrait,
    vault: &Vault,
    buyer: AccountId,
    window: &Window,
) -> Result<Page<Order>, Stop> {
    let list = List {
        select: orders::Entity::find().filter(orders::Column::BuyerId.eq(buyer.0)),
        value: orders::Column::PlacedAt,
        id: orders::Column::Id,
        order: Direction::Falling,
        reads: paging::instant,
    };
    let (rows, around) = list.take(on, window).await?;
    let orders = whole(on, vault, rows).await?;
    Ok(around.page(orders, |order| Cursor {
        value: CursorValue::At(order.placed_at),
        id: order.id.0,
    }))
}

/// The order that a payment is of.
pub async fn of_payment(
    on: &impl ConnectionTrait,
    payment: PaymentId,
) -> Result<Option<OrderId>, DbErr> {
    let select = payments::Entity::find_by_id(payment.0)
        .select_only()
        .column(payments::Column::OrderId);
    let order: Option<Uuid> = select.into_tuple().one(on).await?;
    Ok(order.map(OrderId))
}

/// Orders by id, after `after`, without the addresses that they go to.
pub async fn page_by_id(
    on: &impl ConnectionTrait,
    after: Option<OrderId>,
    most: usize,
) -> Result<Vec<Order>, Stop> {
    let mut select = orders::Entity::find();
    if let Some(after) = after {
        select = select.filter(orders::Column::Id.gt(after.0));
    }
    let rows = select
        .order_by_asc(orders::Column::Id)
        .limit(most as u64)
        .all(on)
        .await?;
    let orders = of_rows(on, rows).await?.into_iter();
    let orders = orders.map(OrderRows::without_address);
    Ok(orders.collect::<Result<_, BadRow>>()?)
}

/// The orders of these rows, in their order.
pub async fn whole(
    on: &impl ConnectionTrait,
    vault: &Vault,
    rows: Vec<orders::Model>,
) -> Result<Vec<Order>, Stop> {
    let orders = of_rows(on, rows).await?.into_iter();
    let orders = orders.map(|rows| rows.order(vault));
    Ok(orders.collect::<Result<_, BadRow>>()?)
}

/// These rows with what hangs on them, in their order.
async fn of_rows(
    on: &impl ConnectionTrait,
    rows: Vec<orders::Model>,
) -> Result<Vec<OrderRows>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut parts = Parts::read(on, &rows, &ids).await?;
    Ok(rows.into_iter().map(|order| parts.rows_of(order)).collect())
}

/// What hangs on some orders.
#[derive(Default)]
struct Parts {
    lines: HashMap<Uuid, Vec<order_lines::Model>>,
    payments: HashMap<Uuid, Vec<payments::Model>>,
    refunds: HashMap<Uuid, Vec<refunds::Model>>,
    shipments: HashMap<Uuid, shipments::Model>,
    returns: HashMap<Uuid, Vec<return_requests::Model>>,
    /// By their return.
    return_lines: HashMap<Uuid, Vec<return_lines::Model>>,
}

impl Parts {
    async fn read(
        on: &impl ConnectionTrait,
        rows: &[orders::Model],
        ids: &[Uuid],
    ) -> Result<Self, DbErr> {
        let mut parts = Self::default();
        let select = order_lines::Entity::find().order_by_asc(order_lines::Column::Position);
        for line in bulk::rows_of(on, select, order_lines::Column::OrderId, ids).await? {
            parts.lines.entry(line.order_id).or_default().push(line);
        }
        // An order that never took a step has nothing else.
        let moved = rows.iter().filter(|row| row.version > 1);
        let ids: Vec<Uuid> = moved.map(|row| row.id).collect();
        let select = payments::Entity::find().order_by_asc(payments::Column::Attempt);
        for payment in bulk::rows_of(on, select, payments::Column::OrderId, &ids).await? {
            parts
                .payments
                .entry(payment.order_id)
                .or_default()
                .push(payment);
        }
        let select = refunds::Entity::find()
            .order_by_asc(refunds::Column::RequestedAt)
            .order_by_asc(refunds::Column::Id);
        for refund in bulk::rows_of(on, select, refunds::Column::OrderId, &ids).await? {
            parts
                .refunds
                .entry(refund.order_id)
                .or_default()
                .push(refund);
        }
        let select = shipments::Entity::find();
        for shipment in bulk::rows_of(on, select, shipments::Column::OrderId, &ids).await? {
            parts.shipments.insert(shipment.order_id, shipment);
        }
        // Only what is with its buyer can come back.
        let shipments = parts.shipments.values();
        let delivered = shipments.filter(|row| row.status == ShipmentStatus::Delivered.word());
        let ids: Vec<Uuid> = delivered.map(|row| row.order_id).collect();
        parts.read_returns(on, &ids).await?;
        Ok(parts)
    }

    async fn read_returns(
        &mut self,
        on: &impl ConnectionTrait,
        orders: &[Uuid],
    ) -> Result<(), DbErr> {
        use return_requests::Column::{Id, OrderId, RequestedAt};
        let select = return_requests::Entity::find()
            .order_by_asc(RequestedAt)
            .order_by_asc(Id);
        let mut ids = Vec::new();
        for request in bulk::rows_of(on, select, OrderId, orders).await? {
            ids.push(request.id);
            self.returns
                .entry(request.order_id)
                .or_default()
                .push(request);
        }
        let select = return_lines::Entity::find().order_by_asc(return_lines::Column::Position);
        for line in bulk::rows_of(on, select, return_lines::Column::ReturnId, &ids).await? {
            self.return_lines
                .entry(line.return_id)
                .or_default()
                .push(line);
        }
        Ok(())
    }

    fn rows_of(&mut self, order: orders::Model) -> OrderRows {
        OrderRows {
            lines: self.lines.remove(&order.id).unwrap_or_default(),
            payments: self.payments.remove(&order.id).unwrap_or_default(),
            refunds: self.refunds.remove(&order.id).unwrap_or_default(),
            shipment: self.shipments.remove(&order.id),
            returns: self.returns_of(order.id),
            order,
        }
    }
}

impl Parts {
    fn returns_of(
        &mut self,
        order: Uuid,
    ) -> Vec<(return_requests::Model, Vec<return_lines::Model>)> {
        let requests = self.returns.remove(&order).unwrap_or_default();
        let with_lines = requests.into_iter().map(|request| {
            let lines = self.return_lines.remove(&request.id).unwrap_or_default();
            (request, lines)
        });
        with_lines.collect()
    }
}

/// The order that a return is of.
pub async fn of_return(
    on: &impl ConnectionTrait,
    request: ReturnId,
) -> Result<Option<OrderId>, DbErr> {
    let row = return_requests::Entity::find_by_id(request.0)
        .one(on)
        .await?;
    Ok(row.map(|row| OrderId(row.order_id)))
}

/// Receipts of orders placed from `since` on, in the order they were placed. Those that no admission
/// was counted for have none.
pub async fn receipts(
    on: &impl ConnectionTrait,
    since: Timestamp,
    after: Option<(Timestamp, OrderId)>,
    most: usize,
) -> Result<Vec<(Timestamp, Receipt)>, Stop> {
    use orders::Column::{AdmissionId, Id, PlacedAt};
    // The first comparison is the one that the index can use.
    let first = after.map_or(since, |(placed_at, _)| placed_at);
    let mut select = orders::Entity::find()
        .filter(PlacedAt.gte(ms(first)))
        .filter(AdmissionId.is_not_null());
    if let Some((placed_at, order)) = after {
        let later = PlacedAt.gt(ms(placed_at)).or(Id.gt(order.0));
        select = select.filter(later);
    }
    let rows = select
        .order_by_asc(PlacedAt)
        .order_by_asc(Id)
        .limit(most as u64)
        .all(on)
        .await?;
    Ok(rows.iter().map(receipt).collect::<Result<_, BadRow>>()?)
}
