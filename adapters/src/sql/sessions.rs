//! Sessions, and which of them ended before their time.

use async_trait::async_trait;
use domain::ports::Sessions;
use domain::session::{Ended, Ending, Session};
use domain::{AccountId, Fault, SessionId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Ledger;
use super::bulk;
use super::entities::{accounts, ended_sessions, sessions};
use super::fault::{Stop, while_doing};
use super::many::{self, Cell};
use super::rows::account::session_row;
use super::rows::ms;

#[async_trait]
impl Sessions for Ledger {
    async fn open_session(&self, session: &Session, password_hash: &str) -> Result<bool, Fault> {
        self.write("opening a session", |on| async move {
            // Locked: a change of the password that is under way ends this session too.
            let unchanged = accounts::Entity::find_by_id(session.account.0)
                .select_only()
                .column(accounts::Column::Id)
                .filter(accounts::Column::PasswordHash.eq(password_hash))
                .lock_exclusive()
                .into_tuple::<Uuid>();
            if unchanged.one(&on).await?.is_none() {
                return Ok(false);
            }
            bulk::insert::<sessions::ActiveModel, _>(&on, vec![session_row(session)]).await?;
            Ok(true)
        })
        .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, Fault> {
        while_doing("looking up a session", async {
            let row = sessions::Entity::find_by_id(id.0)
                .one(&self.engine.reader)
                .await?;
            Ok::<_, Stop>(row.map(Session::try_from).transpose()?)
        })
        .await
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        from: &str,
        to: &str,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, Fault> {
        self.write("rotating a session", |on| async move {
            let update = sessions::Entity::update_many()
                .col_expr(sessions::Column::RefreshDigest, Expr::value(to))
                .col_expr(sessions::Column::RefreshedAt, Expr::value(ms(at)))
                .col_expr(sessions::Column::ExpiresAt, Expr::value(ms(expires_at)))
                .filter(sessions::Column::Id.eq(id.0))
                .filter(sessions::Column::RefreshDigest.eq(from));
            Ok(update.exec(&on).await?.rows_affected == 1)
        })
        .await
    }

    async fn sessions_of(
        &self,
        account: AccountId,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<Session>, Fault> {
        while_doing("reading sessions", async {
            let rows = sessions::Entity::find()
                .filter(sessions::Column::AccountId.eq(account.0))
                .filter(sessions::Column::ExpiresAt.gt(ms(now)))
                .order_by_desc(sessions::Column::CreatedAt)
                .order_by_desc(sessions::Column::Id)
                .limit(most as u64)
                .all(&self.engine.reader)
                .await?;
            let sessions = rows.into_iter().map(Session::try_from);
            Ok::<_, Stop>(sessions.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn end_sessions(
        &self,
        account: AccountId,
        which: Ending,
        at: Timestamp,
    ) -> Result<usize, Fault> {
        self.write("ending sessions", |on| async move {
            end_sessions(&on, account, which, at).await
        })
        .await
    }

    async fn ended_since(&self, since: Timestamp) -> Result<Vec<Ended>, Fault> {
        while_doing("reading which sessions ended", async {
            let rows = ended_sessions::Entity::find()
                .filter(ended_sessions::Column::EndedAt.gte(ms(since)))
                .all(&self.engine.reader)
                .await?;
            let ended = rows.into_iter().map(Ended::try_from);
            Ok::<_, Stop>(ended.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Ends sessions of an account within a transaction; returns how many.
pub async fn end_sessions(
    on: &impl ConnectionTrait,
    account: AccountId,
    which: Ending,
    at: Timestamp,
) -> Result<usize, Stop> {
    let mut select = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .filter(sessions::Column::AccountId.eq(account.0));
    match which {
        Ending::One(session) => select = select.filter(sessions::Column::Id.eq(session.0)),
        Ending::AllBut(session) => select = select.filter(sessions::Column::Id.ne(session.0)),
        Ending::All => {}
    }
    let ids: Vec<Uuid> = select.lock_exclusive().into_tuple().all(on).await?;
    let notes = ids.iter().map(|id| ended_sessions::Model {
        session_id: *id,
        ended_at: ms(at),
    });
    bulk::insert::<ended_sessions::ActiveModel, _>(on, notes.collect()).await?;
    let rows: Vec<_> = ids.iter().map(|id| vec![Cell::from(*id)]).collect();
    many::delete::<sessions::Entity>(on, &[sessions::Column::Id], &rows).await?;
    Ok(ids.len())
}
