//! Rows of values as a table that a statement reads from.

use std::fmt::Write;

use sea_orm::sea_query::Value;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable,
    Statement,
};

use super::{Cell, execute, listed, quoted};
use crate::sql::engine::MAX_PARAMETERS;

/// What the rows are called in the statement.
pub const ROWS: &str = "given";

/// Rows of one statement: in SQLite as many as have room for their placeholders.
pub fn most_rows(backend: DbBackend, rows: &[Vec<Cell>]) -> usize {
    let columns = rows.first().map_or(1, Vec::len).max(1);
    match backend {
        DbBackend::Sqlite => (MAX_PARAMETERS / columns).min(500),
        _ => super::MOST_ROWS,
    }
}

/// Rows as a table.
pub struct Source {
    /// What stands in FROM.
    pub table: String,
    /// Its columns, as expressions.
    pub columns: Vec<String>,
    pub parameters: Vec<Value>,
}

impl Source {
    /// Rows that all have the same columns; there is at least one.
    pub fn of(backend: DbBackend, rows: &[Vec<Cell>]) -> Self {
        match backend {
            DbBackend::MySql => json(rows),
            DbBackend::Postgres => arrays(rows),
            _ => placeholders(rows),
        }
    }
}

fn json(rows: &[Vec<Cell>]) -> Source {
    let mut document = String::from("[");
    for (number, row) in rows.iter().enumerate() {
        document.push_str(if number == 0 { "[" } else { ",[" });
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                document.push(',');
            }
            cell.write_json(&mut document);
        }
        document.push(']');
    }
    document.push(']');
    let first = rows.first().map(Vec::as_slice).unwrap_or_default();
    let paths = first
        .iter()
        .enumerate()
        .map(|(place, cell)| format!("c{place} {} PATH '$[{place}]'", cell.json_type()));
    let columns = first
        .iter()
        .enumerate()
        .map(|(place, cell)| cell.out_of_json(&format!("{ROWS}.c{place}")));
    Source {
        table: format!(
            "JSON_TABLE(?, '$[*]' COLUMNS ({})) AS {ROWS}",
            listed(paths)
        ),
        columns: columns.collect(),
        parameters: vec![document.into()],
    }
}

fn arrays(rows: &[Vec<Cell>]) -> Source {
    let first = rows.first().map(Vec::as_slice).unwrap_or_default();
    let parameters = (0..first.len()).map(|place| {
        let mut array = String::from("{");
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                array.push(',');
            }
            row[place].write_element(&mut array);
        }
        array.push('}');
        Value::from(array)
    });
    let types = first
        .iter()
        .zip(1..)
        .map(|(cell, number)| format!("${number}::text::{}[]", cell.postgres_type()));
    let names = (0..first.len()).map(|place| format!("c{place}"));
    Source {
        table: format!("UNNEST({}) AS {ROWS}({})", listed(types), listed(names)),
        columns: (0..first.len())
            .map(|place| format!("{ROWS}.c{place}"))
            .collect(),
        parameters: parameters.collect(),
    }
}

fn placeholders(rows: &[Vec<Cell>]) -> Source {
    let columns = rows.first().map_or(0, Vec::len);
    let row = format!("({})", listed((0..columns).map(|_| "?")));
    Source {
        table: format!("(VALUES {}) AS {ROWS}", listed(rows.iter().map(|_| &row))),
        columns: (1..=columns)
            .map(|number| format!("{ROWS}.column{number}"))
            .collect(),
        parameters: rows.iter().flatten().cloned().map(Value::from).collect(),
    }
}

/// How MariaDB and MySQL join given rows to the table `t` that each is to be found in: by its key.
/// Left to themselves they read a small table from end to end, and a statement that writes then
/// waits for every row that anybody has locked.
pub fn found_in(table: &str) -> String {
    format!("STRAIGHT_JOIN {table} AS t FORCE INDEX (PRIMARY)")
}

/// Deletes the rows of a table whose `keys`, the first columns of its primary key and others that
/// have to fit, are those of one of `rows`, and locks no others.
pub async fn delete<E: EntityTrait>(
    on: &impl ConnectionTrait,
    keys: &[E::Column],
    rows: &[Vec<Cell>],
) -> Result<(), DbErr> {
    let backend = on.get_database_backend();
    let table = quoted(backend, E::default().table_name());
    let keys = keys
        .iter()
        .map(|key| format!("t.{}", quoted(backend, key.as_str())));
    let keys: Vec<String> = keys.collect();
    for rows in rows.chunks(most_rows(backend, rows)) {
        let source = Source::of(backend, rows);
        let from = &source.table;
        let sql = if backend == DbBackend::MySql {
            let same = keys.iter().zip(&source.columns);
            let same: Vec<_> = same
                .map(|(key, given)| format!("{key} = {given}"))
                .collect();
            let join = found_in(&table);
            format!("DELETE t FROM {from} {join} ON {}", same.join(" AND "))
        } else {
            let (keys, given) = (listed(keys.iter()), listed(source.columns.iter()));
            format!("DELETE FROM {table} AS t WHERE ({keys}) IN (SELECT {given} FROM {from})")
        };
        execute(on, sql, source.parameters).await?;
    }
    Ok(())
}

/// The rows of a table whose `keys`, the first columns of its primary key, are those of one of
/// `rows`.
pub async fn select<E: EntityTrait>(
    on: &impl ConnectionTrait,
    keys: &[E::Column],
    rows: &[Vec<Cell>],
) -> Result<Vec<E::Model>, DbErr> {
    let backend = on.get_database_backend();
    let table = quoted(backend, E::default().table_name());
    let of = |column: &E::Column| format!("t.{}", quoted(backend, column.as_str()));
    let columns = listed(E::Column::iter().map(|column| of(&column)));
    let join = match backend {
        DbBackend::MySql => found_in(&table),
        _ => format!("JOIN {table} AS t"),
    };
    let mut found = Vec::new();
    for rows in rows.chunks(most_rows(backend, rows)) {
        let source = Source::of(backend, rows);
        let mut sql = format!("SELECT {columns} FROM {} {join} ON ", source.table);
        for (place, (key, given)) in keys.iter().zip(&source.columns).enumerate() {
            let and = if place == 0 { "" } else { " AND " };
            // A string takes whatever is written to it.
            let _ = write!(sql, "{and}{} = {given}", of(key));
        }
        let statement = Statement::from_sql_and_values(backend, sql, source.parameters);
        for row in on.query_all_raw(statement).await? {
            found.push(E::Model::from_query_result(&row, "")?);
        }
    }
    Ok(found)
}
