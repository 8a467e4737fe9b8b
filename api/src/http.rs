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

use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, HeaderValue};
use axum::http::{HeaderMap, Response, Uri};
use domain::Language;
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::authenticate::{Denied, Identity, bearer};
use crate::census::Sockets;
use crate::fault::Fault;
use crate::intake::{self, Origin};
use crate::request::{Params, RequestContext, accepted_language};
use crate::sse;

use media::{Accepted, Media};
pub(crate) use reply::REQUEST_ID;

/// `POST /graphql`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(sockets): Extension<Arc<Sockets>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    request: Request,
) -> Response<Body> {
    let limits = app.engine.limits();
    let within = app.settings.connections.body_timeout;
    let body = intake::read(request, limits.body_bytes, within).await;
    let call = Call {
        app: &app,
        sockets: &sockets,
        headers: &headers,
        origin,
        method: Method::Post,
    };
    call.respond(|| {
        media::require_json(&headers)?;
        params::from_body(&body?, limits.json_depth)
    })
    .await
}

/// `GET /graphql`, unless it asks for a WebSocket.
pub(crate) async fn get(
    app: &App,
    sockets: &Arc<Sockets>,
    origin: Origin,
    (headers, uri): (&HeaderMap, &Uri),
) -> Response<Body> {
    let call = Call {
        app,
        sockets,
        headers,
        origin,
        method: Method::Get,
    };
    let depth = app.engine.limits().json_depth;
    call.respond(|| params::from_url(uri, depth)).await
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
    origin: Origin,
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
            peer: self.origin.0,
            request_id,
            language: language(self.headers),
        };
        self.app.keep_to_rate(&context).await?;
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
