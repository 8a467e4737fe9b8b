//! What events were committed in the course of.

use sea_orm_migration::prelude::*;

use crate::dialect::add_column;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Trace,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let trace = ColumnDef::new(Outbox::Trace).text().null().take();
        add_column(manager, Outbox::Table, trace).await
    }
}
