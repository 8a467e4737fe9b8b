//! What the payment provider calls our payments.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, id, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum PaymentReferences {
    Table,
    PaymentId,
    Reference,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = tables(manager.get_database_backend());
        create(manager, tables, Vec::new()).await
    }
}

/// One row for each payment that the provider has let us capture.
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let mut references = table(backend, PaymentReferences::Table, Layout::Keyed);
    references
        .col(id(PaymentReferences::PaymentId).primary_key())
        .col(text(PaymentReferences::Reference, 255));
    vec![references]
}
