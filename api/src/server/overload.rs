//! What a node does with requests while it has all it can take: it refuses them at the least cost,
//! and never at the cost of what it has taken.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::http::header::UPGRADE;
use tokio::time::Instant;

use crate::engine::Engine;

/// Where operations are asked for; everything else is answered however much there is to do.
pub(super) const GRAPHQL: &str = "/graphql";

/// Refuses, in the place of the routes.
pub(super) struct Overload {
    /// Has seats, or none.
    pub(super) engine: Engine,
    /// Answers whatever it is asked with the refusal.
    pub(super) refusing: Router,
}

impl Overload {
    /// Whether this request is refused. A socket that is opened has bounds of its own.
    pub(super) fn refuses<B>(&self, request: &Request<B>) -> bool {
        self.engine.is_full()
            && request.uri().path() == GRAPHQL
            && !request.headers().contains_key(UPGRADE)
    }
}

/// Refusals a second that a node gives without a thought: a few hundredths of one processor.
const FREE: u32 = 2_000;
/// As many at once as in this time.
const BURST: Duration = Duration::from_secs(1);
/// The longest that somebody who was refused waits before their next request is looked at: as long
/// as they were told not to come.
const LONGEST: Duration = Duration::from_secs(1);

/// Spaces refusals out. However many are turned away, and however soon they come again, refusing
/// them must not become all that a node does: past what is free, whoever is refused, and would be
/// again, is not looked at for a while on that connection. (It is the Generic Cell Rate Algorithm
/// in its virtual scheduling form, ITU-T I.371, with waiting in the place of loss.)
pub(super) struct Refusals {
    /// When all that was given so far would have been given at the free rate.
    even_at: Mutex<Instant>,
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self {
            even_at: Mutex::new(Instant::now()),
        }
    }

    /// Counts one; until when the connection that it is given on rests, if at all.
    pub(super) fn give(&self) -> Option<Instant> {
        let now = Instant::now();
        // Nothing panics while it holds the lock.
        let mut even_at = self.even_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (*even_at).max(now) + Duration::from_secs(1) / FREE;
        *even_at = next.min(now + BURST + LONGEST);
        Some(*even_at - BURST).filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn refusals_are_free_until_there_are_too_many() {
        let refusals = Refusals::new();
        let rest = || {
            let now = Instant::now();
            refusals.give().map(|until| until - now)
        };
        let step = Duration::from_micros(500);
        assert!((0..FREE).all(|_| rest().is_none()));
        assert_eq!(rest(), Some(step));
        let rests = (0..4 * FREE).map(|_| rest());
        assert_eq!(rests.max(), Some(Some(LONGEST)), "nobody waits longer");

        advance(LONGEST).await;
        assert_eq!(rest(), Some(step), "at the free rate it stays as it is");
        advance(BURST + LONGEST).await;
        assert!((0..FREE).all(|_| rest().is_none()));
    }
}
