//! How many sockets and streams there are, and of whom.

use std::sync::Arc;

use domain::{AccountId, Peer, Requester};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::SocketSettings;
use crate::counts::{self, Counts};

/// The sockets of this node, and its streams of events.
pub(crate) struct Sockets {
    settings: SocketSettings,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    seats: Arc<Semaphore>,
    counts: Arc<Counts<Whose>>,
}

impl Sockets {
    pub(crate) fn new(settings: SocketSettings, shutdown: CancellationToken) -> Self {
        let seats = settings.per_node.min(Semaphore::MAX_PERMITS);
        Self {
            settings,
            shutdown,
            tasks: TaskTracker::new(),
            seats: Arc::new(Semaphore::new(seats)),
            counts: Counts::new(),
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

    /// Room for one more socket or stream of whoever asks, while the place lives. Who is not signed
    /// in is counted by where they come from, if at all.
    pub(crate) fn place(&self, requester: Requester, peer: Option<Peer>) -> Result<Place, Crowded> {
        let (whose, most) = match (requester, peer) {
            (Requester::SignedIn { account, .. }, _) => {
                (Whose::Account(account), self.settings.per_account)
            }
            (Requester::Anonymous, Some(peer)) => (Whose::Peer(peer), self.settings.per_peer),
            (Requester::Anonymous, None) => return Ok(Place(None)),
        };
        let place = self.counts.place(whose, most).ok_or(Crowded)?;
        Ok(Place(Some(place)))
    }
}

/// Somebody has as many sockets and streams as they may.
#[derive(Debug)]
pub(crate) struct Crowded;

/// One socket or stream of somebody.
pub(crate) struct Place(
    #[expect(dead_code, reason = "it counts until it is dropped")] Option<counts::Place<Whose>>,
);

/// Whom a socket is counted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Account(AccountId),
    Peer(Peer),
}
