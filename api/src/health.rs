//! Whether the process lives, and whether it can serve.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::app::App;

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
}

/// `GET /health/live`: the process answers. Whoever gets no answer may start it anew.
pub(crate) async fn live() -> Json<Health> {
    Json(Health {
        status: "live",
        missing: Vec::new(),
    })
}

/// `GET /health/ready`: requests can be served; otherwise 503 and what is missing.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let missing = (app.missing)().await;
    if missing.is_empty() {
        (
            StatusCode::OK,
            Json(Health {
                status: "ready",
                missing,
            }),
        )
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(Health {
                status: "not ready",
                missing,
            }),
        )
    }
}
