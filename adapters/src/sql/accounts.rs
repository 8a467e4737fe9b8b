//! Accounts, and proofs of addresses.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::account::{Account, Email, Verification};
use domain::event::Event;
use domain::ports::Accounts;
use domain::ports::accounts::SignedUp;
use domain::{AccountId, Fault, Timestamp, VerificationId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::Ledger;
use super::bulk::{self, MOST_IDS, exactly};
use super::entities::{accounts, sessions, verifications};
use super::fault::{Stop, while_doing};
use super::outbox;
use super::rows::account::{account, account_row, email_index, verification, verification_row};
use super::rows::ms;

#[async_trait]
impl Accounts for Ledger {
    async fn account(&self, id: AccountId) -> Result<Option<Account>, Fault> {
        Ok(self.accounts(&[id]).await?.pop())
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, Fault> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        while_doing("reading accounts", async {
            let select = accounts::Entity::find();
            let rows =
                bulk::rows_of(&self.engine.reader, select, accounts::Column::Id, &ids).await?;
            let opened = rows.into_iter().map(|row| account(&self.vault, row));
            Ok::<_, Stop>(opened.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Account>, Fault> {
        let index = email_index(&self.vault, email);
        while_doing("looking up an address", async {
            let select = accounts::Entity::find();
            let select = select.filter(accounts::Column::EmailIndex.eq(index.clone()));
            let row = select.one(&self.engine.reader).await?;
            Ok::<_, Stop>(row.map(|row| account(&self.vault, row)).transpose()?)
        })
        .await
    }

    async fn create(&self, accounts: &[Account]) -> Result<bool, Fault> {
        self.write("adding accounts", |on| async move {
            self.insert_accounts(&on, accounts).await
        })
        .await
    }

    async fn sign_up(
        &self,
        account: &Account,
        verification: VerificationId,
        at: Timestamp,
    ) -> Result<SignedUp, Fault> {
        self.write("adding an account", |on| async move {
            if is_used(&on, verification).await? {
                return Ok(SignedUp::Used);
            }
            if !self
                .insert_accounts(&on, std::slice::from_ref(account))
                .await?
            {
                return Ok(SignedUp::EmailTaken);
            }
            let update = open_verification(verification)
                .col_expr(verifications::Column::UsedAt, Expr::value(ms(at)));
            exactly(
                "using a verification",
                1,
                update.exec(&on).await?.rows_affected,
            )?;
            Ok(SignedUp::Done)
        })
        .await
    }

    async fn add_verification(
        &self,
        verification: &Verification,
        event: &Event,
    ) -> Result<(), Fault> {
        self.write("adding a verification", |on| async move {
            let row = verification_row(&self.vault, verification)?;
            bulk::insert::<verifications::ActiveModel, _>(&on, vec![row]).await?;
            outbox::insert_here(&on, [event]).await
        })
        .await?;
        self.events.notify_one();
        Ok(())
    }

    async fn verification(&self, id: VerificationId) -> Result<Option<Verification>, Fault> {
        while_doing("reading a verification", async {
            let row = verifications::Entity::find_by_id(id.0)
                .one(&self.engine.reader)
                .await?;
            Ok::<_, Stop>(row.map(|row| verification(&self.vault, row)).transpose()?)
        })
        .await
    }

    async fn newest_verification(&self, email: &Email) -> Result<Option<Verification>, Fault> {
        let index = email_index(&self.vault, email);
        while_doing("reading a verification", async {
            let row = verifications::Entity::find()
                .filter(verifications::Column::EmailIndex.eq(index.clone()))
                .order_by_desc(verifications::Column::RequestedAt)
                .order_by_desc(verifications::Column::Id)
                .one(&self.engine.reader)
                .await?;
            Ok::<_, Stop>(row.map(|row| verification(&self.vault, row)).transpose()?)
        })
        .await
    }

    async fn set_code(&self, id: VerificationId, digest: &str) -> Result<(), Fault> {
        self.write("setting a code", |on| async move {
            let update = open_verification(id)
                .col_expr(verifications::Column::CodeDigest, Expr::value(digest));
            update.exec(&on).await?;
            Ok(())
        })
        .await
    }

    async fn count_wrong_code(&self, id: VerificationId) -> Result<(), Fault> {
        use verifications::Column::Attempts;
        self.write("counting a wrong code", |on| async move {
            let update = verifications::Entity::update_many()
                .col_expr(Attempts, Expr::col(Attempts).add(1))
                .filter(verifications::Column::Id.eq(id.0));
            update.exec(&on).await?;
            Ok(())
        })
        .await
    }

    async fn rehearsal_buyers(&self, most: usize) -> Result<Vec<AccountId>, Fault> {
        let select = accounts::Entity::find()
            .select_only()
            .column(accounts::Column::Id)
            .filter(accounts::Column::Rehearsal.eq(true))
            .order_by_asc(accounts::Column::Id)
            .limit(most as u64)
            .into_tuple::<Uuid>();
        let ids = while_doing("reading rehearsal buyers", select.all(&self.engine.reader)).await?;
        Ok(ids.into_iter().map(AccountId).collect())
    }

    async fn remove_rehearsal_buyers(&self) -> Result<u64, Fault> {
        self.write("removing rehearsal buyers", |on| async move {
            let theirs = sea_orm::sea_query::Query::select()
                .column(accounts::Column::Id)
                .from(accounts::Entity)
                .and_where(accounts::Column::Rehearsal.eq(true))
                .take();
            sessions::Entity::delete_many()
                .filter(sessions::Column::AccountId.in_subquery(theirs))
                .exec(&on)
                .await?;
            let gone = accounts::Entity::delete_many()
                .filter(accounts::Column::Rehearsal.eq(true))
                .exec(&on)
                .await?;
            Ok(gone.rows_affected)
        })
        .await
    }

    async fn is_empty(&self) -> Result<bool, Fault> {
        let any = accounts::Entity::find()
            .select_only()
            .column(accounts::Column::Id);
        let any = any.into_tuple::<Uuid>().one(&self.engine.reader);
        Ok(while_doing("looking for accounts", any).await?.is_none())
    }
}

impl Ledger {
    /// Inserts accounts; `false`, and nothing inserted, when an address is taken.
    async fn insert_accounts(
        &self,
        on: &impl ConnectionTrait,
        accounts: &[Account],
    ) -> Result<bool, Stop> {
        let rows = accounts
            .iter()
            .map(|account| account_row(&self.vault, account));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let mut new = HashSet::with_capacity(rows.len());
        if !rows
            .iter()
            .all(|row| new.insert(row.email_index.as_slice()))
        {
            return Ok(false);
        }
        for chunk in rows.chunks(MOST_IDS) {
            let indexes = chunk.iter().map(|row| row.email_index.clone());
            let taken = accounts::Entity::find()
                .select_only()
                .column(accounts::Column::Id)
                .filter(accounts::Column::EmailIndex.is_in(indexes))
                .into_tuple::<Uuid>();
            if taken.one(on).await?.is_some() {
                return Ok(false);
            }
        }
        bulk::insert::<accounts::ActiveModel, _>(on, rows).await?;
        Ok(true)
    }
}

async fn is_used(on: &impl ConnectionTrait, id: VerificationId) -> Result<bool, DbErr> {
    let row = verifications::Entity::find_by_id(id.0)
        .lock_exclusive()
        .one(on)
        .await?;
    Ok(row.is_none_or(|row| row.used_at.is_some()))
}

/// An update of a verification that is not used.
fn open_verification(id: VerificationId) -> sea_orm::UpdateMany<verifications::Entity> {
    verifications::Entity::update_many()
        .filter(verifications::Column::Id.eq(id.0))
        .filter(verifications::Column::UsedAt.is_null())
}
