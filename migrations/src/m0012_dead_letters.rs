//! Records that no group could handle, for whoever looks after the shop.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, id, number, number_or_null, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum DeadLetters {
    Table,
    Id,
    MemberGroup,
    Topic,
    PartitionNumber,
    RecordOffset,
    Reason,
    Attempts,
    KeptAt,
    RecordKey,
    Payload,
    Trace,
    SettledAt,
    Settlement,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(manager.get_database_backend()), indexes()).await
    }
}

/// Filed once by the id, which is made of group, topic, partition and offset. A blob holds 65,535
/// bytes where it holds the fewest.
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let mut letters = table(backend, DeadLetters::Table, Layout::Heap);
    letters
        .col(id(DeadLetters::Id).primary_key())
        .col(text(DeadLetters::MemberGroup, 64))
        .col(text(DeadLetters::Topic, 64))
        .col(number(DeadLetters::PartitionNumber))
        .col(number(DeadLetters::RecordOffset))
        .col(text(DeadLetters::Reason, 500))
        .col(number(DeadLetters::Attempts))
        .col(number(DeadLetters::KeptAt))
        .col(
            ColumnDef::new(DeadLetters::RecordKey)
                .var_binary(250)
                .null(),
        )
        .col(ColumnDef::new(DeadLetters::Payload).blob().null())
        .col(ColumnDef::new(DeadLetters::Trace).text().null())
        .col(number_or_null(DeadLetters::SettledAt))
        .col(word(DeadLetters::Settlement).null());
    vec![letters]
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("dead_letters_by_age")
            .table(DeadLetters::Table)
            .col(DeadLetters::KeptAt)
            .col(DeadLetters::Id)
            .take(),
        Index::create()
            .name("dead_letters_open")
            .table(DeadLetters::Table)
            .col(DeadLetters::SettledAt)
            .take(),
    ]
}
