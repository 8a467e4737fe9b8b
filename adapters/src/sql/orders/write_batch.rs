//! The order writer's transaction: stock rows first, then the writer's own position, then what was
//! seen, then the decision, then everything it says; the wishes that came true at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::batch::{BatchDecision, BatchView, decide};
use domain::gate::Telling;
use domain::message::{Offset, Partition};
use domain::ports::orders::{BatchWritten, WriteBatch};
use domain::{AccountId, AdmissionId, ItemId, OrderId};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use crate::sql::engine::Engine;
use crate::sql::entities::{admissions, order_lines, orders};
use crate::sql::fault::Stop;
use crate::sql::positions::{self, Place};
use crate::sql::rows::order::{new_line_rows, new_order_row};
use crate::sql::stock::LockedStock;
use crate::sql::{bulk, outbox, records, wishlists};

/// Where the writer goes on in a partition.
pub async fn position(on: &impl ConnectionTrait, partition: Partition) -> Result<Offset, DbErr> {
    positions::of(on, place(partition)).await
}

fn place(Partition { topic, number }: Partition) -> Place {
    Place {
        topic: topic.name(),
        number: number.into(),
    }
}

/// Writes a batch, or finds that somebody else moved the position.
pub async fn write(
    engine: &Engine,
    on: &impl ConnectionTrait,
    batch: &WriteBatch,
) -> Result<BatchWritten, Stop> {
    let touched = Touched::by(batch);
    let mut stock = LockedStock::lock(on, &touched.items).await?;
    if !positions::move_on(on, place(batch.partition), batch.from, batch.next).await? {
        return Ok(BatchWritten::NotMine);
    }
    stock.read_buyers(on, &touched.places).await?;
    let view = BatchView {
        orders: seen::<orders::Entity, _>(on, orders::Column::Id, &touched.orders, OrderId).await?,
        admissions: seen::<admissions::Entity, _>(
            on,
            admissions::Column::Id,
            &touched.admissions,
            AdmissionId,
        )
        .await?,
        stock: stock.room(),
        holdings: stock.holdings().collect(),
    };
    let now = engine.now(on).await?;
    let mut decision = decide(view, &batch.records, now, batch.hold_ms);
    if !batch.traces.is_empty() {
        for event in &mut decision.events {
            event.trace = batch.traces.get(&OrderId(event.key())).cloned();
        }
    }
    insert(on, &decision).await?;
    stock
        .apply(on, &decision.stock, &decision.buyers, now)
        .await?;
    // Last: an owner who changes a wish waits no longer than for the commit.
    wishlists::remove_granted(on, &decision.granted).await?;
    Ok(BatchWritten::Done(tellings(&stock, &decision)))
}

/// Everything a batch names.
#[derive(Default)]
struct Touched {
    items: BTreeSet<ItemId>,
    places: BTreeSet<(ItemId, AccountId)>,
    orders: Vec<Uuid>,
    admissions: Vec<Uuid>,
}

impl Touched {
    fn by(batch: &WriteBatch) -> Self {
        let mut touched = Self::default();
        for record in &batch.records {
            let draft = &record.draft;
            touched.orders.push(draft.order.0);
            let lines = draft.lines.iter().map(|line| line.item);
            for item in lines.chain(record.admitted().map(|(item, _)| item)) {
                touched.items.insert(item);
                touched.places.insert((item, draft.buyer));
            }
            touched
                .admissions
                .extend(record.admissions.iter().map(|admission| admission.id.0));
        }
        touched
    }
}

async fn seen<E: EntityTrait, Id: Eq + std::hash::Hash>(
    on: &impl ConnectionTrait,
    column: E::Column,
    ids: &[Uuid],
    id: fn(Uuid) -> Id,
) -> Result<std::collections::HashSet<Id>, DbErr> {
    let known = bulk::known::<E>(on, column, ids).await?;
    Ok(known.into_iter().map(id).collect())
}

async fn insert(on: &impl ConnectionTrait, decision: &BatchDecision) -> Result<(), Stop> {
    let mut receipts = HashMap::new();
    for (admission, order) in &decision.admissions {
        receipts.entry(*order).or_insert(admission.0);
    }
    let new = decision.orders.iter();
    let rows = new
        .map(|order| new_order_row(order, receipts.get(&order.id).copied()))
        .collect();
    bulk::insert::<orders::ActiveModel, _>(on, rows).await?;
    let rows = decision.orders.iter().flat_map(new_line_rows).collect();
    bulk::insert::<order_lines::ActiveModel, _>(on, rows).await?;
    let counted = decision.admissions.iter();
    let rows = counted.map(|(id, order)| admissions::Model {
        id: id.0,
        order_id: order.0,
    });
    bulk::insert::<admissions::ActiveModel, _>(on, rows.collect()).await?;
    records::insert_movements(on, &decision.movements).await?;
    outbox::insert(on, &decision.events).await
}

/// What the gate hears: every item that moved, with its buyers that did.
fn tellings(stock: &LockedStock, decision: &BatchDecision) -> Vec<Telling> {
    let mut buyers: BTreeMap<ItemId, Vec<AccountId>> = BTreeMap::new();
    for (item, buyer) in decision.buyers.keys() {
        buyers.entry(*item).or_default().push(*buyer);
    }
    let moved = decision.stock.keys();
    moved
        .filter_map(|item| stock.telling(*item, buyers.remove(item).unwrap_or_default()))
        .collect()
}
