//! What the steps of a commit write, put together: rows that are new in one insert, orders that
//! move alike in one update.

use std::collections::{BTreeMap, HashSet};

use domain::OrderId;
use domain::order::{Change, Transition};
use domain::payment::Payment;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use uuid::Uuid;

use super::seen::OrderRow;
use crate::sql::bulk::{self, MOST_IDS, exactly};
use crate::sql::entities::{orders, payments, refunds, shipments};
use crate::sql::fault::Stop;
use crate::sql::rows::ms;
use crate::sql::rows::order::{StateColumns, payment_row, refund_row, shipment_row};
use crate::words::Word;

/// Writes of steps that touch each order once.
#[derive(Default)]
pub struct Writes {
    touched: HashSet<Uuid>,
    orders: BTreeMap<OrderMove, Vec<Uuid>>,
    new_payments: Vec<payments::Model>,
    payments: BTreeMap<PaymentMove, Vec<Uuid>>,
    new_refunds: Vec<refunds::Model>,
    refunds: BTreeMap<Option<i64>, Vec<Uuid>>,
    new_shipments: Vec<shipments::Model>,
    shipments: Vec<(&'static str, shipments::Model)>,
}

/// How an order moves: from what, and the columns of its next state.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OrderMove {
    from: String,
    version: i64,
    status: &'static str,
    reason: Option<&'static str>,
    expires_at: Option<i64>,
    ended_at: Option<i64>,
    payment: PaymentColumn,
}

/// Written only where it changes: a payment is one order's alone, and orders that keep theirs move
/// alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum PaymentColumn {
    Kept,
    Set(Option<Uuid>),
}

/// How a payment moves.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PaymentMove {
    from: &'static str,
    status: String,
    settled_at: Option<i64>,
    reason: Option<String>,
}

impl Writes {
    /// Whether an order has writes already: the next ones have to see them done.
    pub fn touches(&self, order: OrderId) -> bool {
        self.touched.contains(&order.0)
    }

    /// Adds the writes of a step whose order stands as `row`.
    pub fn add(&mut self, step: &Transition, row: Option<&OrderRow>) {
        let order = step.next.id;
        self.touched.insert(order.0);
        let next = StateColumns::from(&step.next.state);
        let before = row.and_then(|row| row.payment_id);
        let changes = OrderMove {
            from: step.guard.status.word().to_owned(),
            version: step.next.version - 1,
            status: next.status,
            reason: next.reason,
            expires_at: next.expires_at,
            ended_at: next.ended_at,
            payment: if next.payment_id == before {
                PaymentColumn::Kept
            } else {
                PaymentColumn::Set(next.payment_id)
            },
        };
        self.orders.entry(changes).or_default().push(order.0);
        match &step.payment {
            None => {}
            Some(Change::Insert(payment)) => self.new_payments.push(payment_row(order, payment)),
            Some(Change::Move { from, to }) => {
                let changes = PaymentMove::to(from.word(), order, to);
                self.payments.entry(changes).or_default().push(to.id.0);
            }
        }
        match &step.refund {
            None => {}
            Some(Change::Insert(refund)) => self.new_refunds.push(refund_row(order, refund)),
            Some(Change::Move { to, .. }) => {
                let completed_at = to.completed_at.map(ms);
                self.refunds.entry(completed_at).or_default().push(to.id.0);
            }
        }
        match &step.shipment {
            None => {}
            Some(Change::Insert(new)) => self.new_shipments.push(shipment_row(order, new)),
            Some(Change::Move { from, to }) => {
                self.shipments.push((from.word(), shipment_row(order, to)));
            }
        }
    }

    /// Writes all of it.
    pub async fn flush(self, on: &impl ConnectionTrait) -> Result<(), Stop> {
        for (changes, ids) in &self.orders {
            for ids in ids.chunks(MOST_IDS) {
                changes.write(on, ids).await?;
            }
        }
        bulk::insert::<payments::ActiveModel, _>(on, self.new_payments).await?;
        for (changes, ids) in &self.payments {
            for ids in ids.chunks(MOST_IDS) {
                changes.write(on, ids).await?;
            }
        }
        bulk::insert::<refunds::ActiveModel, _>(on, self.new_refunds).await?;
        for (completed_at, ids) in &self.refunds {
            for ids in ids.chunks(MOST_IDS) {
                complete_refunds(on, *completed_at, ids).await?;
            }
        }
        bulk::insert::<shipments::ActiveModel, _>(on, self.new_shipments).await?;
        for (from, row) in self.shipments {
            move_shipment(on, from, row).await?;
        }
        Ok(())
    }
}

impl OrderMove {
    async fn write(&self, on: &impl ConnectionTrait, ids: &[Uuid]) -> Result<(), Stop> {
        use orders::Column::{EndedAt, ExpiresAt, Id, PaymentId, Reason, Status, Version};
        let mut update = orders::Entity::update_many()
            .col_expr(Status, Expr::value(self.status))
            .col_expr(Reason, Expr::value(self.reason))
            .col_expr(ExpiresAt, Expr::value(self.expires_at))
            .col_expr(EndedAt, Expr::value(self.ended_at))
            .col_expr(Version, Expr::value(self.version + 1))
            .filter(Id.is_in(ids.iter().copied()))
            .filter(Status.eq(self.from.as_str()))
            .filter(Version.eq(self.version));
        if let PaymentColumn::Set(payment) = self.payment {
            update = update.col_expr(PaymentId, Expr::value(payment));
        }
        let moved = update.exec(on).await?.rows_affected;
        exactly("moving orders", ids.len() as u64, moved)
    }
}

impl PaymentMove {
    fn to(from: &'static str, order: OrderId, payment: &Payment) -> Self {
        let payments::Model {
            status,
            settled_at,
            reason,
            ..
        } = payment_row(order, payment);
        Self {
            from,
            status,
            settled_at,
            reason,
        }
    }

    async fn write(&self, on: &impl ConnectionTrait, ids: &[Uuid]) -> Result<(), Stop> {
        use payments::Column::{Id, Reason, SettledAt, Status};
        let update = payments::Entity::update_many()
            .col_expr(Status, Expr::value(self.status.as_str()))
            .col_expr(SettledAt, Expr::value(self.settled_at))
            .col_expr(Reason, Expr::value(self.reason.as_deref()))
            .filter(Id.is_in(ids.iter().copied()))
            .filter(Status.eq(self.from));
        let moved = update.exec(on).await?.rows_affected;
        exactly("moving payments", ids.len() as u64, moved)
    }
}

async fn complete_refunds(
    on: &impl ConnectionTrait,
    completed_at: Option<i64>,
    ids: &[Uuid],
) -> Result<(), Stop> {
    let update = refunds::Entity::update_many()
        .col_expr(refunds::Column::CompletedAt, Expr::value(completed_at))
        .filter(refunds::Column::Id.is_in(ids.iter().copied()))
        .filter(refunds::Column::CompletedAt.is_null());
    exactly(
        "completing refunds",
        ids.len() as u64,
        update.exec(on).await?.rows_affected,
    )
}

/// Each has a tracking number of its own.
async fn move_shipment(
    on: &impl ConnectionTrait,
    from: &'static str,
    row: shipments::Model,
) -> Result<(), Stop> {
    let id = row.id;
    let update = shipments::Entity::update_many()
        .set(row.into_active_model().reset_all())
        .filter(shipments::Column::Id.eq(id))
        .filter(shipments::Column::Status.eq(from));
    exactly("moving a shipment", 1, update.exec(on).await?.rows_affected)
}
