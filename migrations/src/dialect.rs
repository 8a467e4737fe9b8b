//! What the engines do not share, and columns that every table writes the same way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, RuntimeErr, SqlxMySqlError};

/// How the rows of a table are found.
#[derive(Clone, Copy)]
pub enum Layout {
    /// In the order they came, with the primary key beside them.
    Heap,
    /// Inside the primary key: for narrow rows that are only ever found by it.
    Keyed,
}

/// A table of the ledger with the engine's own options.
pub fn table(backend: DbBackend, name: impl IntoTableRef, layout: Layout) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    match (backend, layout) {
        (DbBackend::Sqlite, Layout::Keyed) => {
            table.extra("WITHOUT ROWID");
        }
        // Texts are compared by their bytes everywhere, blanks at the end among them. Either server
        // reads the comment that is meant for it.
        (DbBackend::MySql, _) => {
            table.extra(
                "ENGINE=InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ \
                 /*!80017 COLLATE utf8mb4_0900_bin */",
            );
        }
        _ => {}
    }
    table
}

/// Creates tables, then what finds their rows. Where DDL is no part of a transaction, what a run
/// that was cut off has left is passed over.
pub async fn create(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    for mut table in tables {
        if backend == DbBackend::MySql {
            table.if_not_exists();
        }
        manager.create_table(table).await?;
    }
    for index in indexes {
        let created = manager.create_index(index).await;
        pass_over(created, DUPLICATE_KEY_NAME)?;
    }
    Ok(())
}

/// Adds a column, with what rows that are there already get.
pub async fn add_column(
    manager: &SchemaManager<'_>,
    table: impl IntoTableRef,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let added = manager
        .alter_table(Table::alter().table(table).add_column(column).take())
        .await;
    pass_over(added, DUPLICATE_COLUMN_NAME)
}

/// What MySQL and MariaDB call a column, and an index, that is there already.
const DUPLICATE_COLUMN_NAME: u16 = 1060;
const DUPLICATE_KEY_NAME: u16 = 1061;

/// A statement that has been done already is done.
fn pass_over(done: Result<(), DbErr>, already: u16) -> Result<(), DbErr> {
    match done {
        Err(DbErr::Exec(RuntimeErr::SqlxError(error)))
            if error
                .as_database_error()
                .and_then(|answer| answer.try_downcast_ref::<SqlxMySqlError>())
                .is_some_and(|answer| answer.number() == already) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// A 16-byte id.
pub fn id(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// A 64-bit number: a count, an instant in epoch milliseconds, an amount in minor units.
pub fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A number that may be absent.
pub fn number_or_null(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// A short word: a state, a kind, a reason.
pub fn word(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).string_len(24).not_null().take()
}

/// A text of at most so many characters.
pub fn text(name: impl IntoIden, most: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(most).not_null().take()
}

/// A text that lists are ordered by: by its bytes, on every engine.
pub fn ordered_text(backend: DbBackend, name: impl IntoIden, most: u32) -> ColumnDef {
    let mut column = text(name, most);
    if backend == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

/// A currency code of ISO 4217.
pub fn currency(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).char_len(3).not_null().take()
}

/// Personal data, sealed; as long as its text in UTF-8 and some 32 bytes.
pub fn sealed(name: impl IntoIden, most: u32) -> ColumnDef {
    ColumnDef::new(name).var_binary(most).not_null().take()
}
