//! What customers mean to buy later.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, id, number, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum WishlistEntries {
    Table,
    Id,
    AccountId,
    ItemId,
    Quantity,
    AddedAt,
}

#[derive(DeriveIden)]
enum Accounts {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Items {
    Table,
    Id,
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

/// A wishlist goes with its account.
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let account = ForeignKey::create()
        .name("wishlist_entries_account")
        .from(WishlistEntries::Table, WishlistEntries::AccountId)
        .to(Accounts::Table, Accounts::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    let item = ForeignKey::create()
        .name("wishlist_entries_item")
        .from(WishlistEntries::Table, WishlistEntries::ItemId)
        .to(Items::Table, Items::Id)
        .take();
    let mut entries = table(backend, WishlistEntries::Table, Layout::Heap);
    entries
        .col(id(WishlistEntries::Id).primary_key())
        .col(id(WishlistEntries::AccountId))
        .col(id(WishlistEntries::ItemId))
        .col(number(WishlistEntries::Quantity))
        .col(number(WishlistEntries::AddedAt))
        .foreign_key(&mut account.clone())
        .foreign_key(&mut item.clone());
    vec![entries]
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("wishlist_entries_once")
            .table(WishlistEntries::Table)
            .col(WishlistEntries::AccountId)
            .col(WishlistEntries::ItemId)
            .unique()
            .take(),
        Index::create()
            .name("wishlist_entries_by_age")
            .table(WishlistEntries::Table)
            .col(WishlistEntries::AccountId)
            .col(WishlistEntries::AddedAt)
            .col(WishlistEntries::Id)
            .take(),
    ]
}
