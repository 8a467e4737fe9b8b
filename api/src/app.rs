//! What the face is made of, put together by the binary.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use domain::ports::Mailbox;
use domain::ports::provider::NoticeRefused;
use domain::rate::Rate;
use domain::{Peer, Requester};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::answer::RequestError;
use crate::authenticate::Authenticate;
use crate::engine::Engine;
use crate::origin::Networks;
use crate::request::RequestContext;
use crate::sessions::EndedSessions;

/// The public keys of access tokens, as a JWK set in JSON: others after a rotation.
pub type PublicKeys = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything that the routes need.
pub struct App {
    /// Executes the requests.
    pub engine: Engine,
    /// Finds out who asks.
    pub authenticate: Authenticate,
    /// Whose access tokens no longer hold.
    pub ended: EndedSessions,
    /// Counts a request of somebody who is not signed in.
    pub limit: Limit,
    /// Listens to what the payment provider sends.
    pub hear: Hear,
    /// A fresh id for each request.
    pub request_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    /// The span a request with these headers is handled in: the next step of its caller's trace,
    /// where there is one.
    pub span: Arc<dyn Fn(&HeaderMap) -> Span + Send + Sync>,
    /// How well it can serve.
    pub readiness: Readiness,
    /// The public keys of access tokens, as they are at the time.
    pub jwks: PublicKeys,
    /// Letters that are shown on a page beside the playground; `None` where a mail server has them.
    pub mailbox: Option<Arc<dyn Mailbox>>,
    /// How it is served.
    pub settings: ServerSettings,
}

/// Counts one request from here. An error says after how many milliseconds there may be another.
pub type Limit = Arc<dyn Fn(Peer) -> BoxFuture<'static, Result<(), u64>> + Send + Sync>;

/// Listens to a notice of the payment provider: its body as it came, and what is to prove it. Done
/// once everything that follows is committed.
pub type Hear =
    Arc<dyn Fn(Vec<u8>, String) -> BoxFuture<'static, Result<(), NoticeRefused>> + Send + Sync>;

impl App {
    /// Counts a request of whoever is not signed in by where it comes from.
    pub(crate) async fn keep_to_rate(&self, context: &RequestContext) -> Result<(), RequestError> {
        match (context.requester, context.peer) {
            (Requester::Anonymous, Some(peer)) => {
                let limited = (self.limit)(peer).await;
                limited.map_err(RequestError::rate_limited)
            }
            (Requester::Anonymous, None) | (Requester::SignedIn { .. }, _) => Ok(()),
        }
    }
}

/// How well a process can do its work, for whoever sends it some.
#[derive(Clone)]
pub struct Readiness {
    /// What it lacks just now.
    pub lacks: Arc<dyn Fn() -> Lacks + Send + Sync>,
    /// Cancelled when the process is about to stop: it is not ready from then on, and each answer
    /// ends its connection, so that whoever sends requests turns to others.
    pub leaving: CancellationToken,
}

/// What a process lacks, each as a short word like `ledger`.
#[derive(Clone, Default, Debug)]
pub struct Lacks {
    /// Without it no work can be done. Ready is when there is none.
    pub missing: Vec<&'static str>,
    /// Without it the process does less, or later, than it should.
    pub degraded: Vec<&'static str>,
}

/// How the face is served.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Whether the playground is there.
    pub playground: bool,
    /// Origins whose pages may use the API from a browser, as a browser writes them.
    pub origins: Vec<HeaderValue>,
    /// How long requests and sockets may take to end once the server is told to stop.
    pub drain: Duration,
    /// What is known of the networks that requests come from.
    pub networks: Networks,
    /// How connections are served.
    pub connections: ConnectionSettings,
    /// How sockets are served.
    pub sockets: SocketSettings,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            playground: false,
            origins: Vec::new(),
            drain: Duration::from_secs(10),
            networks: Networks::default(),
            connections: ConnectionSettings::default(),
            sockets: SocketSettings::default(),
        }
    }
}

/// How connections are served.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Connections that this node may have at once.
    pub per_node: usize,
    /// Connections that it may have at once from one place.
    pub per_peer: usize,
    /// How long a connection may be without a request.
    pub idle_timeout: Duration,
    /// How long the head of a request may take from its first byte on.
    pub head_timeout: Duration,
    /// How long its body may take.
    pub body_timeout: Duration,
    /// Bytes of bodies that this node may hold at once.
    pub bodies: usize,
    /// How long a client may take nothing of an answer that waits for it.
    pub write_timeout: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            per_node: 20_000,
            per_peer: 1_000,
            // Longer than proxies keep a connection for later.
            idle_timeout: Duration::from_secs(75),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            bodies: 256 * 1024 * 1024,
            write_timeout: Duration::from_secs(10),
        }
    }
}

/// How sockets are served, and streams of events, which count as sockets.
#[derive(Clone, Debug)]
pub struct SocketSettings {
    /// Within what time a new socket has to send `connection_init`.
    pub init_timeout: Duration,
    /// How often a silent socket is asked whether it is still there; twice without a sign of life
    /// ends it.
    pub keep_alive: Duration,
    /// Within what time a client has to take what it is sent. While it does not, nothing more is
    /// made for it.
    pub write_timeout: Duration,
    /// Operations that one socket may have at once.
    pub operations: usize,
    /// Messages, pings among them, that one socket may send; as many as it likes where there is
    /// none.
    pub messages: Option<Rate>,
    /// Sockets that one account may have at once on this node.
    pub per_account: usize,
    /// Sockets that there may be at once on this node from one place, of those who are not signed
    /// in.
    pub per_peer: usize,
    /// Sockets that this node may have at once.
    pub per_node: usize,
    /// Bytes of each socket's read buffer: most sockets are idle, and each keeps its own.
    pub read_buffer: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(25),
            write_timeout: Duration::from_secs(10),
            operations: 50,
            messages: Rate::new(200, 10_000),
            per_account: 50,
            per_peer: 500,
            per_node: 15_000,
            read_buffer: 4 * 1024,
        }
    }
}
