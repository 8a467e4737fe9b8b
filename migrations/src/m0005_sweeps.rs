//! What lets sweeps go round: receipts are read by age, and of what waits for the provider whoever
//! was asked about longest ago has the next turn.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_column, create, number};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    PlacedAt,
}

#[derive(DeriveIden)]
enum Payments {
    Table,
    AskedAt,
}

#[derive(DeriveIden)]
enum Refunds {
    Table,
    AskedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, Payments::Table, asked_at(Payments::AskedAt)).await?;
        add_column(manager, Refunds::Table, asked_at(Refunds::AskedAt)).await?;
        create(manager, Vec::new(), indexes()).await
    }
}

/// When a sweep last had it asked about; 0 where none has.
fn asked_at(name: impl IntoIden) -> ColumnDef {
    number(name).default(0).take()
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("orders_by_age")
            .table(Orders::Table)
            .col(Orders::PlacedAt)
            .col(Orders::Id)
            .take(),
    ]
}
