//! One loader an item: whoever comes second waits for a wake-up, never in a loop.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::ports::Clock;
use domain::ports::gate::{LoadToken, Loading};
use domain::{ItemId, Timestamp};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub(super) struct Loaders(Mutex<State>);

#[derive(Default)]
struct State {
    leases: HashMap<ItemId, Lease>,
    last_token: u64,
}

/// A loading under way. A loader that dies holds others up until its time is over, no longer.
struct Lease {
    token: LoadToken,
    until: Timestamp,
    /// Cancelled when it ends.
    end: CancellationToken,
}

impl Loaders {
    pub async fn begin(&self, clock: &dyn Clock, item: ItemId, lease_ms: u64) -> Loading {
        let (end, left_ms) = match self.win(clock.now(), item, lease_ms) {
            Ok(token) => return Loading::Won(token),
            Err(other) => other,
        };
        tokio::select! {
            () = end.cancelled() => {}
            () = clock.sleep_ms(left_ms) => {}
        }
        Loading::AnotherHas
    }

    /// The new loader's token, or the end of another's loading and how long it has left for it.
    fn win(
        &self,
        now: Timestamp,
        item: ItemId,
        lease_ms: u64,
    ) -> Result<LoadToken, (CancellationToken, u64)> {
        let mut state = self.lock();
        if let Some(lease) = state.leases.get(&item) {
            let left_ms = (lease.until - now).num_milliseconds();
            // Past it, whoever waited for it has woken up by the clock.
            if let Some(left_ms) = u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0) {
                return Err((lease.end.clone(), left_ms));
            }
        }
        state.last_token += 1;
        let token = LoadToken(state.last_token);
        let until = now + TimeDelta::milliseconds(i64::try_from(lease_ms).unwrap_or(i64::MAX / 2));
        state.leases.insert(
            item,
            Lease {
                token,
                until,
                end: CancellationToken::new(),
            },
        );
        Ok(token)
    }

    pub fn end(&self, item: ItemId, token: LoadToken) {
        let mut state = self.lock();
        if state
            .leases
            .get(&item)
            .is_some_and(|lease| lease.token == token)
            && let Some(lease) = state.leases.remove(&item)
        {
            lease.end.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
