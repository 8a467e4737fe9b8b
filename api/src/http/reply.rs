//! Answers as HTTP responses.

use async_graphql::Response as Executed;
use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;

use super::media::Media;

/// Names the request in the answer's headers, as `requestId` does in its errors.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The answer to a request that was executed, with errors of its fields or without.
pub(super) fn executed(media: Media, answer: &Executed) -> Response<Body> {
    write(StatusCode::OK, media, answer)
}

/// The answer to a request that was not executed.
pub(super) fn refused(media: Media, error: &RequestError) -> Response<Body> {
    let mut response = write(status(media, error.code), media, &error.body());
    let header = match error.code {
        RequestErrorCode::MethodNotAllowed => Some((ALLOW, "POST")),
        RequestErrorCode::Unauthenticated => {
            Some((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""))
        }
        _ => None,
    };
    if let Some((name, value)) = header {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// A refusal that has nothing to do with GraphQL.
pub(crate) fn refuse(app: &App, error: &RequestError) -> Response<Body> {
    let mut response = refused(Media::Json, error);
    name(&mut response, (app.request_id)());
    response
}

/// The status by GraphQL over HTTP, sections 6.4.1 and 6.4.2.
fn status(media: Media, code: RequestErrorCode) -> StatusCode {
    match code {
        RequestErrorCode::ParseFailed
        | RequestErrorCode::ValidationFailed
        | RequestErrorCode::OperationResolutionFailure
        | RequestErrorCode::BadUserInput
        | RequestErrorCode::LimitExceeded
        | RequestErrorCode::IntrospectionDisabled
        | RequestErrorCode::PersistedQueryNotFound
        | RequestErrorCode::PersistedQueryNotSupported
        | RequestErrorCode::DocumentNotTrusted => match media {
            Media::Json => StatusCode::OK,
            Media::GraphqlResponse => StatusCode::BAD_REQUEST,
        },
        RequestErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        RequestErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        RequestErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        RequestErrorCode::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        RequestErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RequestErrorCode::TimedOut => StatusCode::REQUEST_TIMEOUT,
        RequestErrorCode::RateLimited | RequestErrorCode::TooManyStreams => {
            StatusCode::TOO_MANY_REQUESTS
        }
        RequestErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        RequestErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn write(status: StatusCode, media: Media, body: &impl Serialize) -> Response<Body> {
    // Straight into bytes: a detour over `serde_json::Value` would lose the order of the keys.
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(error) => {
            tracing::error!(detail = %error, "an answer could not be written");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                INTERNAL.as_bytes().to_vec(),
            )
        }
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What is said when nothing more can be said.
const INTERNAL: &str = concat!(
    r#"{"errors":[{"message":"The service met a problem of its own.","#,
    r#""extensions":{"code":"INTERNAL","retryable":false}}]}"#
);

/// The answer to a request whose handling panicked.
pub(crate) fn panicked() -> Response<Body> {
    let mut response = Response::new(Body::from(INTERNAL));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let kind = HeaderValue::from_static(Media::Json.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

/// Adds the request's id.
pub(super) fn name(response: &mut Response<Body>, request_id: Uuid) {
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}
