//! What the steps of a commit write, put together: one insert and one update a table.

use std::collections::HashSet;

use domain::OrderId;
use domain::order::{Change, Transition};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::crypto::vault::Vault;
use crate::sql::bulk;
use crate::sql::entities::{
    order_lines, orders, payments, refunds, return_lines, return_requests, shipments,
};
use crate::sql::fault::Stop;
use crate::sql::many::{Cell, Update};
use crate::sql::rows::order::{
    StateColumns, payment_row, refund_row, sealed_address, shipment_row,
};
use crate::sql::rows::return_request::{return_line_rows, return_row};
use crate::sql::rows::{BadRow, ms};
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
    new_returns: Vec<return_requests::Model>,
    new_return_lines: Vec<return_lines::Model>,
    returns: Vec<Vec<Cell>>,
    lines: Vec<Vec<Cell>>,
    addresses: Vec<Vec<Cell>>,
}

impl Writes {
    /// Whether an order has writes already: the next ones have to see them done.
    pub fn touches(&self, order: OrderId) -> bool {
        self.touched.contains(&order.0)
    }

    /// Adds the writes of a step.
    ///
    /// # Errors
    /// An address that can't be sealed.
    pub fn add(&mut self, vault: &Vault, step: &Transition) -> Result<(), BadRow> {
        self.touched.insert(step.next.id.0);
        self.add_order(step);
        self.add_money(step);
        self.add_delivery(vault, step)?;
        self.add_returned(step);
        Ok(())
    }

    fn add_order(&mut self, step: &Transition) {
        let order = step.next.id;
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
    }

    fn add_money(&mut self, step: &Transition) {
        let order = step.next.id;
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
    }

    fn add_delivery(&mut self, vault: &Vault, step: &Transition) -> Result<(), BadRow> {
        let order = step.next.id;
        if let Some(address) = &step.address {
            let sealed = sealed_address(vault, order, address)?;
            self.addresses
                .push(vec![order.0.into(), Cell::Bytes(Some(sealed))]);
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
        Ok(())
    }

    /// What of its lines was cancelled or returned, and the returns themselves.
    fn add_returned(&mut self, step: &Transition) {
        let order = step.next.id;
        let touched = step.lines.iter();
        let touched = touched.filter_map(|at| Some((*at, step.next.line(*at)?)));
        self.lines.extend(touched.map(|(at, line)| {
            vec![
                order.0.into(),
                i64::from(at).into(),
                i64::from(line.cancelled).into(),
                i64::from(line.returned).into(),
            ]
        }));
        match &step.returning {
            None => {}
            Some(Change::Insert(new)) => {
                self.new_returns.push(return_row(order, new));
                self.new_return_lines.extend(return_line_rows(new));
            }
            Some(Change::Move { from, to }) => {
                let to = return_row(order, to);
                self.returns.push(vec![
                    to.id.into(),
                    from.word().into(),
                    to.status.into(),
                    to.due_at.into(),
                    to.ended_at.into(),
                    to.note.into(),
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
        move_shipments(on, &self.shipments).await?;
        say_where(on, &self.addresses).await?;
        count_lines(on, &self.lines).await?;
        bulk::insert::<return_requests::ActiveModel, _>(on, self.new_returns).await?;
        bulk::insert::<return_lines::ActiveModel, _>(on, self.new_return_lines).await?;
        move_returns(on, &self.returns).await
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

async fn say_where(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use orders::Column::{DeliveryAddress, Id};
    let update = Update::<orders::Entity> {
        doing: "saying where orders go",
        keys: &[Id],
        seen: &[],
        open: None,
        set: &[DeliveryAddress],
        add: &[],
    };
    update.write(on, rows).await
}

async fn count_lines(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use order_lines::Column::{Cancelled, OrderId, Position, Returned};
    let update = Update::<order_lines::Entity> {
        doing: "counting what of lines goes back",
        keys: &[OrderId, Position],
        seen: &[],
        open: None,
        set: &[Cancelled, Returned],
        add: &[],
    };
    update.write(on, rows).await
}

async fn move_returns(on: &impl ConnectionTrait, rows: &[Vec<Cell>]) -> Result<(), Stop> {
    use return_requests::Column::{DueAt, EndedAt, Id, Note, Status};
    let update = Update::<return_requests::Entity> {
        doing: "moving returns",
        keys: &[Id],
        seen: &[Status],
        open: None,
        set: &[Status, DueAt, EndedAt, Note],
        add: &[],
    };
    update.write(on, rows).await
}
