//! Many rows that each move in their own way, in one update.

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IdenStatic};

use super::source::{Source, found_in, most_rows};
use super::{Cell, execute, listed, quoted};
use crate::sql::bulk::exactly;
use crate::sql::fault::Stop;

/// An update of rows by their keys. Each row of values has, in this order: the keys, what the row
/// must still hold, what it gets, and what is added to it.
pub struct Update<'a, E: EntityTrait> {
    /// What it is about, for the fault.
    pub doing: &'static str,
    /// The first columns of the primary key.
    pub keys: &'a [E::Column],
    /// Columns that must still be as given; the row is not moved otherwise.
    pub seen: &'a [E::Column],
    /// A column that must still be absent.
    pub open: Option<E::Column>,
    pub set: &'a [E::Column],
    pub add: &'a [E::Column],
}

impl<E: EntityTrait> Update<'_, E> {
    /// Moves exactly these rows, or stops.
    pub async fn write(&self, on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
        let backend = on.get_database_backend();
        for rows in rows.chunks(most_rows(backend, rows)) {
            let source = Source::of(backend, rows);
            let sql = self.sql(backend, &source);
            let moved = execute(on, sql, source.parameters).await?.rows_affected();
            exactly(self.doing, rows.len() as u64, moved)?;
        }
        Ok(())
    }

    fn sql(&self, backend: DbBackend, source: &Source) -> String {
        let table = quoted(backend, E::default().table_name());
        let name = |column: &E::Column| quoted(backend, column.as_str());
        let mut given = source.columns.iter();
        let same = |(column, given): (&E::Column, &String)| format!("t.{} = {given}", name(column));
        let is_it: Vec<String> = self.keys.iter().zip(given.by_ref()).map(same).collect();
        let mut still: Vec<String> = self.seen.iter().zip(given.by_ref()).map(same).collect();
        still.extend(
            self.open
                .iter()
                .map(|column| format!("t.{} IS NULL", name(column))),
        );
        // Only MySQL's words let a column that is assigned to name its table.
        let target = match backend {
            DbBackend::MySql => "t.",
            _ => "",
        };
        let mut moves: Vec<String> = self
            .set
            .iter()
            .zip(given.by_ref())
            .map(|(column, given)| format!("{target}{} = {given}", name(column)))
            .collect();
        moves.extend(self.add.iter().zip(given).map(|(column, given)| {
            let column = name(column);
            format!("{target}{column} = t.{column} + {given}")
        }));
        let (rows, moves) = (&source.table, listed(moves.iter()));
        if backend == DbBackend::MySql {
            let filter = match still.as_slice() {
                [] => String::new(),
                still => format!(" WHERE {}", still.join(" AND ")),
            };
            let is_it = is_it.join(" AND ");
            format!(
                "UPDATE {rows} {} ON {is_it} SET {moves}{filter}",
                found_in(&table)
            )
        } else {
            let filter = [is_it, still].concat().join(" AND ");
            format!("UPDATE {table} AS t SET {moves} FROM {rows} WHERE {filter}")
        }
    }
}
