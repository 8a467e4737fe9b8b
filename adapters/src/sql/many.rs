//! Many rows in one statement, in each engine's own words.
//!
//! A statement with a placeholder for every value is another statement for every number of rows:
//! prepared anew each time, and never the same plan. So the servers are sent rows as one value:
//! PostgreSQL an array a column, MariaDB and MySQL a JSON document; such a statement is prepared
//! once and fits any number of rows. Rows that MariaDB and MySQL insert are written out instead,
//! which they take in a third less time. SQLite is in the process and takes placeholders.

mod cell;
mod source;
mod update;

use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait, Value};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, ExecResult, Statement};

pub use cell::Cell;
pub use source::select;
pub use update::Update;

use source::Source;

/// Rows of one statement to a server, which is then some 300 KB long.
const MOST_ROWS: usize = 1_000;

/// A condition that `column` is one of `ids`, in few different statements: the servers' plans are
/// kept by their text.
pub fn one_of<C: ColumnTrait>(
    backend: DbBackend,
    column: C,
    kind: ArrayType,
    mut ids: Vec<Value>,
) -> Expr {
    if backend == DbBackend::Postgres {
        let ids = Value::Array(kind, Some(Box::new(ids)));
        return column.into_expr().eq(PgFunc::any(Expr::val(ids)));
    }
    // The last one is repeated up to a power of two, which changes nothing.
    if let Some(last) = ids.last().cloned() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    column.is_in(ids)
}

/// Inserts rows into a server's table; returns how many.
pub async fn insert(
    on: &impl ConnectionTrait,
    table: &str,
    columns: &[String],
    rows: &[Vec<Cell>],
) -> Result<u64, DbErr> {
    let backend = on.get_database_backend();
    let mut inserted = 0;
    for rows in rows.chunks(MOST_ROWS) {
        inserted += match backend {
            DbBackend::MySql => {
                let sql = written_out(table, columns, rows);
                on.execute_unprepared(&sql).await?
            }
            _ => {
                let source = Source::of(backend, rows);
                let sql = format!(
                    "INSERT INTO {} ({}) SELECT {} FROM {}",
                    quoted(backend, table),
                    listed(columns.iter().map(|column| quoted(backend, column))),
                    listed(source.columns.iter()),
                    source.table,
                );
                execute(on, sql, source.parameters).await?
            }
        }
        .rows_affected();
    }
    Ok(inserted)
}

/// The insert with its values in it.
fn written_out(table: &str, columns: &[String], rows: &[Vec<Cell>]) -> String {
    let backend = DbBackend::MySql;
    let mut sql = format!(
        "INSERT INTO {} ({}) VALUES ",
        quoted(backend, table),
        listed(columns.iter().map(|column| quoted(backend, column))),
    );
    for (number, row) in rows.iter().enumerate() {
        sql.push_str(if number == 0 { "(" } else { ",(" });
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                sql.push(',');
            }
            cell.write_mysql(&mut sql);
        }
        sql.push(')');
    }
    sql
}

async fn execute(
    on: &impl ConnectionTrait,
    sql: String,
    parameters: Vec<Value>,
) -> Result<ExecResult, DbErr> {
    let backend = on.get_database_backend();
    on.execute_raw(Statement::from_sql_and_values(backend, sql, parameters))
        .await
}

/// A name of ours, which has nothing in it that would have to be escaped.
fn quoted(backend: DbBackend, name: &str) -> String {
    match backend {
        DbBackend::MySql => format!("`{name}`"),
        _ => format!("\"{name}\""),
    }
}

fn listed(parts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut list = String::new();
    for part in parts {
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(part.as_ref());
    }
    list
}
