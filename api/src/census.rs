//! How many sockets and streams there are, and of whom.

use std::sync::Arc;

use domain::{AccountId, Peer, Requester};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::SocketSettings;
use crate::counts::{self, Counts};

/// The sockets of this node, and its streams of events.
pub(crate) struct Sockets {
    shutdown: CancellationToken,
    tasks: TaskTracker,
    counts: Arc<Counts<Whose>>,
}

impl Sockets {
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        Self {
            shutdown,
            tasks: TaskTracker::new(),
            counts: Counts::new(),
        }
    }

    /// Waits until the last of them is closed; none may be opened by then.
    pub(crate) async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub(crate) fn tracker(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Room for one more socket or stream on this node, while the place lives.
    pub(crate) fn seat(&self, settings: &SocketSettings) -> Option<Place> {
        let place = self.counts.place(Whose::Node, settings.per_node)?;
        Some(Place(Some(place)))
    }

    /// Room for one more socket or stream of whoever asks, while the place lives. Who is not signed
    /// in is counted by where they come from, if at all.
    pub(crate) fn place(
        &self,
        settings: &SocketSettings,
        requester: Requester,
        peer: Option<Peer>,
    ) -> Result<Place, Crowded> {
        let (whose, most) = match (requester, peer) {
            (Requester::SignedIn { account, .. }, _) => {
                (Whose::Account(account), settings.per_account)
            }
            (Requester::Anonymous, Some(peer)) => (Whose::Peer(peer), settings.per_peer),
            (Requester::Anonymous, None) => return Ok(Place(None)),
        };
        let place = self.counts.place(whose, most).ok_or(Crowded)?;
        Ok(Place(Some(place)))
    }
}

/// Somebody has as many sockets and streams as they may.
#[derive(Debug)]
pub(crate) struct Crowded;

/// One socket or stream.
pub(crate) struct Place(
    #[expect(dead_code, reason = "it counts until it is dropped")] Option<counts::Place<Whose>>,
);

/// Whom a socket is counted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Node,
    Account(AccountId),
    Peer(Peer),
}
