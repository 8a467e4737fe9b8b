//! Statements that are carried through, whoever still waits for the answer.
//!
//! A caller may be gone at any moment: a client hangs up, another field of the same query fails. The
//! drivers do not withstand that everywhere: a statement that is cut off before it was sent leaves
//! MySQL's connection waiting for an answer for good, and a BEGIN that is cut off leaves its
//! transaction open in the pool, where whoever comes next writes what nobody commits. So every
//! statement is a task of its own, which has the connection until its answer is read, or until the
//! server is silent.

use std::panic::resume_unwind;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, Statement, TransactionOptions, TransactionTrait,
};
use tracing::Instrument;

use super::pool::{Lent, Pool};

/// What statements are sent to; its clones are the same connection.
pub struct Unbroken<C> {
    on: Arc<C>,
    lent: Lent,
}

/// One connection, until it is committed. What is dropped instead is taken back.
pub type Transaction = Unbroken<DatabaseTransaction>;

impl Pool {
    /// Begins a transaction.
    pub async fn begin(&self, options: TransactionOptions) -> Result<Transaction, DbErr> {
        let Unbroken { on, lent } = self.statement();
        let begin = async move { on.begin_with_options(options).await };
        let on = Arc::new(carried_through(&lent, begin).await?);
        Ok(Unbroken { on, lent })
    }

    /// Where the next statement goes.
    fn statement(&self) -> Unbroken<DatabaseConnection> {
        let lent = self.lend();
        let on = lent.driver().clone();
        Unbroken { on, lent }
    }
}

impl Transaction {
    /// Makes what was done stay. A transaction that somebody else still works in is taken back once
    /// they are done with it.
    pub async fn commit(self) -> Result<(), DbErr> {
        let transaction = Arc::into_inner(self.on)
            .ok_or_else(|| DbErr::Type("work goes on after its commit".to_owned()))?;
        carried_through(&self.lent, transaction.commit()).await
    }
}

impl<C> Clone for Unbroken<C> {
    fn clone(&self) -> Self {
        Self {
            on: self.on.clone(),
            lent: self.lent.clone(),
        }
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + 'static> ConnectionTrait for Unbroken<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.on.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let on = self.on.clone();
        let work = async move { on.execute_raw(statement).await };
        carried_through(&self.lent, work).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (on, sql) = (self.on.clone(), sql.to_owned());
        let work = async move { on.execute_unprepared(&sql).await };
        carried_through(&self.lent, work).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let on = self.on.clone();
        let work = async move { on.query_one_raw(statement).await };
        carried_through(&self.lent, work).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let on = self.on.clone();
        let work = async move { on.query_all_raw(statement).await };
        carried_through(&self.lent, work).await
    }

    fn support_returning(&self) -> bool {
        self.on.support_returning()
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.driver().get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.statement().execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.statement().execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.statement().query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.statement().query_all_raw(statement).await
    }

    fn support_returning(&self) -> bool {
        self.driver().support_returning()
    }
}

async fn carried_through<T: Send + 'static>(
    over: &Lent,
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    let over = over.clone();
    let work = async move { over.in_time(work).await };
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(DbErr::Conn(RuntimeErr::Internal(
                "the process ends".to_owned(),
            ))),
        },
    }
}
