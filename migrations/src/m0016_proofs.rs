//! What addresses are proven for, and the second factor.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_column, create, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Accounts {
    Table,
    SecondFactor,
}

#[derive(DeriveIden)]
enum Verifications {
    Table,
    Purpose,
    AccountId,
    RequestedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Absent where nobody said: off.
        let second_factor = ColumnDef::new(Accounts::SecondFactor)
            .boolean()
            .null()
            .take();
        add_column(manager, Accounts::Table, second_factor).await?;
        // Absent where there was one purpose only: signing up.
        let purpose = word(Verifications::Purpose).null().take();
        add_column(manager, Verifications::Table, purpose).await?;
        let account = ColumnDef::new(Verifications::AccountId)
            .uuid()
            .null()
            .take();
        add_column(manager, Verifications::Table, account).await?;
        create(manager, Vec::new(), indexes()).await
    }
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("verifications_by_account")
            .table(Verifications::Table)
            .col(Verifications::AccountId)
            .col(Verifications::RequestedAt)
            .take(),
    ]
}
