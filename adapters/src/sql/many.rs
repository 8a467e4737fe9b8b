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
use uuid::Uuid;

pub use cell::Cell;
pub use source::{delete, select};
pub use update::Update;

use source::Source;

/// Rows of one statement to a server, which is then some 300 KB long.
const MOST_ROWS: usize = 1_000;
/// Bytes after which a statement that is written out ends: a server takes 16 MiB, unless it was told
/// otherwise.
const MOST_BYTES: usize = 1 << 20;

/// A condition that `column` is one of these ids, in few different statements: the servers' plans are
/// kept by their text.
pub fn one_of<C: ColumnTrait>(
    on: &impl ConnectionTrait,
    column: C,
    ids: impl IntoIterator<Item = Uuid>,
) -> Expr {
    let mut ids: Vec<Value> = ids.into_iter().map(Value::from).collect();
    if on.get_database_backend() == DbBackend::Postgres {
        let ids = Value::Array(ArrayType::Uuid, Some(Box::new(ids)));
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
    let columns = listed(columns.iter().map(|column| quoted(backend, column)));
    let into = format!("INSERT INTO {} ({columns})", quoted(backend, table));
    let (mut inserted, mut rest) = (0, rows);
    while !rest.is_empty() {
        let done = if backend == DbBackend::MySql {
            let (sql, count) = written_out(&into, rest);
            rest = &rest[count..];
            on.execute_unprepared(&sql).await?
        } else {
            let rows = &rest[..Ord::min(rest.len(), MOST_ROWS)];
            rest = &rest[rows.len()..];
            let Source {
                table,
                columns,
                parameters,
            } = Source::of(backend, rows);
            let columns = listed(columns.iter());
            execute(
                on,
                format!("{into} SELECT {columns} FROM {table}"),
                parameters,
            )
            .await?
        };
        inserted += done.rows_affected();
    }
    Ok(inserted)
}

/// The insert with the first of these rows in it, and how many those are.
fn written_out(into: &str, rows: &[Vec<Cell>]) -> (String, usize) {
    let mut sql = format!("{into} VALUES ");
    let mut count = 0;
    for row in rows.iter().take(MOST_ROWS) {
        sql.push_str(if count == 0 { "(" } else { ",(" });
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                sql.push(',');
            }
            cell.write_mysql(&mut sql);
        }
        sql.push(')');
        count += 1;
        if sql.len() > MOST_BYTES {
            break;
        }
    }
    (sql, count)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_ends_before_the_server_refuses_it() {
        let row = |length: usize| vec![Cell::from(1_i64), Cell::from("é".repeat(length))];
        let (sql, count) = written_out("INSERT INTO `t` (`a`,`b`)", &[row(0), row(1)]);
        let expected = "INSERT INTO `t` (`a`,`b`) VALUES (1,''),(1,_utf8mb4 x'c3a9')";
        assert_eq!((sql.as_str(), count), (expected, 2));
        let long = vec![row(100_000); 9];
        let (sql, count) = written_out("INSERT", &long);
        assert_eq!(count, 3);
        assert!(sql.len() < 2 * MOST_BYTES);
        let many = vec![row(0); MOST_ROWS + 1];
        assert_eq!(written_out("INSERT", &many).1, MOST_ROWS);
    }
}
