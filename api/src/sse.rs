//! GraphQL over server-sent events, in the protocol's distinct connections mode: each operation has
//! an answer of its own, which goes on until the operation does.
//!
//! A stream that ends without `complete` was ended by the node: the token's or the session's time is
//! over, the node stops, or the client did not take what it was sent. The public clients connect again then.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use futures_util::future::ready;
use futures_util::stream::{Stream, StreamExt, poll_fn};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::{App, SocketSettings};
use crate::authenticate::Identity;
use crate::census::{Crowded, Sockets};
use crate::engine::Prepared;
use crate::operation::{self, Event};
use crate::request::RequestContext;
use crate::term::Term;

/// Tells proxies that would gather an answer to pass this one on as it comes.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// A line that means nothing: it says that the stream is alive, at its beginning and in silence.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Executes an operation and answers with its events.
pub(crate) fn open(
    app: &App,
    sockets: &Arc<Sockets>,
    prepared: Prepared,
    identity: Identity,
    context: RequestContext,
) -> Result<Response<Body>, RequestError> {
    let Some(seat) = sockets.seat(&app.settings.sockets) else {
        let message = "This node has as many streams as it takes. Try again.";
        return Err(RequestError::new(RequestErrorCode::Unavailable, message));
    };
    let place = sockets.place(&app.settings.sockets, identity.requester, context.peer);
    let place = place.map_err(|Crowded| {
        let message = "There are as many streams on this node as one may have.";
        RequestError::new(RequestErrorCode::TooManyStreams, message)
    })?;
    // One event waits for the client, and no second one is made before it is taken.
    let (sender, mut taken) = mpsc::channel(1);
    let events = operation::run(app.engine.clone(), ready(Ok(prepared)), context);
    let stopping = sockets.shutdown().clone();
    let settings = app.settings.sockets.clone();
    let mut term = Term::of(&identity, &app.ended);
    let task = async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            _why = term.ended() => {}
            () = write(events, &sender, &settings) => {}
        }
        drop((seat, place));
    };
    tokio::spawn(sockets.tracker().track_future(task));
    let chunks = poll_fn(move |context| taken.poll_recv(context)).map(Ok::<Bytes, Infallible>);
    Ok(answer(Body::from_stream(chunks)))
}

/// The answer to an operation that was not executed.
pub(crate) fn refused(error: &RequestError) -> Response<Body> {
    let mut chunk = next(&error.body());
    chunk.extend_from_slice(COMPLETE);
    answer(Body::from(chunk))
}

fn answer(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().extend([
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (BUFFERING, HeaderValue::from_static("no")),
    ]);
    response
}

/// Writes events until there are no more, the client has gone, or it does not take them.
async fn write(
    events: impl Stream<Item = Event>,
    client: &mpsc::Sender<Bytes>,
    settings: &SocketSettings,
) {
    tokio::pin!(events);
    let mut keep_alive = interval(settings.keep_alive);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let chunk = tokio::select! {
            () = client.closed() => return,
            _ = keep_alive.tick() => COMMENT,
            event = events.next() => match event {
                Some(event) => {
                    keep_alive.reset();
                    chunk(&event)
                }
                None => return,
            },
        };
        match timeout(settings.write_timeout, client.send(chunk)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// A browser's `EventSource` leaves out an event without data.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

fn chunk(event: &Event) -> Bytes {
    match event {
        Event::Next(response) => next(response).into(),
        Event::Error(error) => {
            let mut chunk = next(&error.body());
            chunk.extend_from_slice(COMPLETE);
            chunk.into()
        }
        Event::Complete => Bytes::from_static(COMPLETE),
    }
}

fn next(result: &impl Serialize) -> Vec<u8> {
    let mut chunk = b"event: next\ndata: ".to_vec();
    // JSON in one line, straight into the bytes.
    if let Err(error) = serde_json::to_writer(&mut chunk, result) {
        tracing::error!(detail = %error, "an event could not be written");
        return Vec::new();
    }
    chunk.extend_from_slice(b"\n\n");
    chunk
}
