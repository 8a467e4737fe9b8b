//! What the steps of a commit saw, locked, and whether it is still so.

use std::collections::{BTreeSet, HashMap};

use domain::Timestamp;
use domain::order::{Change, Deadline, Transition};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::sql::bulk;
use crate::sql::entities::{orders, payments, refunds, return_requests, shipments};
use crate::sql::rows::ms;
use crate::sql::rows::order::StateColumns;
use crate::words::Word;

/// The rows that steps name, as they stand now; what a step changes is noted, for the steps that
/// come after it in the same commit.
pub struct Seen {
    orders: HashMap<Uuid, OrderRow>,
    payments: HashMap<Uuid, String>,
    shipments: HashMap<Uuid, String>,
    /// Whether it is still open.
    refunds: HashMap<Uuid, bool>,
    returns: HashMap<Uuid, String>,
}

/// What of an order a guard may name.
#[derive(Clone, Debug, FromQueryResult)]
struct OrderRow {
    id: Uuid,
    status: String,
    expires_at: Option<i64>,
    payment_id: Option<Uuid>,
    version: i64,
}

#[derive(FromQueryResult)]
struct StatusRow {
    id: Uuid,
    status: String,
}

#[derive(FromQueryResult)]
struct RefundRow {
    id: Uuid,
    completed_at: Option<i64>,
}

impl Seen {
    /// Locks the orders of the steps in the order of their ids, and reads what else they name: it
    /// only ever changes together with its order.
    pub async fn lock(on: &impl ConnectionTrait, steps: &[Transition]) -> Result<Self, DbErr> {
        let select = orders::Entity::find()
            .select_only()
            .columns([
                orders::Column::Id,
                orders::Column::Status,
                orders::Column::ExpiresAt,
                orders::Column::PaymentId,
                orders::Column::Version,
            ])
            .order_by_asc(orders::Column::Id)
            .lock_exclusive();
        let ids = steps.iter().map(|step| step.next.id.0);
        let orders = rows::<_, OrderRow>(on, select, orders::Column::Id, ids).await?;

        let select = payments::Entity::find()
            .select_only()
            .columns([payments::Column::Id, payments::Column::Status]);
        let ids = steps.iter().filter_map(|step| match &step.payment {
            Some(Change::Move { to, .. }) => Some(to.id.0),
            Some(Change::Insert(_)) | None => None,
        });
        let payments = rows::<_, StatusRow>(on, select, payments::Column::Id, ids).await?;

        let select = shipments::Entity::find()
            .select_only()
            .columns([shipments::Column::Id, shipments::Column::Status]);
        let ids = steps
            .iter()
            .filter_map(|step| step.guard.shipment)
            .map(|(id, _)| id.0);
        let shipments = rows::<_, StatusRow>(on, select, shipments::Column::Id, ids).await?;

        let select = refunds::Entity::find()
            .select_only()
            .columns([refunds::Column::Id, refunds::Column::CompletedAt]);
        let ids = steps.iter().filter_map(|step| match &step.refund {
            Some(Change::Move { to, .. }) => Some(to.id.0),
            Some(Change::Insert(_)) | None => None,
        });
        let refunds = rows::<_, RefundRow>(on, select, refunds::Column::Id, ids).await?;

        let select = return_requests::Entity::find()
            .select_only()
            .columns([return_requests::Column::Id, return_requests::Column::Status]);
        let ids = steps.iter().filter_map(|step| match &step.returning {
            Some(Change::Move { to, .. }) => Some(to.id.0),
            Some(Change::Insert(_)) | None => None,
        });
        let returns = rows::<_, StatusRow>(on, select, return_requests::Column::Id, ids).await?;

        Ok(Self {
            orders: orders.into_iter().map(|row| (row.id, row)).collect(),
            payments: payments
                .into_iter()
                .map(|row| (row.id, row.status))
                .collect(),
            shipments: shipments
                .into_iter()
                .map(|row| (row.id, row.status))
                .collect(),
            refunds: refunds
                .into_iter()
                .map(|row| (row.id, row.completed_at.is_none()))
                .collect(),
            returns: returns
                .into_iter()
                .map(|row| (row.id, row.status))
                .collect(),
        })
    }

    /// Whether all that a step saw is still so, by the ledger's clock at `now`. The version is
    /// among it: two steps decided from the same state can't both be the next.
    pub fn holds(&self, step: &Transition, now: Timestamp) -> bool {
        let Some(row) = self.orders.get(&step.next.id.0) else {
            return false;
        };
        let guard = &step.guard;
        row.version == step.next.version - 1
            && row.status == guard.status.word()
            && row.payment_id == guard.payment.map(|payment| payment.0)
            && guard.deadline.is_none_or(|side| row.is_on(side, now))
            && self.parts_hold(step)
    }

    fn parts_hold(&self, step: &Transition) -> bool {
        let shipment = step.guard.shipment.is_none_or(|(id, status)| {
            self.shipments
                .get(&id.0)
                .is_some_and(|word| *word == status.word())
        });
        let payment = match &step.payment {
            Some(Change::Move { from, to }) => self
                .payments
                .get(&to.id.0)
                .is_some_and(|word| *word == from.word()),
            Some(Change::Insert(_)) | None => true,
        };
        let refund = match &step.refund {
            Some(Change::Move { to, .. }) => self.refunds.get(&to.id.0) == Some(&true),
            Some(Change::Insert(_)) | None => true,
        };
        let returning = match &step.returning {
            Some(Change::Move { from, to }) => self
                .returns
                .get(&to.id.0)
                .is_some_and(|word| *word == from.word()),
            Some(Change::Insert(_)) | None => true,
        };
        shipment && payment && refund && returning
    }

    /// Notes what a step changes.
    pub fn take(&mut self, step: &Transition) {
        let next = StateColumns::from(&step.next.state);
        let id = step.next.id.0;
        let row = OrderRow {
            id,
            status: next.status.to_owned(),
            expires_at: next.expires_at,
            payment_id: next.payment_id,
            version: step.next.version,
        };
        self.orders.insert(id, row);
        if let Some(Change::Insert(to) | Change::Move { to, .. }) = &step.payment {
            self.payments
                .insert(to.id.0, to.state.status().word().to_owned());
        }
        if let Some(Change::Insert(to) | Change::Move { to, .. }) = &step.shipment {
            self.shipments
                .insert(to.id.0, to.status().word().to_owned());
        }
        if let Some(Change::Insert(to) | Change::Move { to, .. }) = &step.refund {
            self.refunds.insert(to.id.0, to.completed_at.is_none());
        }
        if let Some(Change::Insert(to) | Change::Move { to, .. }) = &step.returning {
            self.returns
                .insert(to.id.0, to.state.status().word().to_owned());
        }
    }
}

impl OrderRow {
    /// Whether `now` is on that side of the order's time; an order without one is on neither.
    fn is_on(&self, side: Deadline, now: Timestamp) -> bool {
        match (side, self.expires_at) {
            (Deadline::Ahead, Some(expires_at)) => expires_at > ms(now),
            (Deadline::Passed, Some(expires_at)) => expires_at <= ms(now),
            (_, None) => false,
        }
    }
}

/// Rows by id, in the order of their ids.
async fn rows<E: EntityTrait, R: FromQueryResult + Send>(
    on: &impl ConnectionTrait,
    select: Select<E>,
    column: E::Column,
    ids: impl Iterator<Item = Uuid>,
) -> Result<Vec<R>, DbErr> {
    let ids: Vec<Uuid> = ids.collect::<BTreeSet<_>>().into_iter().collect();
    bulk::models_of(on, select, column, &ids).await
}
