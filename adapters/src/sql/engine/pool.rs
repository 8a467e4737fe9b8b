//! The ledger's connections, and others in their place once a server does not answer.
//!
//! A server that is gone without a word (a host without power, a network that drops what it is sent)
//! lets everybody wait until TCP gives up, after a quarter of an hour. So nobody waits longer than
//! any answer may take. What is stuck by then can't be told from what is not: the driver sends a
//! connection that it gets back a ping, and waits for that as well, without end. So the whole pool
//! is given up, and nobody gets any of its connections again; each ends when whoever has it does.
//! All of them may be stuck in that ping: then nobody gets one, and nobody got an answer either.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use tokio::time::{Instant, timeout};

/// Connections of which every statement outside a transaction takes one; its clones are the same.
#[derive(Clone)]
pub struct Pool {
    current: Arc<RwLock<Connections>>,
    limit: Option<Arc<Limit>>,
}

#[derive(Clone)]
struct Connections {
    driver: Arc<DatabaseConnection>,
    /// When the last answer came over any of them; at first, when they were made.
    answered: Arc<Mutex<Instant>>,
}

/// When a server is silent, and where it is.
struct Limit {
    longest: Duration,
    /// Of connections that are only opened when they are needed.
    options: ConnectOptions,
}

/// The connections that some work is done over.
#[derive(Clone)]
pub struct Lent {
    pool: Pool,
    connections: Connections,
}

impl Connections {
    async fn new(options: ConnectOptions) -> Result<Self, DbErr> {
        Ok(Self {
            driver: Arc::new(Database::connect(options).await?),
            answered: Arc::new(Mutex::new(Instant::now())),
        })
    }

    fn answered(&self) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long no answer came.
    fn silent_for(&self) -> Duration {
        let answered = self.answered.lock();
        answered.unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Pool {
    /// Connections to a file, which always answers.
    pub async fn to_file(options: ConnectOptions) -> Result<Self, DbErr> {
        Ok(Self {
            current: Arc::new(RwLock::new(Connections::new(options).await?)),
            limit: None,
        })
    }

    /// Connections to a server, which answers within the `longest` time unless it is silent.
    pub async fn to_server(mut options: ConnectOptions, longest: Duration) -> Result<Self, DbErr> {
        let connections = Connections::new(options.clone()).await?;
        options.connect_lazy(true);
        Ok(Self {
            current: Arc::new(RwLock::new(connections)),
            limit: Some(Arc::new(Limit { longest, options })),
        })
    }

    /// The driver's own, for those who are never cut off: migrations.
    pub fn driver(&self) -> Arc<DatabaseConnection> {
        self.current().driver
    }

    fn current(&self) -> Connections {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a statement or a transaction is done over.
    pub fn lend(&self) -> Lent {
        Lent {
            pool: self.clone(),
            connections: self.current(),
        }
    }

    /// Ends all connections. A server that is silent learns it by itself.
    pub async fn close(&self) -> Result<(), DbErr> {
        let connections = self.driver();
        let closing = connections.close_by_ref();
        match &self.limit {
            Some(limit) => timeout(limit.longest, closing).await.unwrap_or(Ok(())),
            None => closing.await,
        }
    }

    /// Puts others in the place of these connections, unless somebody has done so.
    async fn give_up(&self, silent: &Connections, limit: &Limit) -> Result<(), DbErr> {
        // Sends nothing.
        let others = Connections::new(limit.options.clone()).await?;
        let ended = silent.driver.clone();
        let mut closing = Box::pin(async move { ended.close_by_ref().await });
        {
            let current = self.current.write();
            let mut current = current.unwrap_or_else(PoisonError::into_inner);
            if !Arc::ptr_eq(&current.driver, &silent.driver) {
                return Ok(());
            }
            *current = others;
            // Its first step is that nobody gets any of them; the rest waits for who has one.
            if closing.as_mut().now_or_never().is_some() {
                return Ok(());
            }
        }
        tracing::warn!("the ledger's server did not answer in time: its connections are given up");
        tokio::spawn(closing);
        Ok(())
    }
}

impl Lent {
    pub fn driver(&self) -> &Arc<DatabaseConnection> {
        &self.connections.driver
    }

    /// What becomes of `work` over these connections, as long as the server may take for it.
    pub async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let Some(limit) = &self.pool.limit else {
            return work.await;
        };
        let mut work = pin!(work);
        let Ok(done) = timeout(limit.longest, work.as_mut()).await else {
            // Before the work lets its connection go, which somebody else could get otherwise with
            // half a statement in it.
            self.pool.give_up(&self.connections, limit).await?;
            let problem = "the server did not answer in time".to_owned();
            return Err(DbErr::Conn(RuntimeErr::Internal(problem)));
        };
        if !matches!(done, Err(DbErr::ConnectionAcquire(_))) {
            self.connections.answered();
        } else if self.connections.silent_for() > limit.longest {
            self.pool.give_up(&self.connections, limit).await?;
        }
        done
    }
}
