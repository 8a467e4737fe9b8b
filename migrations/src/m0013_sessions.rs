//! Which sessions ended before their time, when each was last refreshed, and how to find what can be
//! forgotten.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, add_column, create, id, number, number_or_null, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Sessions {
    Table,
    RefreshedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum Verifications {
    Table,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum IdempotencyKeys {
    Table,
    CreatedAt,
}

#[derive(DeriveIden)]
enum EndedSessions {
    Table,
    SessionId,
    EndedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let refreshed = number_or_null(Sessions::RefreshedAt);
        add_column(manager, Sessions::Table, refreshed).await?;
        create(manager, tables(manager.get_database_backend()), indexes()).await
    }
}

/// Kept for as long as an access token of the session may still be shown, and a while longer.
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let mut ended = table(backend, EndedSessions::Table, Layout::Keyed);
    ended
        .col(id(EndedSessions::SessionId).primary_key())
        .col(number(EndedSessions::EndedAt));
    vec![ended]
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("ended_sessions_by_age")
            .table(EndedSessions::Table)
            .col(EndedSessions::EndedAt)
            .take(),
        Index::create()
            .name("sessions_by_end")
            .table(Sessions::Table)
            .col(Sessions::ExpiresAt)
            .take(),
        Index::create()
            .name("verifications_by_end")
            .table(Verifications::Table)
            .col(Verifications::ExpiresAt)
            .take(),
        Index::create()
            .name("idempotency_keys_by_age")
            .table(IdempotencyKeys::Table)
            .col(IdempotencyKeys::CreatedAt)
            .take(),
    ]
}
