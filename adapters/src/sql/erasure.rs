//! The end of an account: what is personal goes, the figures stay.

use domain::delivery::ShipmentStatus;
use domain::order::OrderStatus;
use domain::ports::accounts::Deleted;
use domain::return_request::ReturnStatus;
use domain::session::Ending;
use domain::{AccountId, Timestamp};
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
};

use super::entities::{
    accounts, orders, return_requests, shipments, verifications, wishlist_entries,
};
use super::fault::Stop;
use super::sessions::end_sessions;
use crate::words::Word;

/// Removes a locked account within a transaction, with everything personal. `index` finds its
/// address, which others may have asked codes for.
pub async fn erase(
    on: &impl ConnectionTrait,
    account: AccountId,
    index: Vec<u8>,
    at: Timestamp,
) -> Result<Deleted, Stop> {
    let open = open_orders(on, account).await?;
    if open > 0 {
        return Ok(Deleted::OrdersOpen(open));
    }
    end_sessions(on, account, Ending::All, at).await?;
    orders::Entity::update_many()
        .col_expr(
            orders::Column::DeliveryAddress,
            Expr::value(Option::<Vec<u8>>::None),
        )
        .filter(orders::Column::BuyerId.eq(account.0))
        .exec(on)
        .await?;
    return_requests::Entity::update_many()
        .col_expr(return_requests::Column::Reason, Expr::value(""))
        .filter(return_requests::Column::OrderId.in_subquery(orders_of(account)))
        .exec(on)
        .await?;
    let theirs = Condition::any()
        .add(verifications::Column::AccountId.eq(account.0))
        .add(verifications::Column::EmailIndex.eq(index));
    verifications::Entity::delete_many()
        .filter(theirs)
        .exec(on)
        .await?;
    wishlist_entries::Entity::delete_many()
        .filter(wishlist_entries::Column::AccountId.eq(account.0))
        .exec(on)
        .await?;
    accounts::Entity::delete_by_id(account.0).exec(on).await?;
    Ok(Deleted::Done)
}

/// Orders that wait for their payment, whose parcel has not arrived, or that have a return under way.
async fn open_orders(on: &impl ConnectionTrait, account: AccountId) -> Result<u64, DbErr> {
    let unpaid = [
        OrderStatus::Accepted,
        OrderStatus::PendingPayment,
        OrderStatus::Paying,
    ];
    let moving = [ShipmentStatus::Preparing, ShipmentStatus::InTransit];
    let on_the_way = Query::select()
        .column(shipments::Column::OrderId)
        .from(shipments::Entity)
        .and_where(shipments::Column::Status.is_in(moving.map(Word::word)))
        .and_where(shipments::Column::OrderId.in_subquery(orders_of(account)))
        .take();
    let coming_back = Query::select()
        .column(return_requests::Column::OrderId)
        .from(return_requests::Entity)
        .and_where(return_requests::Column::Status.eq(ReturnStatus::Requested.word()))
        .and_where(return_requests::Column::OrderId.in_subquery(orders_of(account)))
        .take();
    let open = Condition::any()
        .add(orders::Column::Status.is_in(unpaid.map(Word::word)))
        .add(orders::Column::Id.in_subquery(on_the_way))
        .add(orders::Column::Id.in_subquery(coming_back));
    orders::Entity::find()
        .filter(orders::Column::BuyerId.eq(account.0))
        .filter(open)
        .count(on)
        .await
}

fn orders_of(account: AccountId) -> SelectStatement {
    Query::select()
        .column(orders::Column::Id)
        .from(orders::Entity)
        .and_where(orders::Column::BuyerId.eq(account.0))
        .take()
}
