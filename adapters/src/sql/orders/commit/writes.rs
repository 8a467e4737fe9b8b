//! What the steps of a commit write, put together: one insert and one update a table.

use std::collections::HashSet;

use domain::OrderId;
use domain::order::{Change, Transition};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::sql::bulk;
use crate::sql::entities::{orders, payments, refunds, shipments};
use crate::sql::fault::Stop;
use crate::sql::many::{Cell, Update};
use crate::sql::rows::ms;
use crate::sql::rows::order::{StateColumns, payment_row, refund_row, shipment_row};
use crate::words::Word;

/// Writes of steps that touch each order once.
#[derive(Default)]
pub struct Writes {
    touched: HashSet<Uuid>,
    orders: Vec<Vec<Cell>>,
    new_payments: Vec<payments::Model>,
    payments: Vec<Vec<Cell>>,
    new_refunds: Vec<refunds::Model>,
    refunds: Vec<Vec<Cell>>,
    new_shipments: Vec<shipments::Model>,
    shipments: Vec<Vec<Cell>>,
}

impl Writes {
    /// Whether an order has writes already: the next ones have to see them done.
    pub fn touches(&self, order: OrderId) -> bool {
        self.touched.contains(&order.0)
    }

    /// Adds the writes of a step.
    pub fn add(&mut self, step: &Transition) {
        let order = step.next.id;
        self.touched.insert(order.0);
        let next = StateColumns::from(&step.next.state);
        self.orders.push(vec![
            order.0.into(),
            step.guard.status.word().into(),
            (step.next.version - 1).into(),
            next.status.into(),
            next.reason.into(),
            next.expires_at.into(),
            next.payment_id.into(),
            next.ended_at.into(),
            step.next.version.into(),
        ]);
        match &step.payment {
            None => {}
            Some(Change::Insert(payment)) => self.new_payments.push(payment_row(order, payment)),
            Some(Change::Move { from, to }) => {
                let to = payment_row(order, to);
                self.payments.push(vec![
                    to.id.into(),
                    from.word().into(),
                    to.status.into(),
                    to.settled_at.into(),
                    to.reason.into(),
                ]);
            }
        }
        match &step.refund {
            None => {}
            Some(Change::Insert(refund)) => self.new_refunds.push(refund_row(order, refund)),
            Some(Change::Move { to, .. }) => {
                let completed_at = to.completed_at.map(ms);
                self.refunds.push(vec![to.id.0.into(), completed_at.into()]);
            }
        }
        match &step.shipment {
            None => {}
            Some(Change::Insert(new)) => self.new_shipments.push(shipment_row(order, new)),
            Some(Change::Move { from, to }) => {
                let to = shipment_row(order, to);
                self.shipments.push(vec![
                    to.id.into(),
                    from.word().into(),
                    to.status.into(),
                    to.due_at.into(),
                    to.tracking_number.into(),
                    to.dispatched_at.into(),
                    to.ended_at.into(),
                ]);
            }
        }
    }

    /// Writes all of it.
    pub async fn flush(self, on: &impl ConnectionTrait) -> Result<(), Stop> {
        move_orders(on, &self.orders).await?;
        bulk::insert::<payments::ActiveModel, _>(on, self.new_payments).await?;
        move_payments(on, &self.payments).await?;
        bulk::insert::<refunds::ActiveModel, _>(on, self.new_refunds).await?;
        complete_refunds(on, &self.refunds).await?;
        bulk::insert::<shipments::ActiveModel, _>(on, self.new_shipments).await?;
        move_shipments(on, &self.shipments).await
    }
}

async fn move_orders(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use orders::Column::{EndedAt, ExpiresAt, Id, PaymentId, Reason, Status, Version};
    let update = Update::<orders::Entity> {
        doing: "moving orders",
        keys: &[Id],
        seen: &[Status, Version],
        open: None,
        set: &[Status, Reason, ExpiresAt, PaymentId, EndedAt, Version],
        add: &[],
    };
    update.write(on, rows).await
}

async fn move_payments(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use payments::Column::{Id, Reason, SettledAt, Status};
    let update = Update::<payments::Entity> {
        doing: "moving payments",
        keys: &[Id],
        seen: &[Status],
        open: None,
        set: &[Status, SettledAt, Reason],
        add: &[],
    };
    update.write(on, rows).await
}

async fn complete_refunds(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use refunds::Column::{CompletedAt, Id};
    let update = Update::<refunds::Entity> {
        doing: "completing refunds",
        keys: &[Id],
        seen: &[],
        open: Some(CompletedAt),
        set: &[CompletedAt],
        add: &[],
    };
    update.write(on, rows).await
}

async fn move_shipments(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use shipments::Column::{DispatchedAt, DueAt, EndedAt, Id, Status, TrackingNumber};
    let update = Update::<shipments::Entity> {
        doing: "moving shipments",
        keys: &[Id],
        seen: &[Status],
        open: None,
        set: &[Status, DueAt, TrackingNumber, DispatchedAt, EndedAt],
        add: &[],
    };
    update.write(on, rows).await
}
