//! What is seen to before a request is looked at: from where it comes, and that its body neither
//! fills the memory nor takes for ever.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use domain::Peer;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::http::reply;
use crate::origin::Connected;

/// The most bytes of a body that are taken only to be forgotten, and how long that may last.
const MOST_FORGOTTEN: u64 = 64 * 1024 * 1024;
const FORGET_TIMEOUT: Duration = Duration::from_secs(10);
/// In what pieces the memory for bodies is given away.
const PIECE: usize = 1_024;

/// What a request is counted for by where it comes from; nothing where that is not counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(pub(crate) Option<Peer>);

/// What all GraphQL requests of a node share.
pub(crate) struct Intake {
    app: Arc<App>,
    /// Pieces of memory for bodies.
    bodies: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let pieces = app.settings.connections.bodies / PIECE;
        Self {
            bodies: Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS))),
            app,
        }
    }

    /// Memory for the body that a request announces, while the permit lives.
    fn memory(&self, request: &Request) -> Result<OwnedSemaphorePermit, RequestError> {
        let most = self.app.engine.limits().body_bytes;
        let body = request.body().size_hint();
        let announced = body.exact().and_then(|bytes| usize::try_from(bytes).ok());
        // A larger one is not kept.
        let bytes = announced.unwrap_or(most).min(most);
        let pieces = u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bodies).try_acquire_many_owned(pieces);
        permit.map_err(|_| RequestError::overloaded())
    }
}

/// Passes a request on, unless there is no memory for its body: then it is told so at once, before
/// anything of it is read.
pub(crate) async fn admit(
    State(intake): State<Arc<Intake>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let app = &intake.app;
    let memory = match intake.memory(&request) {
        Ok(memory) => memory,
        Err(error) => return reply::refuse(app, &error),
    };
    let from = request.extensions().get::<Connected>().copied();
    let networks = &app.settings.networks;
    let peer = from.and_then(|from| networks.peer_of_request(from, request.headers()));
    request.extensions_mut().insert(Origin(peer));
    let response = next.run(request).await;
    drop(memory);
    response
}

/// A body of at most so many bytes that comes within some time. One that is announced as larger is
/// taken all the same and forgotten, up to a bound: a client that is still sending when its
/// connection is closed may never see the answer that says why.
pub(crate) async fn read(
    request: Request,
    most: usize,
    within: Duration,
) -> Result<Bytes, RequestError> {
    let too_large = || {
        let message = format!("The body is larger than {most} bytes.");
        RequestError::new(RequestErrorCode::PayloadTooLarge, message)
    };
    let announced = request.body().size_hint().lower();
    if announced > most as u64 {
        if announced <= MOST_FORGOTTEN {
            let mut parts = request.into_body().into_data_stream();
            let taken = async { while let Some(Ok(_)) = parts.next().await {} };
            let _ = timeout(FORGET_TIMEOUT, taken).await;
        }
        return Err(too_large());
    }
    let Ok(read) = timeout(within, Bytes::from_request(request, &())).await else {
        let message = "The body did not come in time.";
        return Err(RequestError::new(RequestErrorCode::TimedOut, message));
    };
    read.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large()
        } else {
            RequestError::new(
                RequestErrorCode::BadRequest,
                "The body ended before it was complete.",
            )
        }
    })
}
