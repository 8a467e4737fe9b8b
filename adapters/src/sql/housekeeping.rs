//! Forgetting, a bounded number of rows at a time.

use async_trait::async_trait;
use domain::ports::Housekeeping;
use domain::ports::housekeeping::Forgettable;
use domain::{Fault, Timestamp};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Ledger;
use super::entities::{ended_sessions, idempotency_keys, letters_sent, sessions, verifications};
use super::fault::while_doing;
use super::many::{self, Cell};
use super::rows::ms;

const LOOKING: &str = "looking for what can be forgotten";
const FORGETTING: &str = "forgetting what is over";

#[async_trait]
impl Housekeeping for Ledger {
    async fn forget(
        &self,
        what: Forgettable,
        before: Timestamp,
        most: usize,
    ) -> Result<usize, Fault> {
        match what {
            Forgettable::Letters => {
                use letters_sent::{Column, Entity};
                self.forget_rows::<Entity>(Column::EventId, Column::SentAt, before, most)
                    .await
            }
            Forgettable::Sessions => {
                use sessions::{Column, Entity};
                self.forget_rows::<Entity>(Column::Id, Column::ExpiresAt, before, most)
                    .await
            }
            Forgettable::EndedSessions => {
                use ended_sessions::{Column, Entity};
                self.forget_rows::<Entity>(Column::SessionId, Column::EndedAt, before, most)
                    .await
            }
            Forgettable::Verifications => {
                use verifications::{Column, Entity};
                self.forget_rows::<Entity>(Column::Id, Column::ExpiresAt, before, most)
                    .await
            }
            Forgettable::IdempotencyKeys => self.forget_keys(before, most).await,
        }
    }
}

impl Ledger {
    /// Deletes the oldest rows of a table by the id that is its primary key.
    async fn forget_rows<E: EntityTrait>(
        &self,
        id: E::Column,
        age: E::Column,
        before: Timestamp,
        most: usize,
    ) -> Result<usize, Fault> {
        let old = E::find()
            .select_only()
            .column(id)
            .filter(age.lt(ms(before)))
            .order_by_asc(age)
            .limit(most as u64)
            .into_tuple::<Uuid>();
        let old = while_doing(LOOKING, old.all(&self.engine.reader)).await?;
        let rows = old.into_iter().map(|id| vec![Cell::from(id)]).collect();
        self.forget_these::<E>(&[id], rows).await
    }

    async fn forget_keys(&self, before: Timestamp, most: usize) -> Result<usize, Fault> {
        use idempotency_keys::{Column, Entity};
        let key = [
            Column::RequesterId,
            Column::Mutation,
            Column::IdempotencyKey,
        ];
        let old = Entity::find()
            .select_only()
            .columns(key)
            .filter(Column::CreatedAt.lt(ms(before)))
            .order_by_asc(Column::CreatedAt)
            .limit(most as u64)
            .into_tuple::<(Uuid, String, Uuid)>();
        let old = while_doing(LOOKING, old.all(&self.engine.reader)).await?;
        let cells = |(requester, mutation, key): (Uuid, String, Uuid)| {
            vec![Cell::from(requester), Cell::from(mutation), Cell::from(key)]
        };
        let rows = old.into_iter().map(cells).collect();
        self.forget_these::<Entity>(&key, rows).await
    }

    async fn forget_these<E: EntityTrait>(
        &self,
        key: &[E::Column],
        rows: Vec<Vec<Cell>>,
    ) -> Result<usize, Fault> {
        if !rows.is_empty() {
            let rows = &rows;
            self.write(FORGETTING, |on| async move {
                Ok(many::delete::<E>(&on, key, rows).await?)
            })
            .await?;
        }
        Ok(rows.len())
    }
}
