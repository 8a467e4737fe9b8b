//! Events that were committed and are on their way to the log.

use async_trait::async_trait;
use domain::Fault;
use domain::event::Event;
use domain::ports::Outbox;
use domain::ports::outbox::OutboxId;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::Ledger;
use super::bulk::{self, MOST_IDS};
use super::entities::outbox::{ActiveModel, Column, Entity};
use super::fault::{Stop, while_doing};
use crate::wire;

/// Puts events into the outbox, in their order.
pub async fn insert<'a>(
    on: &impl ConnectionTrait,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Stop> {
    let rows = events.into_iter().map(|event| {
        let payload = wire::event::encode(event)
            .map_err(|error| Fault::corrupt("writing down an event", error))?;
        Ok(ActiveModel {
            id: ActiveValue::NotSet,
            record_key: ActiveValue::Set(event.key()),
            payload: ActiveValue::Set(payload),
        })
    });
    let rows = rows.collect::<Result<Vec<_>, Fault>>()?;
    bulk::insert::<ActiveModel, _>(on, rows).await
}

#[async_trait]
impl Outbox for Ledger {
    async fn pending(&self, most: usize) -> Result<Vec<(OutboxId, Event)>, Fault> {
        let doing = "reading the outbox";
        let select = Entity::find().order_by_asc(Column::Id).limit(most as u64);
        let rows = while_doing(doing, select.all(&self.engine.reader)).await?;
        let events = rows.into_iter().map(|row| {
            let event = wire::event::decode(row.payload.as_bytes());
            let event = event.map_err(|error| {
                Fault::corrupt(doing, format!("outbox.payload of {}: {error}", row.id))
            })?;
            Ok((OutboxId(row.id), event))
        });
        events.collect()
    }

    async fn remove(&self, ids: &[OutboxId]) -> Result<(), Fault> {
        self.write("emptying the outbox", |on| async move {
            for chunk in ids.chunks(MOST_IDS) {
                let gone = Column::Id.is_in(chunk.iter().map(|id| id.0));
                Entity::delete_many().filter(gone).exec(&*on).await?;
            }
            Ok(())
        })
        .await
    }

    async fn length(&self) -> Result<u64, Fault> {
        while_doing(
            "counting the outbox",
            Entity::find().count(&self.engine.reader),
        )
        .await
    }

    async fn wait(&self, most_ms: u64) {
        tokio::select! {
            () = self.events.notified() => {}
            () = self.timer.sleep_ms(most_ms) => {}
        }
    }
}
