//! Orders and what hangs on them. Orders are never deleted: a late duplicate would resurrect them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{Layout, create, currency, id, number, number_or_null, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    BuyerId,
    Fingerprint,
    AdmissionId,
    TotalMinor,
    Currency,
    PlacedAt,
    Status,
    Reason,
    ExpiresAt,
    PaymentId,
    EndedAt,
    Version,
}

#[derive(DeriveIden)]
enum OrderLines {
    Table,
    OrderId,
    Position,
    ItemId,
    Quantity,
    PriceMinor,
    Currency,
}

#[derive(DeriveIden)]
enum Payments {
    Table,
    Id,
    OrderId,
    Attempt,
    Method,
    AmountMinor,
    Currency,
    RequestedAt,
    Status,
    SettledAt,
    Reason,
}

#[derive(DeriveIden)]
enum Refunds {
    Table,
    Id,
    OrderId,
    PaymentId,
    AmountMinor,
    Currency,
    Reason,
    RequestedAt,
    CompletedAt,
}

#[derive(DeriveIden)]
enum Shipments {
    Table,
    Id,
    OrderId,
    Status,
    DueAt,
    TrackingNumber,
    DispatchedAt,
    EndedAt,
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
    vec![
        orders(backend),
        order_lines(backend),
        payments(backend),
        refunds(backend),
        shipments(backend),
    ]
}

/// `admission_id` is the first admission counted for the order: what its receipt names. `payment_id`
/// is the payment in flight or captured; `ended_at` when it was paid, expired, failed or cancelled.
/// Buyers are no foreign key: orders outlive accounts.
fn orders(backend: DbBackend) -> TableCreateStatement {
    table(backend, Orders::Table, Layout::Heap)
        .col(id(Orders::Id).primary_key())
        .col(id(Orders::BuyerId))
        .col(id(Orders::Fingerprint))
        .col(ColumnDef::new(Orders::AdmissionId).uuid().null())
        .col(number(Orders::TotalMinor))
        .col(currency(Orders::Currency))
        .col(number(Orders::PlacedAt))
        .col(word(Orders::Status))
        .col(word(Orders::Reason).null())
        .col(number_or_null(Orders::ExpiresAt))
        .col(ColumnDef::new(Orders::PaymentId).uuid().null())
        .col(number_or_null(Orders::EndedAt))
        .col(number(Orders::Version))
        .check((
            "orders_total_in_range",
            Expr::col(Orders::TotalMinor).gte(0),
        ))
        .check(("orders_version_positive", Expr::col(Orders::Version).gte(1)))
        .take()
}

/// Items are no foreign key: a rejected order may name one that is not there.
fn order_lines(backend: DbBackend) -> TableCreateStatement {
    table(backend, OrderLines::Table, Layout::Keyed)
        .col(id(OrderLines::OrderId))
        .col(number(OrderLines::Position))
        .col(id(OrderLines::ItemId))
        .col(number(OrderLines::Quantity))
        .col(number(OrderLines::PriceMinor))
        .col(currency(OrderLines::Currency))
        .primary_key(
            Index::create()
                .col(OrderLines::OrderId)
                .col(OrderLines::Position),
        )
        .foreign_key(&mut order_key(
            "order_lines_order",
            OrderLines::Table,
            OrderLines::OrderId,
        ))
        .check((
            "order_lines_quantity_positive",
            Expr::col(OrderLines::Quantity).gte(1),
        ))
        .check((
            "order_lines_price_in_range",
            Expr::col(OrderLines::PriceMinor).gte(0),
        ))
        .take()
}

fn payments(backend: DbBackend) -> TableCreateStatement {
    table(backend, Payments::Table, Layout::Heap)
        .col(id(Payments::Id).primary_key())
        .col(id(Payments::OrderId))
        .col(number(Payments::Attempt))
        .col(text(Payments::Method, 255))
        .col(number(Payments::AmountMinor))
        .col(currency(Payments::Currency))
        .col(number(Payments::RequestedAt))
        .col(word(Payments::Status))
        .col(number_or_null(Payments::SettledAt))
        .col(word(Payments::Reason).null())
        .foreign_key(&mut order_key(
            "payments_order",
            Payments::Table,
            Payments::OrderId,
        ))
        .check((
            "payments_attempt_positive",
            Expr::col(Payments::Attempt).gte(1),
        ))
        .check((
            "payments_amount_in_range",
            Expr::col(Payments::AmountMinor).gte(0),
        ))
        .take()
}

fn refunds(backend: DbBackend) -> TableCreateStatement {
    table(backend, Refunds::Table, Layout::Heap)
        .col(id(Refunds::Id).primary_key())
        .col(id(Refunds::OrderId))
        .col(id(Refunds::PaymentId))
        .col(number(Refunds::AmountMinor))
        .col(currency(Refunds::Currency))
        .col(word(Refunds::Reason))
        .col(number(Refunds::RequestedAt))
        .col(number_or_null(Refunds::CompletedAt))
        .foreign_key(&mut order_key(
            "refunds_order",
            Refunds::Table,
            Refunds::OrderId,
        ))
        .foreign_key(
            ForeignKey::create()
                .name("refunds_payment")
                .from(Refunds::Table, Refunds::PaymentId)
                .to(Payments::Table, Payments::Id),
        )
        .check((
            "refunds_amount_in_range",
            Expr::col(Refunds::AmountMinor).gte(0),
        ))
        .take()
}

/// `due_at` is when its next step is due, absent at the end; `ended_at` when it was delivered or
/// cancelled.
fn shipments(backend: DbBackend) -> TableCreateStatement {
    table(backend, Shipments::Table, Layout::Heap)
        .col(id(Shipments::Id).primary_key())
        .col(id(Shipments::OrderId))
        .col(word(Shipments::Status))
        .col(number_or_null(Shipments::DueAt))
        .col(text(Shipments::TrackingNumber, 64).null())
        .col(number_or_null(Shipments::DispatchedAt))
        .col(number_or_null(Shipments::EndedAt))
        .foreign_key(&mut order_key(
            "shipments_order",
            Shipments::Table,
            Shipments::OrderId,
        ))
        .take()
}

fn order_key(
    name: &str,
    from: impl IntoTableRef,
    column: impl IntoIden,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(from, column)
        .to(Orders::Table, Orders::Id)
        .take()
}

/// What the workers sweep by, and what hangs on an order.
pub fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("orders_by_buyer")
            .table(Orders::Table)
            .col(Orders::BuyerId)
            .col(Orders::PlacedAt)
            .col(Orders::Id)
            .take(),
        Index::create()
            .name("orders_by_deadline")
            .table(Orders::Table)
            .col(Orders::Status)
            .col(Orders::ExpiresAt)
            .take(),
        Index::create()
            .name("payments_order_attempt")
            .table(Payments::Table)
            .col(Payments::OrderId)
            .col(Payments::Attempt)
            .unique()
            .take(),
        Index::create()
            .name("payments_in_flight")
            .table(Payments::Table)
            .col(Payments::Status)
            .col(Payments::RequestedAt)
            .take(),
        Index::create()
            .name("refunds_by_order")
            .table(Refunds::Table)
            .col(Refunds::OrderId)
            .take(),
        Index::create()
            .name("refunds_open")
            .table(Refunds::Table)
            .col(Refunds::CompletedAt)
            .col(Refunds::RequestedAt)
            .take(),
        Index::create()
            .name("shipments_order")
            .table(Shipments::Table)
            .col(Shipments::OrderId)
            .unique()
            .take(),
        Index::create()
            .name("shipments_due")
            .table(Shipments::Table)
            .col(Shipments::DueAt)
            .take(),
    ]
}
