//! Which sessions ended while their access tokens may still be shown.
//!
//! An access token says for itself that it is good, so a node has to be told when it no longer is:
//! it reads from the ledger which sessions ended, over and over, and forgets each when its last token
//! is over. While the ledger is away nobody can end a session either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use chrono::TimeDelta;
use domain::ports::{Clock, Sessions};
use domain::session::Ended;
use domain::{Fault, SessionId, Timestamp};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two looks for sessions that ended.
const PERIOD: Duration = Duration::from_millis(500);
/// How far back each look goes, for commits that took their time and processes whose clocks differ.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// The sessions that ended, as this node knows them. Cheap to clone.
#[derive(Clone)]
pub struct EndedSessions(Arc<Inner>);

struct Inner {
    /// How long an access token is good at most.
    access: TimeDelta,
    /// Until when the end has to be known.
    ended: RwLock<HashMap<SessionId, Timestamp>>,
    watched: Mutex<HashMap<SessionId, Watched>>,
}

/// Whoever has to know at once when a session ends.
#[derive(Default)]
struct Watched {
    watchers: usize,
    over: CancellationToken,
}

impl EndedSessions {
    /// For access tokens that are good for so long at most. Knows of no end before
    /// [`load`](Self::load).
    #[must_use]
    pub fn new(access: TimeDelta) -> Self {
        Self(Arc::new(Inner {
            access,
            ended: RwLock::default(),
            watched: Mutex::default(),
        }))
    }

    /// Whether a session ended before its time.
    #[must_use]
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.ended().contains_key(&session)
    }

    /// Says when a session ends, for as long as it is held.
    #[must_use]
    pub fn watch(&self, session: SessionId) -> SessionWatch {
        let over = {
            let mut watched = self.0.watched();
            let entry = watched.entry(session).or_default();
            entry.watchers += 1;
            entry.over.clone()
        };
        // After it is in the list: an end that was noted before would not be told again.
        if self.contains(session) {
            over.cancel();
        }
        SessionWatch {
            sessions: self.clone(),
            session,
            over,
        }
    }

    /// Reads every end that still matters, before the first request is served.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn load(&self, sessions: &dyn Sessions, now: Timestamp) -> Result<(), Fault> {
        let since = now - self.0.access - OVERLAP;
        self.note(&sessions.ended_since(since).await?, now);
        Ok(())
    }

    /// Keeps up with what ends, by this clock, until `stop`.
    pub async fn follow(
        &self,
        sessions: &dyn Sessions,
        clock: &dyn Clock,
        stop: &CancellationToken,
    ) {
        let mut since = clock.now();
        let mut is_away = false;
        while stop.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            let now = clock.now();
            match sessions.ended_since(since - OVERLAP).await {
                Ok(ended) => {
                    self.note(&ended, now);
                    since = now;
                    is_away = false;
                }
                Err(fault) => {
                    if !is_away {
                        tracing::warn!(detail = %fault.detail(), "nobody is told of sessions that end");
                    }
                    is_away = true;
                }
            }
        }
    }

    fn note(&self, ended: &[Ended], now: Timestamp) {
        let is_settled = {
            let known = self.0.ended();
            ended.iter().all(|end| known.contains_key(&end.session))
                && known.values().all(|until| now < *until)
        };
        if is_settled {
            return;
        }
        let until = |at: Timestamp| at + self.0.access + OVERLAP;
        {
            // As in `Inner::ended`.
            let mut known = self.0.ended.write().unwrap_or_else(PoisonError::into_inner);
            known.extend(ended.iter().map(|end| (end.session, until(end.at))));
            known.retain(|_, until| now < *until);
        }
        let watched = self.0.watched();
        for end in ended {
            if let Some(watched) = watched.get(&end.session) {
                watched.over.cancel();
            }
        }
    }
}

impl Inner {
    fn ended(&self) -> RwLockReadGuard<'_, HashMap<SessionId, Timestamp>> {
        // Nothing panics while it holds the lock, and the map is whole at any moment.
        self.ended.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<SessionId, Watched>> {
        // The same.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that somebody keeps an eye on.
pub struct SessionWatch {
    sessions: EndedSessions,
    session: SessionId,
    over: CancellationToken,
}

impl SessionWatch {
    /// Returns when the session is over.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        let mut watched = self.sessions.0.watched();
        if let Some(entry) = watched.get_mut(&self.session) {
            entry.watchers -= 1;
            if entry.watchers == 0 {
                watched.remove(&self.session);
            }
        }
    }
}
