//! Whether the process lives, and whether it can serve.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::app::{Lacks, Readiness};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    degraded: Vec<&'static str>,
}

/// The routes of a process that can be asked how it is.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(readiness: Readiness) -> Router<S> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(readiness)
}

/// `GET /health/live`: the process answers. Whoever gets no answer may start it anew.
async fn live() -> Json<Health> {
    Json(Health {
        status: "live",
        missing: Vec::new(),
        degraded: Vec::new(),
    })
}

/// `GET /health/ready`: work can be done; otherwise 503 and what is missing. What only makes it do
/// less is named too, and changes nothing.
async fn ready(State(readiness): State<Readiness>) -> (StatusCode, Json<Health>) {
    let Lacks {
        mut missing,
        degraded,
    } = (readiness.lacks)();
    if readiness.leaving.is_cancelled() {
        missing.push("leaving");
    }
    let (code, status) = if missing.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let health = Health {
        status,
        missing,
        degraded,
    };
    (code, Json(health))
}
