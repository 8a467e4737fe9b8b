//! Letters: who gets one, and which went out.

use async_trait::async_trait;
use domain::ports::Letters;
use domain::{EventId, Fault, OrderId, Timestamp};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use super::Ledger;
use super::bulk::{self, MOST_IDS};
use super::entities::letters_sent::{ActiveModel, Column, Entity, Model};
use super::entities::{accounts, orders};
use super::fault::while_doing;
use super::many;
use super::rows::ms;

#[async_trait]
impl Letters for Ledger {
    async fn addressed(&self, ids: &[OrderId]) -> Result<Vec<OrderId>, Fault> {
        let found = addressed(&self.engine.reader, ids);
        while_doing("looking for whom to write to", found).await
    }

    async fn sent(&self, events: &[EventId]) -> Result<Vec<EventId>, Fault> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.0).collect();
        let known = bulk::known::<Entity>(&self.engine.reader, Column::EventId, &ids);
        let known = while_doing("reading which letters went out", known).await?;
        Ok(known.into_iter().map(EventId).collect())
    }

    async fn note_sent(&self, event: EventId, at: Timestamp) -> Result<(), Fault> {
        self.write("noting that a letter went out", |on| async move {
            if Entity::find_by_id(event.0).one(&on).await?.is_some() {
                return Ok(());
            }
            let row = Model {
                event_id: event.0,
                sent_at: ms(at),
            };
            bulk::insert::<ActiveModel, _>(&on, vec![row]).await
        })
        .await
    }
}

async fn addressed(on: &impl ConnectionTrait, ids: &[OrderId]) -> Result<Vec<OrderId>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(MOST_IDS) {
        let of = many::one_of(on, orders::Column::Id, chunk.iter().map(|id| id.0));
        let buyer = Expr::col((accounts::Entity, accounts::Column::Id))
            .equals((orders::Entity, orders::Column::BuyerId));
        let rehearsal = Expr::col((accounts::Entity, accounts::Column::Rehearsal));
        let select = Query::select()
            .column((orders::Entity, orders::Column::Id))
            .from(orders::Entity)
            .inner_join(accounts::Entity, buyer)
            .and_where(of)
            .and_where(rehearsal.eq(false))
            .take();
        for row in on.query_all(&select).await? {
            found.push(OrderId(row.try_get_by_index(0)?));
        }
    }
    Ok(found)
}
