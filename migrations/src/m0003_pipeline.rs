//! What makes every step happen once: admissions seen, the writer's positions, events on their way
//! out, keys that clients used.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, id, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Admissions {
    Table,
    Id,
    OrderId,
}

#[derive(DeriveIden)]
enum WriterPositions {
    Table,
    Topic,
    PartitionNumber,
    NextOffset,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Id,
    RecordKey,
    Payload,
}

#[derive(DeriveIden)]
enum IdempotencyKeys {
    Table,
    RequesterId,
    Mutation,
    IdempotencyKey,
    Fingerprint,
    SubjectId,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(manager.get_database_backend()), Vec::new()).await
    }
}

pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![
        admissions(backend),
        writer_positions(backend),
        outbox(backend),
        idempotency_keys(backend),
    ]
}

/// Every admission that was counted. Orders are no foreign key: a void admission may name an order
/// that never comes.
fn admissions(backend: DbBackend) -> TableCreateStatement {
    table(backend, Admissions::Table, Layout::Keyed)
        .col(id(Admissions::Id).primary_key())
        .col(id(Admissions::OrderId))
        .take()
}

/// How far the order writer is in each partition.
fn writer_positions(backend: DbBackend) -> TableCreateStatement {
    table(backend, WriterPositions::Table, Layout::Keyed)
        .col(text(WriterPositions::Topic, 64))
        .col(number(WriterPositions::PartitionNumber))
        .col(number(WriterPositions::NextOffset))
        .primary_key(
            Index::create()
                .col(WriterPositions::Topic)
                .col(WriterPositions::PartitionNumber),
        )
        .check((
            "writer_positions_in_range",
            Expr::col(WriterPositions::NextOffset).gte(0),
        ))
        .take()
}

/// Events in the order they were committed; ids are never used again, so that a late removal can't
/// hit a newer row.
fn outbox(backend: DbBackend) -> TableCreateStatement {
    table(backend, Outbox::Table, Layout::Heap)
        .col(number(Outbox::Id).primary_key().auto_increment())
        .col(id(Outbox::RecordKey))
        .col(ColumnDef::new(Outbox::Payload).text().not_null())
        .take()
}

/// What each requester used a key for, by mutation.
fn idempotency_keys(backend: DbBackend) -> TableCreateStatement {
    table(backend, IdempotencyKeys::Table, Layout::Keyed)
        .col(id(IdempotencyKeys::RequesterId))
        .col(text(IdempotencyKeys::Mutation, 64))
        .col(id(IdempotencyKeys::IdempotencyKey))
        .col(id(IdempotencyKeys::Fingerprint))
        .col(id(IdempotencyKeys::SubjectId))
        .col(number(IdempotencyKeys::CreatedAt))
        .primary_key(
            Index::create()
                .col(IdempotencyKeys::RequesterId)
                .col(IdempotencyKeys::Mutation)
                .col(IdempotencyKeys::IdempotencyKey),
        )
        .take()
}
