//! Connections, from the listener to the last byte: how many there may be, and how long each may
//! dawdle.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use domain::Peer;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::Face;
use super::overload::Refusals;
use super::patient::{Patient, Phase};
use crate::counts::{Counts, Place};
use crate::origin::Connected;

/// How many connections more than the rest proxies and the machine itself may have: whoever asks how
/// a node is still gets through when it is full.
const RESERVED: usize = 64;
/// The most bytes of a request's head: a URL has at most 64 KiB.
const MOST_HEAD: usize = 128 * 1024;
/// After what time another connection is taken when the process has no room for one.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// What a connection is told that there is no room for.
const FULL: &[u8] = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n",
    "content-length: 137\r\n\r\n",
    r#"{"errors":[{"message":"This node has as many connections as it takes. Try again.","#,
    r#""extensions":{"code":"UNAVAILABLE","retryable":true}}]}"#
)
.as_bytes();

/// The connections of a listener.
pub(super) struct Connections {
    face: Arc<ArcSwap<Face>>,
    counts: Arc<Counts<Whose>>,
    refusals: Arc<Refusals>,
    tasks: TaskTracker,
}

/// What a connection is counted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Node,
    /// Proxies and the machine itself, where the node is full.
    Reserve,
    Peer(Peer),
}

/// Room for a connection, while it lives.
struct Seat {
    _seat: Place<Whose>,
    _place: Option<Place<Whose>>,
}

impl Connections {
    pub(super) fn new(face: Arc<ArcSwap<Face>>) -> Self {
        Self {
            face,
            counts: Counts::new(),
            refusals: Arc::new(Refusals::new()),
            tasks: TaskTracker::new(),
        }
    }

    /// Serves every connection until `shutdown`; then takes no new ones, and returns when those
    /// that are there have answered what they had begun to ask.
    pub(super) async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = shutdown.cancelled() => break,
            };
            match accepted {
                Ok((stream, from)) => self.begin(stream, from, &shutdown),
                Err(error) => not_accepted(&error).await,
            }
        }
        drop(listener);
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn begin(&self, stream: TcpStream, from: SocketAddr, shutdown: &CancellationToken) {
        let face = self.face.load();
        let settings = &face.connections;
        let Some(seat) = self.seat(&face, from.ip()) else {
            if let Err(error) = refuse(stream) {
                tracing::debug!(detail = %error, "a connection was not told that there is no room");
            }
            return;
        };
        // Answers are small and complete: none waits for another to fill a packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(detail = %error, "a connection could not be set to send at once");
        }
        let phase = Phase::default();
        let stream = Patient::new(
            stream,
            phase.clone(),
            settings.head_timeout,
            settings.write_timeout,
        );
        let answering = Arc::new(Answering {
            face: Arc::clone(&self.face),
            refusals: Arc::clone(&self.refusals),
            phase,
            from: Connected(from.ip()),
            rests_until: Mutex::new(None),
        });
        let answer = move |request| {
            let answering = Arc::clone(&answering);
            async move { Ok::<_, Infallible>(answering.answer(request).await) }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.idle_timeout)
            .max_buf_size(MOST_HEAD)
            .serve_connection(TokioIo::new(stream), service_fn(answer))
            .with_upgrades();
        let shutdown = shutdown.clone();
        self.tasks.spawn(async move {
            let mut connection = pin!(connection);
            let mut stopping = pin!(shutdown.cancelled().fuse());
            let ended = loop {
                tokio::select! {
                    ended = connection.as_mut() => break ended,
                    () = &mut stopping => connection.as_mut().graceful_shutdown(),
                }
            };
            if let Err(error) = ended {
                tracing::debug!(detail = %error, "a connection ended before its time");
            }
            drop(seat);
        });
    }

    /// Room for one more from here.
    fn seat(&self, face: &Face, from: IpAddr) -> Option<Seat> {
        let settings = &face.connections;
        let place = match face.networks.peer_of_connection(from) {
            Some(peer) => Some(self.counts.place(Whose::Peer(peer), settings.per_peer)?),
            None => None,
        };
        let seat = self.counts.place(Whose::Node, settings.per_node);
        let seat = match seat {
            None if place.is_none() => self.counts.place(Whose::Reserve, RESERVED),
            seat => seat,
        };
        Some(Seat {
            _seat: seat?,
            _place: place,
        })
    }
}

/// One connection, from one request to the next.
struct Answering {
    face: Arc<ArcSwap<Face>>,
    refusals: Arc<Refusals>,
    phase: Phase,
    from: Connected,
    /// Where one was refused: another that would be, too, is not looked at before this.
    rests_until: Mutex<Option<Instant>>,
}

impl Answering {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.phase.answering();
        let mut request = request.map(Body::new);
        let rests_until = self.rests().take();
        if let Some(until) = rests_until
            && self.is_refused(&request)
        {
            sleep_until(until).await;
        }
        request.extensions_mut().insert(self.from);
        let router = self.router(&request);
        let response: Result<Response<Body>, Infallible> = router.oneshot(request).await;
        let Ok(response) = response;
        self.phase
            .answered(response.status() == StatusCode::SWITCHING_PROTOCOLS);
        response
    }

    /// Whether this request would be refused just now.
    fn is_refused(&self, request: &Request<Body>) -> bool {
        let face = self.face.load();
        let overload = face.overload.as_ref();
        overload.is_some_and(|overload| overload.refuses(request))
    }

    /// The routes; where the node has all it can take, the refusal.
    fn router(&self, request: &Request<Body>) -> Router {
        let face = self.face.load();
        match &face.overload {
            Some(overload) if overload.refuses(request) => {
                *self.rests() = self.refusals.give();
                overload.refusing.clone()
            }
            _ => face.router.clone(),
        }
    }

    fn rests(&self) -> MutexGuard<'_, Option<Instant>> {
        // An instant is whole at any moment.
        let rests = self.rests_until.lock();
        rests.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a connection that there is no room, as well as that goes without waiting for it.
fn refuse(stream: TcpStream) -> io::Result<()> {
    // Its buffer is empty, so all of it fits, or nothing of it ever will.
    let mut stream = stream.into_std()?;
    stream.write_all(FULL)?;
    stream.shutdown(Shutdown::Write)
}

/// What keeps one connection from being accepted is that connection's; anything else is the
/// process's, and passes when other connections end.
async fn not_accepted(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!(detail = %error, "connections can't be accepted");
        tokio::time::sleep(ACCEPT_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
