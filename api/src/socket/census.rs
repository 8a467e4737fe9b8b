//! How many sockets and streams there are, and of whom.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::SocketSettings;

/// The sockets of this node, and its streams of events.
pub(crate) struct Sockets {
    settings: SocketSettings,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    seats: Arc<Semaphore>,
    accounts: Mutex<HashMap<AccountId, usize>>,
}

impl Sockets {
    pub(crate) fn new(settings: SocketSettings, shutdown: CancellationToken) -> Self {
        let seats = settings.per_node.min(Semaphore::MAX_PERMITS);
        Self {
            settings,
            shutdown,
            tasks: TaskTracker::new(),
            seats: Arc::new(Semaphore::new(seats)),
            accounts: Mutex::default(),
        }
    }

    /// Waits until the last of them is closed; none may be opened by then.
    pub(crate) async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn settings(&self) -> &SocketSettings {
        &self.settings
    }

    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub(crate) fn tracker(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Room for one more socket or stream on this node, while the permit lives.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// Room for one more socket or stream of an account, while the place lives.
    pub(crate) fn place(self: &Arc<Self>, account: AccountId) -> Option<Place> {
        let mut accounts = self.accounts();
        let count = accounts.entry(account).or_default();
        if *count >= self.settings.per_account {
            return None;
        }
        *count += 1;
        Some(Place {
            sockets: Arc::clone(self),
            account,
        })
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        // Nothing panics while it holds the lock, and a count is whole at any moment.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket or stream of an account.
pub(crate) struct Place {
    sockets: Arc<Sockets>,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.sockets.accounts().entry(self.account) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
