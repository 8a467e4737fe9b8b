//! What the workers look for: orders whose time has come.

use domain::delivery::ShipmentStatus;
use domain::order::OrderStatus;
use domain::payment::PaymentStatus;
use domain::return_request::ReturnStatus;
use domain::{OrderId, PaymentId, RefundId, ReturnId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::sql::bulk::MOST_IDS;
use crate::sql::entities::{orders, payments, refunds, return_requests, shipments};
use crate::sql::many::one_of;
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

/// Payments asked for before `before` and without an answer, which is exactly as long as their
/// orders are PAYING by them. Who was asked about longest ago comes first, then the oldest.
pub async fn paying_since(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: usize,
) -> Result<Vec<(OrderId, PaymentId)>, DbErr> {
    use payments::Column::{AskedAt, Id, OrderId as Order, RequestedAt, Status};
    let select = payments::Entity::find()
        .select_only()
        .columns([Order, Id])
        .filter(Status.eq(PaymentStatus::Requested.word()))
        .filter(RequestedAt.lt(ms(before)))
        .order_by_asc(AskedAt)
        .order_by_asc(RequestedAt)
        .limit(most as u64);
    let rows: Vec<(Uuid, Uuid)> = select.into_tuple().all(on).await?;
    let pairs = rows.into_iter();
    Ok(pairs
        .map(|(order, payment)| (OrderId(order), PaymentId(payment)))
        .collect())
}

/// Notes that somebody asks about these payments.
pub async fn asked_about_payments(
    on: &impl ConnectionTrait,
    payments: impl Iterator<Item = PaymentId>,
    now: Timestamp,
) -> Result<(), DbErr> {
    use payments::Column::{AskedAt, Id};
    let ids: Vec<Uuid> = payments.map(|payment| payment.0).collect();
    for chunk in ids.chunks(MOST_IDS) {
        payments::Entity::update_many()
            .col_expr(AskedAt, Expr::value(ms(now)))
            .filter(one_of(on, Id, chunk.iter().copied()))
            .exec(on)
            .await?;
    }
    Ok(())
}

/// Refunds asked for before `before` and not completed. Who was asked about longest ago comes first,
/// then the oldest.
pub async fn refunding_since(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: usize,
) -> Result<Vec<(OrderId, RefundId)>, DbErr> {
    use refunds::Column::{AskedAt, CompletedAt, Id, OrderId as Order, RequestedAt};
    let select = refunds::Entity::find()
        .select_only()
        .columns([Order, Id])
        .filter(CompletedAt.is_null())
        .filter(RequestedAt.lt(ms(before)))
        .order_by_asc(AskedAt)
        .order_by_asc(RequestedAt)
        .limit(most as u64);
    let rows: Vec<(Uuid, Uuid)> = select.into_tuple().all(on).await?;
    let pairs = rows.into_iter();
    Ok(pairs
        .map(|(order, refund)| (OrderId(order), RefundId(refund)))
        .collect())
}

/// Notes that somebody asks about these refunds.
pub async fn asked_about_refunds(
    on: &impl ConnectionTrait,
    refunds: impl Iterator<Item = RefundId>,
    now: Timestamp,
) -> Result<(), DbErr> {
    use refunds::Column::{AskedAt, Id};
    let ids: Vec<Uuid> = refunds.map(|refund| refund.0).collect();
    for chunk in ids.chunks(MOST_IDS) {
        refunds::Entity::update_many()
            .col_expr(AskedAt, Expr::value(ms(now)))
            .filter(one_of(on, Id, chunk.iter().copied()))
            .exec(on)
            .await?;
    }
    Ok(())
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

/// Returns that are open and due, longest due first.
pub async fn returns_due(
    on: &impl ConnectionTrait,
    now: Timestamp,
    most: usize,
) -> Result<Vec<(OrderId, ReturnId)>, DbErr> {
    use return_requests::Column::{DueAt, Id, OrderId as Order, Status};
    let select = return_requests::Entity::find()
        .select_only()
        .columns([Order, Id])
        .filter(Status.eq(ReturnStatus::Requested.word()))
        .filter(DueAt.lte(ms(now)))
        .order_by_asc(DueAt)
        .limit(most as u64);
    let rows: Vec<(Uuid, Uuid)> = select.into_tuple().all(on).await?;
    let pairs = rows.into_iter();
    Ok(pairs
        .map(|(order, request)| (OrderId(order), ReturnId(request)))
        .collect())
}

fn ids(rows: Vec<Uuid>) -> Vec<OrderId> {
    rows.into_iter().map(OrderId).collect()
}
