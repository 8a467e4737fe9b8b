//! Proofs of addresses.

use async_trait::async_trait;
use domain::account::Email;
use domain::event::Event;
use domain::ports::Verifications;
use domain::verification::{Purpose, Verification};
use domain::{AccountId, Fault, Timestamp, VerificationId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entities::verifications::{ActiveModel, Column, Entity};
use super::fault::{Stop, while_doing};
use super::rows::account::{email_index, verification, verification_row};
use super::rows::ms;
use super::{Ledger, bulk, outbox};
use crate::words::Word;

#[async_trait]
impl Verifications for Ledger {
    async fn add_verifications(&self, added: &[(Verification, Event)]) -> Result<(), Fault> {
        self.write("adding verifications", |on| async move {
            let rows = added
                .iter()
                .map(|(added, _)| verification_row(&self.vault, added));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            bulk::insert::<ActiveModel, _>(&on, rows).await?;
            outbox::insert_here(&on, added.iter().map(|(_, event)| event)).await
        })
        .await?;
        self.events.notify_one();
        Ok(())
    }

    async fn verification(&self, id: VerificationId) -> Result<Option<Verification>, Fault> {
        while_doing("reading a verification", async {
            let row = Entity::find_by_id(id.0).one(&self.engine.reader).await?;
            Ok::<_, Stop>(row.map(|row| verification(&self.vault, row)).transpose()?)
        })
        .await
    }

    async fn newest_verification(
        &self,
        email: &Email,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Fault> {
        let index = email_index(&self.vault, email);
        self.newest(Column::EmailIndex.eq(index), purpose).await
    }

    async fn newest_verification_of(
        &self,
        account: AccountId,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Fault> {
        self.newest(Column::AccountId.eq(account.0), purpose).await
    }

    async fn set_code(&self, id: VerificationId, digest: &str) -> Result<(), Fault> {
        self.write("setting a code", |on| async move {
            let update = open(id).col_expr(Column::CodeDigest, Expr::value(digest));
            update.exec(&on).await?;
            Ok(())
        })
        .await
    }

    async fn count_wrong_code(&self, id: VerificationId) -> Result<(), Fault> {
        self.write("counting a wrong code", |on| async move {
            let update = Entity::update_many()
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .filter(Column::Id.eq(id.0));
            update.exec(&on).await?;
            Ok(())
        })
        .await
    }

    async fn use_verification(&self, id: VerificationId, at: Timestamp) -> Result<bool, Fault> {
        self.write("using a verification", |on| async move {
            if !are_unused(&on, &[id]).await? {
                return Ok(false);
            }
            use_up(&on, &[id], at).await?;
            Ok(true)
        })
        .await
    }
}

impl Ledger {
    async fn newest(&self, of: Expr, purpose: Purpose) -> Result<Option<Verification>, Fault> {
        // Those from before there were several purposes are for signing up.
        let mut purposes = Condition::any().add(Column::Purpose.eq(purpose.word()));
        if purpose == Purpose::SignUp {
            purposes = purposes.add(Column::Purpose.is_null());
        }
        while_doing("reading a verification", async {
            let row = Entity::find()
                .filter(of)
                .filter(purposes)
                .order_by_desc(Column::RequestedAt)
                .order_by_desc(Column::Id)
                .limit(1)
                .one(&self.engine.reader)
                .await?;
            Ok::<_, Stop>(row.map(|row| verification(&self.vault, row)).transpose()?)
        })
        .await
    }
}

/// Whether none of these was used; locks them within a transaction.
pub async fn are_unused(on: &impl ConnectionTrait, ids: &[VerificationId]) -> Result<bool, DbErr> {
    let unused = Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(Column::UsedAt.is_null())
        .lock_exclusive();
    Ok(unused.all(on).await?.len() == ids.len())
}

/// Uses verifications up that are locked.
pub async fn use_up(
    on: &impl ConnectionTrait,
    ids: &[VerificationId],
    at: Timestamp,
) -> Result<(), Stop> {
    let update = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(ms(at)))
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)));
    let used = update.exec(on).await?.rows_affected;
    bulk::exactly("using verifications", ids.len() as u64, used)
}

/// An update of a verification that is not used.
fn open(id: VerificationId) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Id.eq(id.0))
        .filter(Column::UsedAt.is_null())
}
