//! Steps of orders: each one guarded update that names all it saw, and what belongs to it; or
//! nothing of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::event::Event;
use domain::gate::Telling;
use domain::order::{Change, Deadline, KeyUse, Transition};
use domain::ports::orders::Committed;
use domain::stock::StockMove;
use domain::{AccountId, ItemId, Timestamp};
use sea_orm::sea_query::{Expr, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::sql::bulk::{self, MOST_IDS, exactly};
use crate::sql::engine::Engine;
use crate::sql::entities::{orders, payments, refunds, shipments};
use crate::sql::fault::Stop;
use crate::sql::rows::ms;
use crate::sql::rows::order::{StateColumns, payment_row, refund_row, shipment_row};
use crate::sql::stock::LockedStock;
use crate::sql::{keys, outbox};
use crate::words::Word;

/// Commits steps in order. Stock moves once an item, whatever number of steps release it.
pub async fn commit(
    engine: &Engine,
    on: &impl ConnectionTrait,
    steps: &[Transition],
) -> Result<Vec<Committed>, Stop> {
    let mut stock = lock(on, steps).await?;
    let now = engine.now(on).await?;
    let mut taken = taken_keys(on, steps).await?;
    let mut done = Done::default();
    let mut outcomes = Vec::with_capacity(steps.len());
    for step in steps {
        let outcome = if step
            .key
            .is_some_and(|key| taken.contains(&keys::name(&key)))
        {
            Outcome::KeyTaken
        } else if move_order(on, step, now).await? {
            write_parts(on, step).await?;
            taken.extend(step.key.map(|key| keys::name(&key)));
            done.note(step, &stock);
            Outcome::Done
        } else {
            Outcome::Conflict
        };
        outcomes.push(outcome);
    }
    keys::insert(on, &done.keys, now).await?;
    outbox::insert(on, done.events.iter().copied()).await?;
    stock.apply(on, &done.stock, &done.buyers, now).await?;
    let steps = steps.iter().zip(outcomes);
    Ok(steps
        .map(|(step, outcome)| outcome.committed(step, &stock))
        .collect())
}

#[derive(Clone, Copy)]
enum Outcome {
    Done,
    Conflict,
    KeyTaken,
}

impl Outcome {
    /// With what the gate hears: the stock as it is after all steps.
    fn committed(self, step: &Transition, stock: &LockedStock) -> Committed {
        let telling = |item: ItemId| stock.telling(item, [step.next.buyer]);
        match self {
            Self::Done => {
                let tellings = step.released.iter().filter_map(|units| telling(units.item));
                Committed::Done(tellings.collect::<Vec<Telling>>())
            }
            Self::Conflict => Committed::Conflict,
            Self::KeyTaken => Committed::KeyTaken,
        }
    }
}

/// What the steps that went through have in common to write.
#[derive(Default)]
struct Done<'a> {
    keys: Vec<KeyUse>,
    events: Vec<&'a Event>,
    stock: BTreeMap<ItemId, StockMove>,
    buyers: BTreeMap<(ItemId, AccountId), StockMove>,
}

impl<'a> Done<'a> {
    fn note(&mut self, step: &'a Transition, stock: &LockedStock) {
        self.keys.extend(step.key);
        self.events.push(&step.event);
        for units in &step.released {
            self.stock
                .entry(units.item)
                .or_default()
                .release(units.count);
            if stock.counts_buyers(units.item) {
                let place = (units.item, step.next.buyer);
                self.buyers.entry(place).or_default().release(units.count);
            }
        }
    }
}

/// Locks what the steps may change: stock rows in item order, then, where there is more than one,
/// the orders in the order of their ids.
async fn lock(on: &impl ConnectionTrait, steps: &[Transition]) -> Result<LockedStock, Stop> {
    let released = steps.iter().flat_map(|step| &step.released);
    let items: BTreeSet<ItemId> = released.map(|units| units.item).collect();
    let mut stock = LockedStock::lock(on, &items).await?;
    let releasing = steps.iter().filter(|step| !step.released.is_empty());
    let buyers: BTreeSet<AccountId> = releasing.map(|step| step.next.buyer).collect();
    stock.read_buyers(on, &buyers).await?;
    if steps.len() > 1 {
        let ids: BTreeSet<Uuid> = steps.iter().map(|step| step.next.id.0).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for chunk in ids.chunks(MOST_IDS) {
            orders::Entity::find()
                .select_only()
                .column(orders::Column::Id)
                .filter(orders::Column::Id.is_in(chunk.iter().copied()))
                .order_by_asc(orders::Column::Id)
                .lock_exclusive()
                .into_tuple::<Uuid>()
                .all(on)
                .await?;
        }
    }
    Ok(stock)
}

async fn taken_keys(
    on: &impl ConnectionTrait,
    steps: &[Transition],
) -> Result<HashSet<keys::KeyName>, DbErr> {
    let asked: Vec<_> = steps
        .iter()
        .filter_map(|step| step.key.as_ref())
        .map(keys::name)
        .collect();
    keys::taken(on, &asked).await
}

/// The guarded update; `false` when something the step saw is no longer so, and then nothing moved.
/// The version is among what it saw: two steps decided from the same state can't both be the next.
async fn move_order(
    on: &impl ConnectionTrait,
    step: &Transition,
    now: Timestamp,
) -> Result<bool, DbErr> {
    use orders::Column::{EndedAt, ExpiresAt, Id, PaymentId, Reason, Status, Version};
    let next = StateColumns::from(&step.next.state);
    let mut update = orders::Entity::update_many()
        .col_expr(Status, Expr::value(next.status))
        .col_expr(Reason, Expr::value(next.reason))
        .col_expr(ExpiresAt, Expr::value(next.expires_at))
        .col_expr(PaymentId, Expr::value(next.payment_id))
        .col_expr(EndedAt, Expr::value(next.ended_at))
        .col_expr(Version, Expr::value(step.next.version))
        .filter(Id.eq(step.next.id.0))
        .filter(Status.eq(step.guard.status.word()))
        .filter(Version.eq(step.next.version - 1))
        .filter(match step.guard.payment {
            Some(payment) => PaymentId.eq(payment.0),
            None => PaymentId.is_null(),
        });
    match step.guard.deadline {
        Some(Deadline::Ahead) => update = update.filter(ExpiresAt.gt(ms(now))),
        Some(Deadline::Passed) => update = update.filter(ExpiresAt.lte(ms(now))),
        None => {}
    }
    for part in parts_seen(step) {
        update = update.filter(part);
    }
    Ok(update.exec(on).await?.rows_affected == 1)
}

/// The rows beside the order that must still stand where the step saw them.
fn parts_seen(step: &Transition) -> Vec<SimpleExpr> {
    let mut seen = Vec::new();
    if let Some((id, status)) = step.guard.shipment {
        seen.push(there_is(
            Query::select()
                .from(shipments::Entity)
                .and_where(shipments::Column::Id.eq(id.0))
                .and_where(shipments::Column::Status.eq(status.word())),
        ));
    }
    if let Some(Change::Move { from, to }) = &step.payment {
        seen.push(there_is(
            Query::select()
                .from(payments::Entity)
                .and_where(payments::Column::Id.eq(to.id.0))
                .and_where(payments::Column::Status.eq(from.word())),
        ));
    }
    if let Some(Change::Move { to, .. }) = &step.refund {
        seen.push(there_is(
            Query::select()
                .from(refunds::Entity)
                .and_where(refunds::Column::Id.eq(to.id.0))
                .and_where(refunds::Column::CompletedAt.is_null()),
        ));
    }
    seen
}

fn there_is(select: &mut SelectStatement) -> SimpleExpr {
    Expr::exists(select.expr(Expr::val(1)).take())
}

/// Writes the payment, refund and shipment of a step whose order has moved.
async fn write_parts(on: &impl ConnectionTrait, step: &Transition) -> Result<(), Stop> {
    let order = step.next.id;
    match &step.payment {
        None => {}
        Some(Change::Insert(payment)) => {
            let row = payment_row(order, payment);
            bulk::insert::<payments::ActiveModel, _>(on, vec![row]).await?;
        }
        Some(Change::Move { from, to }) => {
            let update = payments::Entity::update_many()
                .set(payment_row(order, to).into_active_model().reset_all())
                .filter(payments::Column::Id.eq(to.id.0))
                .filter(payments::Column::Status.eq(from.word()));
            exactly("moving a payment", 1, update.exec(on).await?.rows_affected)?;
        }
    }
    match &step.refund {
        None => {}
        Some(Change::Insert(refund)) => {
            let row = refund_row(order, refund);
            bulk::insert::<refunds::ActiveModel, _>(on, vec![row]).await?;
        }
        Some(Change::Move { to, .. }) => {
            let update = refunds::Entity::update_many()
                .col_expr(
                    refunds::Column::CompletedAt,
                    Expr::value(to.completed_at.map(ms)),
                )
                .filter(refunds::Column::Id.eq(to.id.0))
                .filter(refunds::Column::CompletedAt.is_null());
            exactly("moving a refund", 1, update.exec(on).await?.rows_affected)?;
        }
    }
    match &step.shipment {
        None => Ok(()),
        Some(Change::Insert(shipment)) => {
            let row = shipment_row(order, shipment);
            bulk::insert::<shipments::ActiveModel, _>(on, vec![row]).await
        }
        Some(Change::Move { from, to }) => {
            let update = shipments::Entity::update_many()
                .set(shipment_row(order, to).into_active_model().reset_all())
                .filter(shipments::Column::Id.eq(to.id.0))
                .filter(shipments::Column::Status.eq(from.word()));
            exactly("moving a shipment", 1, update.exec(on).await?.rows_affected)
        }
    }
}
