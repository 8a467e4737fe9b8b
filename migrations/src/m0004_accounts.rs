//! Who has an account. Personal data is sealed; an address is found by its keyed digest.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, id, number, number_or_null, sealed, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Accounts {
    Table,
    Id,
    Role,
    Email,
    EmailIndex,
    Name,
    Phone,
    Address,
    PasswordHash,
    Rehearsal,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Verifications {
    Table,
    Id,
    Email,
    EmailIndex,
    CodeDigest,
    RequestedAt,
    ExpiresAt,
    Attempts,
    UsedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    AccountId,
    RefreshDigest,
    CreatedAt,
    ExpiresAt,
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

pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![accounts(backend), verifications(backend), sessions(backend)]
}

fn accounts(backend: DbBackend) -> TableCreateStatement {
    table(backend, Accounts::Table, Layout::Heap)
        .col(id(Accounts::Id).primary_key())
        .col(word(Accounts::Role))
        .col(sealed(Accounts::Email, 1_100))
        .col(
            ColumnDef::new(Accounts::EmailIndex)
                .binary_len(32)
                .not_null(),
        )
        .col(sealed(Accounts::Name, 300))
        .col(sealed(Accounts::Phone, 200).null())
        .col(sealed(Accounts::Address, 900).null())
        .col(text(Accounts::PasswordHash, 255).null())
        .col(ColumnDef::new(Accounts::Rehearsal).boolean().not_null())
        .col(number(Accounts::CreatedAt))
        .take()
}

fn verifications(backend: DbBackend) -> TableCreateStatement {
    table(backend, Verifications::Table, Layout::Heap)
        .col(id(Verifications::Id).primary_key())
        .col(sealed(Verifications::Email, 1_100))
        .col(
            ColumnDef::new(Verifications::EmailIndex)
                .binary_len(32)
                .not_null(),
        )
        .col(text(Verifications::CodeDigest, 128).null())
        .col(number(Verifications::RequestedAt))
        .col(number(Verifications::ExpiresAt))
        .col(number(Verifications::Attempts))
        .col(number_or_null(Verifications::UsedAt))
        .take()
}

fn sessions(backend: DbBackend) -> TableCreateStatement {
    table(backend, Sessions::Table, Layout::Heap)
        .col(id(Sessions::Id).primary_key())
        .col(id(Sessions::AccountId))
        .col(text(Sessions::RefreshDigest, 128))
        .col(number(Sessions::CreatedAt))
        .col(number(Sessions::ExpiresAt))
        .foreign_key(
            ForeignKey::create()
                .name("sessions_account")
                .from(Sessions::Table, Sessions::AccountId)
                .to(Accounts::Table, Accounts::Id),
        )
        .take()
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("accounts_email")
            .table(Accounts::Table)
            .col(Accounts::EmailIndex)
            .unique()
            .take(),
        Index::create()
            .name("accounts_rehearsal")
            .table(Accounts::Table)
            .col(Accounts::Rehearsal)
            .col(Accounts::Id)
            .take(),
        Index::create()
            .name("verifications_by_email")
            .table(Verifications::Table)
            .col(Verifications::EmailIndex)
            .col(Verifications::RequestedAt)
            .take(),
        Index::create()
            .name("sessions_refresh")
            .table(Sessions::Table)
            .col(Sessions::RefreshDigest)
            .unique()
            .take(),
        Index::create()
            .name("sessions_by_account")
            .table(Sessions::Table)
            .col(Sessions::AccountId)
            .take(),
    ]
}
