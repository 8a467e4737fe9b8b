//! What comes after the sale: parts of orders that are cancelled or come back, where a parcel goes,
//! every movement of stock, every act of an operator.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, add_column, create, id, number, number_or_null, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    DeliveryAddress,
}

#[derive(DeriveIden)]
enum OrderLines {
    Table,
    Cancelled,
    Returned,
}

#[derive(DeriveIden)]
enum ReturnRequests {
    Table,
    Id,
    OrderId,
    Reason,
    RequestedAt,
    Status,
    DueAt,
    EndedAt,
    Note,
}

#[derive(DeriveIden)]
enum ReturnLines {
    Table,
    ReturnId,
    Position,
    Quantity,
}

#[derive(DeriveIden)]
enum StockMovements {
    Table,
    ItemId,
    At,
    Id,
    Cause,
    OrderId,
    Total,
    Held,
    Released,
}

#[derive(DeriveIden)]
enum OperatorActs {
    Table,
    Id,
    OperatorId,
    At,
    Deed,
    SubjectId,
    Note,
    Changes,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let address = ColumnDef::new(Orders::DeliveryAddress)
            .var_binary(900)
            .null()
            .take();
        add_column(manager, Orders::Table, address).await?;
        // Absent is none, as it is of every line that nothing happened to.
        let cancelled = number_or_null(OrderLines::Cancelled);
        add_column(manager, OrderLines::Table, cancelled).await?;
        let returned = number_or_null(OrderLines::Returned);
        add_column(manager, OrderLines::Table, returned).await?;
        create(manager, tables(manager.get_database_backend()), indexes()).await?;
        manager
            .get_connection()
            .execute_unprepared(OPENING_BALANCES)
            .await?;
        Ok(())
    }
}

/// What every item had when the record of its movements began.
const OPENING_BALANCES: &str = "INSERT INTO stock_movements \
     (item_id, at, id, cause, total, held, released) \
     SELECT item_id, changed_at, item_id, 'OPENED', total, held, released FROM stock \
     WHERE item_id NOT IN (SELECT item_id FROM stock_movements)";

pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![
        return_requests(backend),
        return_lines(backend),
        stock_movements(backend),
        operator_acts(backend),
    ]
}

fn return_requests(backend: DbBackend) -> TableCreateStatement {
    let order = ForeignKey::create()
        .name("return_requests_order")
        .from(ReturnRequests::Table, ReturnRequests::OrderId)
        .to(Orders::Table, Orders::Id)
        .take();
    table(backend, ReturnRequests::Table, Layout::Heap)
        .col(id(ReturnRequests::Id).primary_key())
        .col(id(ReturnRequests::OrderId))
        .col(text(ReturnRequests::Reason, 50))
        .col(number(ReturnRequests::RequestedAt))
        .col(word(ReturnRequests::Status))
        .col(number_or_null(ReturnRequests::DueAt))
        .col(number_or_null(ReturnRequests::EndedAt))
        .col(text(ReturnRequests::Note, 200).null())
        .foreign_key(&mut order.clone())
        .take()
}

fn return_lines(backend: DbBackend) -> TableCreateStatement {
    let request = ForeignKey::create()
        .name("return_lines_request")
        .from(ReturnLines::Table, ReturnLines::ReturnId)
        .to(ReturnRequests::Table, ReturnRequests::Id)
        .take();
    table(backend, ReturnLines::Table, Layout::Keyed)
        .col(id(ReturnLines::ReturnId))
        .col(number(ReturnLines::Position))
        .col(number(ReturnLines::Quantity))
        .primary_key(
            Index::create()
                .col(ReturnLines::ReturnId)
                .col(ReturnLines::Position),
        )
        .foreign_key(&mut request.clone())
        .check((
            "return_lines_quantity_positive",
            Expr::col(ReturnLines::Quantity).gte(1),
        ))
        .take()
}

/// Only ever added to. Beside each other by item and time, so that the hot item's go to one place.
fn stock_movements(backend: DbBackend) -> TableCreateStatement {
    table(backend, StockMovements::Table, Layout::Keyed)
        .col(id(StockMovements::ItemId))
        .col(number(StockMovements::At))
        .col(id(StockMovements::Id))
        .col(word(StockMovements::Cause))
        .col(ColumnDef::new(StockMovements::OrderId).uuid().null())
        .col(number(StockMovements::Total))
        .col(number(StockMovements::Held))
        .col(number(StockMovements::Released))
        .primary_key(
            Index::create()
                .col(StockMovements::ItemId)
                .col(StockMovements::At)
                .col(StockMovements::Id),
        )
        .take()
}

/// Only ever added to. Operators and subjects are no foreign keys: the record outlives them.
fn operator_acts(backend: DbBackend) -> TableCreateStatement {
    table(backend, OperatorActs::Table, Layout::Heap)
        .col(id(OperatorActs::Id).primary_key())
        .col(id(OperatorActs::OperatorId))
        .col(number(OperatorActs::At))
        .col(word(OperatorActs::Deed))
        .col(id(OperatorActs::SubjectId))
        .col(text(OperatorActs::Note, 200).null())
        .col(ColumnDef::new(OperatorActs::Changes).text().not_null())
        .take()
}

pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("return_requests_of_order")
            .table(ReturnRequests::Table)
            .col(ReturnRequests::OrderId)
            .take(),
        Index::create()
            .name("return_requests_due")
            .table(ReturnRequests::Table)
            .col(ReturnRequests::Status)
            .col(ReturnRequests::DueAt)
            .take(),
        Index::create()
            .name("operator_acts_by_age")
            .table(OperatorActs::Table)
            .col(OperatorActs::At)
            .col(OperatorActs::Id)
            .take(),
        Index::create()
            .name("operator_acts_of_subject")
            .table(OperatorActs::Table)
            .col(OperatorActs::SubjectId)
            .take(),
    ]
}
