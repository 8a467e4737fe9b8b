//! GraphQL over HTTP, by the specification of that name.
//!
//! POST with a JSON body executes queries and mutations, GET with parameters in the URL queries
//! only. Every refusal is a JSON body with `errors` and no `data`. Who accepts a stream of events is
//! answered with one.

mod media;
pub(crate) mod params;
pub(crate) mod reply;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use domain::Language;
use futures_util::{FutureExt, StreamExt};
use tokio::time::timeout;
use tracing::Instrument;
use uuid::Uuid;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::authenticate::{Denied, Identity, bearer};
use crate::fault::Fault;
use crate::request::{Params, RequestContext, accepted_language};
use crate::socket::Sockets;
use crate::sse;

use media::{Accepted, Media};
pub(crate) use reply::REQUEST_ID;

/// The most bytes of a body that are taken only to be forgotten, and how long that may last.
const MOST_FORGOTTEN: u64 = 64 * 1024 * 1024;
const FORGET_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /graphql`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(sockets): Extension<Arc<Sockets>>,
    headers: HeaderMap,
    request: Request,
) -> Response<Body> {
    let body = read(request, app.engine.limits().body_bytes).await;
    let call = Call {
        app: &app,
        sockets: &sockets,
        headers: &headers,
        method: Method::Post,
    };
    call.respond(|| {
        media::require_json(&headers)?;
        params::from_body(&body?)
    })
    .await
}

/// `GET /graphql`, unless it asks for a WebSocket.
pub(crate) async fn get(
    app: &App,
    sockets: &Arc<Sockets>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Response<Body> {
    let call = Call {
        app,
        sockets,
        headers,
        method: Method::Get,
    };
    call.respond(|| params::from_url(uri)).await
}

/// A refusal that has nothing to do with GraphQL.
pub(crate) fn refuse(app: &App, error: &RequestError) -> Response<Body> {
    let mut response = reply::refused(Media::Json, error);
    reply::name(&mut response, (app.request_id)());
    response
}

/// Any other method.
pub(crate) async fn other_method(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response<Body> {
    let error = RequestError::new(
        RequestErrorCode::MethodNotAllowed,
        "GraphQL is served by GET, by POST and over WebSocket.",
    );
    let media = Accepted::by(&headers).ok().and_then(Accepted::for_refusals);
    let mut response = reply::refused(media.unwrap_or(Media::Json), &error);
    reply::name(&mut response, (app.request_id)());
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

/// One request over HTTP.
struct Call<'a> {
    app: &'a App,
    sockets: &'a Arc<Sockets>,
    headers: &'a HeaderMap,
    method: Method,
}

impl Call<'_> {
    /// Everything around a request: what the answer is in, who asks, and the request's name.
    async fn respond(
        &self,
        params: impl FnOnce() -> Result<Params, RequestError>,
    ) -> Response<Body> {
        let request_id = (self.app.request_id)();
        let answered = async {
            let accepted = match Accepted::by(self.headers) {
                Ok(accepted) => accepted,
                Err(error) => return reply::refused(Media::Json, &error),
            };
            let answer = self.answer(accepted, params, request_id);
            let answer = AssertUnwindSafe(answer).catch_unwind().await;
            match answer.unwrap_or_else(|_| Err(RequestError::panicked(request_id))) {
                Ok(response) => response,
                Err(error) => match accepted.for_refusals() {
                    Some(media) => reply::refused(media, &error),
                    None if error.code.is_about_the_operation() => sse::refused(&error),
                    None => reply::refused(Media::Json, &error),
                },
            }
        };
        let mut response = answered.instrument((self.app.span)(self.headers)).await;
        reply::name(&mut response, request_id);
        response
    }

    async fn answer(
        &self,
        accepted: Accepted,
        params: impl FnOnce() -> Result<Params, RequestError>,
        request_id: Uuid,
    ) -> Result<Response<Body>, RequestError> {
        let identity = identify(self.app, self.headers)
            .await
            .map_err(|denied| denied_error(denied, request_id))?;
        let context = RequestContext {
            requester: identity.requester,
            request_id,
            language: language(self.headers),
        };
        let engine = &self.app.engine;
        let prepared = engine.prepare(params()?).await?;
        let kind = prepared.kind();
        if kind == OperationType::Mutation && self.method == Method::Get {
            return Err(RequestError::new(
                RequestErrorCode::MethodNotAllowed,
                "Mutations are sent by POST.",
            ));
        }
        match accepted.media {
            Some(media) if !accepted.streams(kind) => {
                if kind == OperationType::Subscription {
                    return Err(RequestError::new(
                        RequestErrorCode::BadRequest,
                        "Subscriptions are served over WebSocket, by the graphql-transport-ws \
                         protocol, and as server-sent events, in text/event-stream.",
                    ));
                }
                let executed = engine.execute(prepared, context).await?;
                Ok(reply::executed(media, &executed))
            }
            _ => sse::open(self.app, self.sockets, prepared, identity, context),
        }
    }
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Identity, Denied> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(Identity::ANONYMOUS);
    };
    let token = value.to_str().ok().and_then(bearer).ok_or(Denied::Token)?;
    (app.authenticate)(token.to_owned()).await
}

/// Why somebody was not let in, as the client sees it; a fault goes to the log.
pub(crate) fn denied_error(denied: Denied, request_id: Uuid) -> RequestError {
    match denied {
        Denied::Token => RequestError::new(
            RequestErrorCode::Unauthenticated,
            "The access token is not valid, or its time is over. Sign in again.",
        ),
        Denied::Fault(fault) => RequestError::from_fault(&Fault::from(fault), request_id),
    }
}

/// The language that a request asks for.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    accepted_language(
        headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok()),
    )
}

/// A body of at most so many bytes. One that is announced as larger is taken all the same and
/// forgotten, up to a bound: a client that is still sending when its connection is closed may never
/// see the answer that says why.
pub(crate) async fn read(request: Request, most: usize) -> Result<Bytes, RequestError> {
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
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
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
