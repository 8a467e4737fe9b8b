//! Statements that are carried through, whoever still waits for the answer.
//!
//! A caller may be gone at any moment: a client hangs up, another field of the same query fails. The
//! drivers do not withstand that everywhere: a statement that is cut off before it was sent leaves
//! MySQL's connection waiting for an answer for good, and a BEGIN that is cut off leaves its
//! transaction open in the pool, where whoever comes next writes what nobody commits. So every
//! statement is a task of its own, which has the connection until its answer is read.

use std::panic::resume_unwind;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, Statement, TransactionOptions, TransactionTrait,
};
use tracing::Instrument;

/// What statements are sent to; its clones are the same connection.
pub struct Unbroken<C>(Arc<C>);

/// Connections of which every statement outside a transaction takes one.
pub type Pool = Unbroken<DatabaseConnection>;
/// One connection, until it is committed. What is dropped instead is taken back.
pub type Transaction = Unbroken<DatabaseTransaction>;

impl Pool {
    pub fn new(connections: DatabaseConnection) -> Self {
        Self(Arc::new(connections))
    }

    /// Begins a transaction.
    pub async fn begin(&self, options: TransactionOptions) -> Result<Transaction, DbErr> {
        let pool = self.0.clone();
        let begun = carried_through(async move { pool.begin_with_options(options).await });
        Ok(Unbroken(Arc::new(begun.await?)))
    }

    /// The driver's own, for those who are never cut off: migrations.
    pub fn driver(&self) -> &DatabaseConnection {
        &self.0
    }

    /// Ends all connections.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.0.close_by_ref().await
    }
}

impl Transaction {
    /// Makes what was done stay. A transaction that somebody else still works in is taken back once
    /// they are done with it.
    pub async fn commit(self) -> Result<(), DbErr> {
        let transaction = Arc::into_inner(self.0)
            .ok_or_else(|| DbErr::Type("work goes on after its commit".to_owned()))?;
        carried_through(transaction.commit()).await
    }
}

impl<C> Clone for Unbroken<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + 'static> ConnectionTrait for Unbroken<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let on = self.0.clone();
        carried_through(async move { on.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (on, sql) = (self.0.clone(), sql.to_owned());
        carried_through(async move { on.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let on = self.0.clone();
        carried_through(async move { on.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let on = self.0.clone();
        carried_through(async move { on.query_all_raw(statement).await }).await
    }

    fn support_returning(&self) -> bool {
        self.0.support_returning()
    }
}

async fn carried_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
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
