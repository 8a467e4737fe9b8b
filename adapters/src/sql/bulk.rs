//! Many rows in few statements.

use std::collections::HashSet;

use domain::Fault;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbBackend, DbErr, EntityName, EntityTrait,
    FromQueryResult, IdenStatic, InsertMany, IntoActiveModel, Iterable, QueryFilter, QuerySelect,
    Select,
};
use uuid::Uuid;

use super::engine::MAX_PARAMETERS;
use super::fault::Stop;
use super::many::{self, Cell};

/// Rows of one insert statement of SQLite. More gain nothing: the statement's own length begins to
/// count.
const MOST_ROWS: usize = 500;
/// Ids of one look-up. MariaDB makes a table of more than a thousand, and joins it in whatever
/// order it likes.
pub const MOST_IDS: usize = 512;

/// Inserts all rows, or fails: a key that is taken is never passed over.
pub async fn insert<A, M>(on: &impl ConnectionTrait, rows: Vec<M>) -> Result<(), Stop>
where
    A: ActiveModelTrait,
    M: IntoActiveModel<A> + Send,
{
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    let inserted = if on.get_database_backend() == DbBackend::Sqlite {
        insert_into_file(on, rows).await?
    } else {
        insert_into_server(on, rows).await?
    };
    exactly("inserting rows", expected, inserted)
}

async fn insert_into_file<A, M>(on: &impl ConnectionTrait, rows: Vec<M>) -> Result<u64, DbErr>
where
    A: ActiveModelTrait,
    M: IntoActiveModel<A> + Send,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count();
    let most = (MAX_PARAMETERS / columns).min(MOST_ROWS);
    let mut inserted = 0;
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<M> = rows.by_ref().take(most).collect();
        if chunk.is_empty() {
            return Ok(inserted);
        }
        inserted += InsertMany::<A>::many(chunk)
            .exec_without_returning(on)
            .await?;
    }
}

async fn insert_into_server<A, M>(on: &impl ConnectionTrait, rows: Vec<M>) -> Result<u64, Stop>
where
    A: ActiveModelTrait,
    M: IntoActiveModel<A> + Send,
{
    let rows: Vec<A> = rows.into_iter().map(M::into_active_model).collect();
    // What the first row leaves to the server, all of them do.
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter()
        .filter(|column| {
            rows.first()
                .is_some_and(|row| !row.get(*column).is_not_set())
        })
        .collect();
    let cells = rows.into_iter().map(|row| {
        let cells = columns.iter().map(|column| match row.get(*column) {
            ActiveValue::Set(value) | ActiveValue::Unchanged(value) => Cell::try_from(value),
            ActiveValue::NotSet => Err(Fault::corrupt("writing rows", "a column is absent")),
        });
        cells.collect::<Result<Vec<_>, Fault>>()
    });
    let cells = cells.collect::<Result<Vec<_>, Fault>>()?;
    let names: Vec<String> = columns
        .iter()
        .map(|column| column.as_str().to_owned())
        .collect();
    let table = A::Entity::default();
    Ok(many::insert(on, table.table_name(), &names, &cells).await?)
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
        let select = select
            .clone()
            .filter(many::one_of(on, column, chunk.iter().copied()));
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
        let select = select.filter(many::one_of(on, column, chunk.iter().copied()));
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
