//! Many rows in few statements.

use std::collections::HashSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    InsertMany, IntoActiveModel, Iterable, QueryFilter, QuerySelect, Select,
};
use uuid::Uuid;

use super::engine::MAX_PARAMETERS;
use super::fault::Stop;

/// Rows of one insert statement. More gain nothing: the statement's own length begins to count.
const MOST_ROWS: usize = 500;
/// Ids of one look-up.
pub const MOST_IDS: usize = 1_000;

/// Inserts all rows, or fails: a key that is taken is never passed over.
pub async fn insert<A, M>(on: &impl ConnectionTrait, rows: Vec<M>) -> Result<(), Stop>
where
    A: ActiveModelTrait,
    M: IntoActiveModel<A> + Send,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count();
    let most = (MAX_PARAMETERS / columns).min(MOST_ROWS);
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<M> = rows.by_ref().take(most).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let expected = chunk.len() as u64;
        let moved = InsertMany::<A>::many(chunk)
            .exec_without_returning(on)
            .await?;
        exactly("inserting rows", expected, moved)?;
    }
}

/// The rows of `select` whose `column` is one of `ids`.
pub async fn rows_of<E: EntityTrait>(
    on: &impl ConnectionTrait,
    select: Select<E>,
    column: E::Column,
    ids: &[Uuid],
) -> Result<Vec<E::Model>, DbErr> {
    models_of(on, select, column, ids).await
}

/// The same, as rows of another shape.
pub async fn models_of<E: EntityTrait, R: FromQueryResult + Send>(
    on: &impl ConnectionTrait,
    select: Select<E>,
    column: E::Column,
    ids: &[Uuid],
) -> Result<Vec<R>, DbErr> {
    let mut rows = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(MOST_IDS) {
        let select = select.clone().filter(column.is_in(chunk.iter().copied()));
        rows.extend(select.into_model::<R>().all(on).await?);
    }
    Ok(rows)
}

/// Those of `ids` that are in `column`.
pub async fn known<E: EntityTrait>(
    on: &impl ConnectionTrait,
    column: E::Column,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, DbErr> {
    let mut known = HashSet::new();
    for chunk in ids.chunks(MOST_IDS) {
        let select = E::find().select_only().column(column);
        let select = select.filter(column.is_in(chunk.iter().copied()));
        known.extend(select.into_tuple::<Uuid>().all(on).await?);
    }
    Ok(known)
}

/// Stops unless exactly the rows moved that had to.
pub fn exactly(doing: &'static str, expected: u64, moved: u64) -> Result<(), Stop> {
    if moved == expected {
        Ok(())
    } else {
        Err(Stop::moved(doing, expected, moved))
    }
}
