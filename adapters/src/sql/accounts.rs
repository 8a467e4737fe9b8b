//! Accounts.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::account::{Account, Email, ProfileChange, Role};
use domain::act::Act;
use domain::event::Event;
use domain::ports::Accounts;
use domain::ports::accounts::{Changed, Deleted, PasswordChange};
use domain::session::Ending;
use domain::{AccountId, Fault, Timestamp, VerificationId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::Ledger;
use super::bulk::{self, MOST_IDS, exactly};
use super::entities::{accounts, sessions, verifications};
use super::erasure::erase;
use super::fault::{Stop, while_doing};
use super::outbox;
use super::records;
use super::rows::account::{
    account, account_row, email_index, has_second_factor, sealed_email, sealed_profile,
};
use super::rows::ms;
use super::sessions::end_sessions;
use super::verifications::{are_unused, use_up};
use crate::words::Word;

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
    ) -> Result<Changed, Fault> {
        self.write("adding an account", |on| async move {
            if !are_unused(&on, &[verification]).await? {
                return Ok(Changed::TooLate);
            }
            let new = std::slice::from_ref(account);
            if !self.insert_accounts(&on, new).await? {
                return Ok(Changed::EmailTaken);
            }
            use_up(&on, &[verification], at).await?;
            Ok(Changed::Done)
        })
        .await
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Changed, Fault> {
        let at = change.event.at;
        let changed = self.write("changing a password", |on| async move {
            use accounts::Column::{Id, PasswordHash};
            let present = accounts::Entity::find_by_id(change.account.0)
                .filter(PasswordHash.eq(change.from.as_str()))
                .lock_exclusive();
            let proof = change.proof.as_slice();
            if present.one(&on).await?.is_none() || !are_unused(&on, proof).await? {
                return Ok(Changed::TooLate);
            }
            use_up(&on, proof, at).await?;
            accounts::Entity::update_many()
                .col_expr(PasswordHash, Expr::value(change.to.as_str()))
                .filter(Id.eq(change.account.0))
                .exec(&on)
                .await?;
            end_sessions(&on, change.account, Ending::All, at).await?;
            // A sign-in that began with the old password.
            verifications::Entity::update_many()
                .col_expr(verifications::Column::UsedAt, Expr::value(ms(at)))
                .filter(verifications::Column::AccountId.eq(change.account.0))
                .filter(verifications::Column::UsedAt.is_null())
                .exec(&on)
                .await?;
            outbox::insert_here(&on, [&change.event]).await?;
            Ok(Changed::Done)
        });
        let changed = changed.await?;
        self.events.notify_one();
        Ok(changed)
    }

    async fn change_email(
        &self,
        account: AccountId,
        to: &Email,
        proofs: [VerificationId; 2],
        at: Timestamp,
    ) -> Result<Changed, Fault> {
        self.write("changing an address", |on| async move {
            let index = email_index(&self.vault, to);
            if is_taken(&on, [index.clone()]).await? {
                return Ok(Changed::EmailTaken);
            }
            let present = accounts::Entity::find_by_id(account.0).lock_exclusive();
            if present.one(&on).await?.is_none() || !are_unused(&on, &proofs).await? {
                return Ok(Changed::TooLate);
            }
            use_up(&on, &proofs, at).await?;
            let sealed = sealed_email(&self.vault, account, to)?;
            let update = accounts::Entity::update_many()
                .col_expr(accounts::Column::Email, Expr::value(sealed))
                .col_expr(accounts::Column::EmailIndex, Expr::value(index))
                .filter(accounts::Column::Id.eq(account.0));
            let moved = update.exec(&on).await?.rows_affected;
            exactly("changing an address", 1, moved)?;
            Ok(Changed::Done)
        })
        .await
    }

    async fn update_profile(
        &self,
        account: AccountId,
        change: ProfileChange,
    ) -> Result<Option<Account>, Fault> {
        self.write("changing a profile", |on| {
            let change = change.clone();
            async move {
                use accounts::Column::{Address, Id, Language, Name, Phone};
                let locked = accounts::Entity::find_by_id(account.0).lock_exclusive();
                let Some(row) = locked.one(&on).await? else {
                    return Ok(None);
                };
                let mut account = self::account(&self.vault, row)?;
                change.apply_to(&mut account);
                let sealed = sealed_profile(&self.vault, account.id, &account.profile)?;
                let update = accounts::Entity::update_many()
                    .col_expr(Name, Expr::value(sealed.name))
                    .col_expr(Phone, Expr::value(sealed.phone))
                    .col_expr(Address, Expr::value(sealed.address))
                    .col_expr(Language, Expr::value(account.language.word()))
                    .filter(Id.eq(account.id.0));
                update.exec(&on).await?;
                Ok(Some(account))
            }
        })
        .await
    }

    async fn set_second_factor(
        &self,
        account: AccountId,
        on_or_off: bool,
        event: &Event,
    ) -> Result<bool, Fault> {
        let set = self.write("setting the second factor", |on| async move {
            let locked = accounts::Entity::find_by_id(account.0).lock_exclusive();
            let Some(row) = locked.one(&on).await? else {
                return Ok(false);
            };
            if has_second_factor(&row) != on_or_off {
                let update = accounts::Entity::update_many()
                    .col_expr(accounts::Column::SecondFactor, Expr::value(on_or_off))
                    .filter(accounts::Column::Id.eq(account.0));
                update.exec(&on).await?;
                outbox::insert_here(&on, [event]).await?;
            }
            Ok(true)
        });
        let is_there = set.await?;
        self.events.notify_one();
        Ok(is_there)
    }

    async fn delete_account(&self, account: AccountId, at: Timestamp) -> Result<Deleted, Fault> {
        self.write("deleting an account", |on| async move {
            let locked = accounts::Entity::find_by_id(account.0).lock_exclusive();
            match locked.one(&on).await? {
                Some(row) => erase(&on, account, row.email_index, at).await,
                None => Ok(Deleted::Gone),
            }
        })
        .await
    }

    async fn replace_password_hash(
        &self,
        id: AccountId,
        from: &str,
        to: &str,
    ) -> Result<bool, Fault> {
        self.write("replacing the hash of a password", |on| async move {
            let update = accounts::Entity::update_many()
                .col_expr(accounts::Column::PasswordHash, Expr::value(to))
                .filter(accounts::Column::Id.eq(id.0))
                .filter(accounts::Column::PasswordHash.eq(from));
            Ok(update.exec(&on).await?.rows_affected == 1)
        })
        .await
    }

    async fn change_role(
        &self,
        id: AccountId,
        from: Role,
        to: Role,
        act: &Act,
    ) -> Result<bool, Fault> {
        self.write("changing a role", |on| async move {
            let update = accounts::Entity::update_many()
                .col_expr(accounts::Column::Role, Expr::value(to.word()))
                .filter(accounts::Column::Id.eq(id.0))
                .filter(accounts::Column::Role.eq(from.word()));
            let is_changed = update.exec(&on).await?.rows_affected == 1;
            if is_changed {
                records::insert_acts(&on, std::iter::once(act)).await?;
            }
            if is_changed && to < from {
                // Their tokens say more than they may do now.
                end_sessions(&on, id, Ending::All, act.at).await?;
            }
            Ok(is_changed)
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
            if is_taken(on, indexes).await? {
                return Ok(false);
            }
        }
        bulk::insert::<accounts::ActiveModel, _>(on, rows).await?;
        Ok(true)
    }
}

/// Whether one of these addresses has an account.
async fn is_taken(
    on: &impl ConnectionTrait,
    indexes: impl IntoIterator<Item = Vec<u8>>,
) -> Result<bool, DbErr> {
    let taken = accounts::Entity::find()
        .select_only()
        .column(accounts::Column::Id)
        .filter(accounts::Column::EmailIndex.is_in(indexes))
        .into_tuple::<Uuid>();
    Ok(taken.one(on).await?.is_some())
}
