//! GraphQL over HTTP, by the specification of that name.
//!
//! POST with a JSON body executes queries and mutations, GET with parameters in the URL queries
//! only. Every refusal is a JSON body with `errors` and no `data`.

mod media;
pub(crate) mod params;
pub(crate) mod reply;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response as Executed;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use domain::Language;
use futures_util::StreamExt;
use tokio::time::timeout;
use tracing::Instrument;
use uuid::Uuid;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::authenticate::{Denied, Identity, bearer};
use crate::fault::Fault;
use crate::request::{Params, RequestContext, accepted_language};

use media::Media;

/// The most bytes of a body that are taken only to be forgotten, and how long that may last.
const MOST_FORGOTTEN: u64 = 64 * 1024 * 1024;
const FORGET_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /graphql`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    request: Request,
) -> Response<Body> {
    let body = read(request, app.engine.limits().body_bytes).await;
    respond(&app, &headers, async |context| {
        media::require_json(&headers)?;
        let params = params::from_body(&body?)?;
        execute(&app, params, context, Method::Post).await
    })
    .instrument((app.span)(&headers))
    .await
}

/// `GET /graphql`, unless it asks for a WebSocket.
pub(crate) async fn get(app: &App, headers: &HeaderMap, uri: &Uri) -> Response<Body> {
    respond(app, headers, async |context| {
        let params = params::from_url(uri)?;
        execute(app, params, context, Method::Get).await
    })
    .instrument((app.span)(headers))
    .await
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
    let mut response = respond(&app, &headers, async |_| {
        Err(RequestError::new(
            RequestErrorCode::MethodNotAllowed,
            "GraphQL is served by GET, by POST and over WebSocket.",
        ))
    })
    .await;
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

/// Everything around a request: what the answer is in, who asks, and the request's name.
async fn respond(
    app: &App,
    headers: &HeaderMap,
    handle: impl AsyncFnOnce(RequestContext) -> Result<Executed, RequestError>,
) -> Response<Body> {
    let request_id = (app.request_id)();
    let media = Media::accepted(headers);
    let mut response = match media {
        Err(error) => reply::refused(Media::Json, &error),
        Ok(media) => {
            let handled = match identify(app, headers).await {
                Ok(Identity { requester, .. }) => {
                    let language = language(headers);
                    handle(RequestContext {
                        requester,
                        request_id,
                        language,
                    })
                    .await
                }
                Err(denied) => Err(denied_error(denied, request_id)),
            };
            match handled {
                Ok(executed) => reply::executed(media, &executed),
                Err(error) => reply::refused(media, &error),
            }
        }
    };
    reply::name(&mut response, request_id);
    response
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

async fn execute(
    app: &App,
    params: Params,
    context: RequestContext,
    method: Method,
) -> Result<Executed, RequestError> {
    let prepared = app.engine.prepare(params).await?;
    match (prepared.kind(), method) {
        (OperationType::Subscription, _) => Err(RequestError::new(
            RequestErrorCode::BadRequest,
            "Subscriptions are served over WebSocket, by the graphql-transport-ws protocol.",
        )),
        (OperationType::Mutation, Method::Get) => Err(RequestError::new(
            RequestErrorCode::MethodNotAllowed,
            "Mutations are sent by POST.",
        )),
        (OperationType::Query, _) | (OperationType::Mutation, Method::Post) => {
            app.engine.execute(prepared, context).await
        }
    }
}
