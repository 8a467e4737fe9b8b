//! In which language people are written to, and which letters went out.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, add_column, create, id, number, table, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Accounts {
    Table,
    Language,
}

#[derive(DeriveIden)]
enum Verifications {
    Table,
    Language,
}

#[derive(DeriveIden)]
enum LettersSent {
    Table,
    EventId,
    SentAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, Accounts::Table, language(Accounts::Language)).await?;
        let of_verification = language(Verifications::Language);
        add_column(manager, Verifications::Table, of_verification).await?;
        create(manager, tables(manager.get_database_backend()), indexes()).await
    }
}

/// Absent where nobody said: English.
fn language(name: impl IntoIden) -> ColumnDef {
    word(name).null().take()
}

/// Rows are looked up by the event and removed by age.
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let mut letters = table(backend, LettersSent::Table, Layout::Keyed);
    letters
        .col(id(LettersSent::EventId).primary_key())
        .col(number(LettersSent::SentAt));
    vec![letters]
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("letters_sent_by_age")
            .table(LettersSent::Table)
            .col(LettersSent::SentAt)
            .col(LettersSent::EventId)
            .take(),
    ]
}
