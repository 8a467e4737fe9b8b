//! How far whoever writes the log's records into the ledger is in each partition.

use domain::message::Offset;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::bulk;
use super::entities::writer_positions::{ActiveModel, Column, Entity, Model};
use super::fault::Stop;

/// A partition of the log: a topic's name without namespace, and a number.
#[derive(Clone, Copy)]
pub struct Place {
    pub topic: &'static str,
    pub number: i64,
}

/// Where it goes on; a row that is missing stands at the beginning.
pub async fn of(on: &impl ConnectionTrait, place: Place) -> Result<Offset, DbErr> {
    Ok(Offset(
        row(on, place).await?.map_or(0, |row| row.next_offset),
    ))
}

/// Moves it on, if it still stands at `from`.
pub async fn move_on(
    on: &impl ConnectionTrait,
    place: Place,
    from: Offset,
    next: Offset,
) -> Result<bool, Stop> {
    let moved = Entity::update_many()
        .col_expr(Column::NextOffset, Expr::value(next.0))
        .filter(Column::Topic.eq(place.topic))
        .filter(Column::PartitionNumber.eq(place.number))
        .filter(Column::NextOffset.eq(from.0))
        .exec(on)
        .await?
        .rows_affected;
    if moved == 1 {
        return Ok(true);
    }
    if from.0 != 0 || row(on, place).await?.is_some() {
        return Ok(false);
    }
    let first = Model {
        topic: place.topic.to_owned(),
        partition_number: place.number,
        next_offset: next.0,
    };
    bulk::insert::<ActiveModel, _>(on, vec![first]).await?;
    Ok(true)
}

async fn row(on: &impl ConnectionTrait, place: Place) -> Result<Option<Model>, DbErr> {
    let key = (place.topic.to_owned(), place.number);
    Entity::find_by_id(key).one(on).await
}
