//! How long a client is who it said it is: until its token's time is over, or its session.

use std::pin::Pin;

use tokio::time::{Sleep, sleep};

use crate::authenticate::Identity;
use crate::sessions::{EndedSessions, SessionWatch};

/// The term of somebody who was let in, for what lasts longer than a request.
#[derive(Default)]
pub(crate) struct Term {
    token: Option<Pin<Box<Sleep>>>,
    session: Option<SessionWatch>,
}

impl Term {
    /// That of whoever was found out just now.
    pub(crate) fn of(identity: &Identity, ended: &EndedSessions) -> Self {
        Self {
            token: identity.expires_in.map(|left| Box::pin(sleep(left))),
            session: identity.requester.session().map(|id| ended.watch(id)),
        }
    }

    /// Returns why the client is no longer who it said.
    pub(crate) async fn ended(&mut self) -> &'static str {
        tokio::select! {
            () = maybe(self.token.as_mut()) => "The access token's time is over",
            () = maybe(self.session.as_ref().map(SessionWatch::over)) => "The session is over",
        }
    }
}

/// Waits for what may not be there: then for ever.
async fn maybe(what: Option<impl Future<Output = ()>>) {
    match what {
        Some(what) => what.await,
        None => std::future::pending().await,
    }
}
