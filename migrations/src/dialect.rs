//! What the engines do not share, and columns that every table writes the same way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

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
        // Texts are compared by their bytes everywhere.
        (DbBackend::MySql, _) => {
            table.extra("ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        }
        _ => {}
    }
    table
}

/// Creates tables, then what finds their rows.
pub async fn create(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    for table in tables {
        manager.create_table(table).await?;
    }
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
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

/// A currency code of ISO 4217.
pub fn currency(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).char_len(3).not_null().take()
}

/// Personal data, sealed; as long as its text in UTF-8 and some 32 bytes.
pub fn sealed(name: impl IntoIden, most: u32) -> ColumnDef {
    ColumnDef::new(name).var_binary(most).not_null().take()
}
