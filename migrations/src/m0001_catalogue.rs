//! What is sold, and how much of it there is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{
    Layout, create, currency, id, number, number_or_null, ordered_text, table, text, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Items {
    Table,
    Id,
    SellerId,
    Sku,
    Name,
    NameFolded,
    Description,
    Category,
    PriceMinor,
    Currency,
    Kind,
    OpensAt,
    ClosesAt,
    LimitPerBuyer,
    Paused,
    Version,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Stock {
    Table,
    ItemId,
    Total,
    Held,
    Admitted,
    Released,
    Version,
    ChangedAt,
}

#[derive(DeriveIden)]
enum BuyerStock {
    Table,
    ItemId,
    BuyerId,
    Admitted,
    Released,
    ChangedAt,
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
    vec![items(backend), stock(backend), buyer_stock(backend)]
}

/// Items with their deal's window. `name_folded` is the name in lower case: lists are ordered and
/// searched by it, the same on every engine.
fn items(backend: DbBackend) -> TableCreateStatement {
    let price_in_range = Expr::col(Items::PriceMinor).gte(0);
    let window_in_order = Expr::col(Items::ClosesAt)
        .is_null()
        .or(Expr::col(Items::ClosesAt).gt(Expr::col(Items::OpensAt)));
    let limit_positive = Expr::col(Items::LimitPerBuyer)
        .is_null()
        .or(Expr::col(Items::LimitPerBuyer).gte(1));
    table(backend, Items::Table, Layout::Heap)
        .col(id(Items::Id).primary_key())
        .col(id(Items::SellerId))
        .col(text(Items::Sku, 64).null())
        .col(text(Items::Name, 100))
        .col(ordered_text(backend, Items::NameFolded, 300))
        .col(ColumnDef::new(Items::Description).text().not_null())
        .col(word(Items::Category))
        .col(number(Items::PriceMinor))
        .col(currency(Items::Currency))
        .col(word(Items::Kind))
        .col(number_or_null(Items::OpensAt))
        .col(number_or_null(Items::ClosesAt))
        .col(number_or_null(Items::LimitPerBuyer))
        .col(ColumnDef::new(Items::Paused).boolean().not_null())
        .col(number(Items::Version))
        .col(number(Items::CreatedAt))
        .check(("items_price_in_range", price_in_range))
        .check(("items_window_in_order", window_in_order))
        .check(("items_limit_positive", limit_positive))
        .take()
}

/// A shop's own codes are unique within the shop; every order of a list has its index.
pub fn indexes() -> Vec<IndexCreateStatement> {
    let by = |name: &str, column: Items| {
        Index::create()
            .name(name)
            .table(Items::Table)
            .col(column)
            .col(Items::Id)
            .take()
    };
    vec![
        Index::create()
            .name("items_seller_sku")
            .table(Items::Table)
            .col(Items::SellerId)
            .col(Items::Sku)
            .unique()
            .take(),
        by("items_by_age", Items::CreatedAt),
        by("items_by_price", Items::PriceMinor),
        by("items_by_name", Items::NameFolded),
        by("items_by_opening", Items::OpensAt),
    ]
}

/// One row an item; the law of stock is in its checks.
fn stock(backend: DbBackend) -> TableCreateStatement {
    let held_in_range = Expr::col(Stock::Held)
        .gte(0)
        .and(Expr::col(Stock::Held).lte(Expr::col(Stock::Total)));
    let counts_agree = Expr::col(Stock::Admitted)
        .sub(Expr::col(Stock::Released))
        .eq(Expr::col(Stock::Held));
    table(backend, Stock::Table, Layout::Keyed)
        .col(id(Stock::ItemId).primary_key())
        .col(number(Stock::Total))
        .col(number(Stock::Held))
        .col(number(Stock::Admitted))
        .col(number(Stock::Released))
        .col(number(Stock::Version))
        .col(number(Stock::ChangedAt))
        .foreign_key(
            ForeignKey::create()
                .name("stock_item")
                .from(Stock::Table, Stock::ItemId)
                .to(Items::Table, Items::Id),
        )
        .check(("stock_held_in_range", held_in_range))
        .check(("stock_counts_agree", counts_agree))
        .check(("stock_released_in_range", Expr::col(Stock::Released).gte(0)))
        .take()
}

/// What each buyer of a time deal took and gave back.
fn buyer_stock(backend: DbBackend) -> TableCreateStatement {
    let in_range = Expr::col(BuyerStock::Released)
        .gte(0)
        .and(Expr::col(BuyerStock::Released).lte(Expr::col(BuyerStock::Admitted)));
    table(backend, BuyerStock::Table, Layout::Keyed)
        .col(id(BuyerStock::ItemId))
        .col(id(BuyerStock::BuyerId))
        .col(number(BuyerStock::Admitted))
        .col(number(BuyerStock::Released))
        .col(number(BuyerStock::ChangedAt))
        .primary_key(
            Index::create()
                .col(BuyerStock::ItemId)
                .col(BuyerStock::BuyerId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("buyer_stock_item")
                .from(BuyerStock::Table, BuyerStock::ItemId)
                .to(Items::Table, Items::Id),
        )
        .check(("buyer_stock_released_in_range", in_range))
        .take()
}
