//! What the payment provider sends of its own accord.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{MethodRouter, post};
use domain::ports::provider::NoticeRefused;
use tokio::sync::Semaphore;

use crate::answer::RequestErrorCode;
use crate::app::App;
use crate::intake;

/// Where the payment provider is told to send them.
pub const PAYMENTS: &str = "/webhooks/payments";
/// The most bytes of one.
const MOST_BYTES: usize = 256 * 1024;
/// How many are listened to at once: each asks the provider, and whatever buyers do goes on beside
/// them.
const AT_ONCE: usize = 500;
const SIGNATURE: &str = "stripe-signature";

/// `POST /webhooks/payments`.
pub(crate) fn payments() -> MethodRouter<Arc<App>> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let hear = move |State(app): State<Arc<App>>, headers: HeaderMap, request: Request| {
        let turns = Arc::clone(&turns);
        async move {
            match turns.try_acquire() {
                Ok(_turn) => hear(&app, &headers, request).await,
                Err(_) => response(StatusCode::SERVICE_UNAVAILABLE),
            }
        }
    };
    post(hear).layer(DefaultBodyLimit::max(MOST_BYTES))
}

async fn hear(app: &App, headers: &HeaderMap, request: Request) -> Response<Body> {
    let signature = headers.get(SIGNATURE);
    let signature = signature.and_then(|signature| signature.to_str().ok());
    let signature = signature.unwrap_or_default().to_owned();
    let status =
        match intake::read(request, MOST_BYTES, app.settings.connections.body_timeout).await {
            Ok(body) => status((app.hear)(body.to_vec(), signature).await),
            Err(error) if error.code == RequestErrorCode::PayloadTooLarge => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Err(error) if error.code == RequestErrorCode::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Err(_) => StatusCode::BAD_REQUEST,
        };
    response(status)
}

fn response(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, soon);
    }
    response
}

fn status(heard: Result<(), NoticeRefused>) -> StatusCode {
    match heard {
        Ok(()) => StatusCode::OK,
        Err(NoticeRefused::NotTaken) => StatusCode::NOT_FOUND,
        Err(NoticeRefused::Signature | NoticeRefused::Unreadable) => StatusCode::BAD_REQUEST,
        // Whoever sent it sends it again.
        Err(NoticeRefused::Fault(fault)) => {
            tracing::warn!(cause = fault.detail(), "a webhook has to come again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
