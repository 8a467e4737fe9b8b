//! What the workers look for: orders whose time has come.

use domain::delivery::ShipmentStatus;
use domain::order::OrderStatus;
use domain::payment::PaymentStatus;
use domain::{OrderId, RefundId, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::sql::entities::{orders, payments, refunds, shipments};
use crate::sql::rows::ms;
use crate::words::Word;

/// PENDING_PAYMENT and past their time, oldest first.
pub async fn overdue(
    on: &impl ConnectionTrait,
    now: Timestamp,
    most: usize,
) -> Result<Vec<OrderId>, DbErr> {
    use orders::Column::{ExpiresAt, Id, Status};
    let select = orders::Entity::find()
        .select_only()
        .column(Id)
        .filter(Status.eq(OrderStatus::PendingPayment.word()))
        .filter(ExpiresAt.lte(ms(now)))
        .order_by_asc(ExpiresAt)
        .limit(most as u64);
    Ok(ids(select.into_tuple().all(on).await?))
}

/// PAYING with a payment asked for before `before`, oldest first: a payment is without an answer
/// exactly as long as its order is PAYING by it.
pub async fn paying_since(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: usize,
) -> Result<Vec<OrderId>, DbErr> {
    use payments::Column::{OrderId, RequestedAt, Status};
    let select = payments::Entity::find()
        .select_only()
        .column(OrderId)
        .filter(Status.eq(PaymentStatus::Requested.word()))
        .filter(RequestedAt.lt(ms(before)))
        .order_by_asc(RequestedAt)
        .limit(most as u64);
    Ok(ids(select.into_tuple().all(on).await?))
}

/// Refunds asked for before `before` and not completed, oldest first.
pub async fn refunding_since(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: usize,
) -> Result<Vec<(OrderId, RefundId)>, DbErr> {
    use refunds::Column::{CompletedAt, Id, OrderId as Order, RequestedAt};
    let select = refunds::Entity::find()
        .select_only()
        .columns([Order, Id])
        .filter(CompletedAt.is_null())
        .filter(RequestedAt.lt(ms(before)))
        .order_by_asc(RequestedAt)
        .limit(most as u64);
    let rows: Vec<(Uuid, Uuid)> = select.into_tuple().all(on).await?;
    Ok(rows
        .into_iter()
        .map(|(order, refund)| (OrderId(order), RefundId(refund)))
        .collect())
}

/// Shipments with a step due, longest due first.
pub async fn shipments_due(
    on: &impl ConnectionTrait,
    now: Timestamp,
    most: usize,
) -> Result<Vec<OrderId>, DbErr> {
    use shipments::Column::{DueAt, OrderId, Status};
    let moving = [ShipmentStatus::Preparing, ShipmentStatus::InTransit];
    let select = shipments::Entity::find()
        .select_only()
        .column(OrderId)
        .filter(DueAt.lte(ms(now)))
        .filter(Status.is_in(moving.map(Word::word)))
        .order_by_asc(DueAt)
        .limit(most as u64);
    Ok(ids(select.into_tuple().all(on).await?))
}

fn ids(rows: Vec<Uuid>) -> Vec<OrderId> {
    rows.into_iter().map(OrderId).collect()
}
