//! The routes of Stripe's API that the shop asks for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request as HttpRequest, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};

use super::Desk;
use super::books::{Answer, Done, Job, NewIntent, NewRefund, Request};
use super::objects::{self, error, list};
use domain::Fault;

/// The most of a list.
const MOST_LISTED: i64 = 100;

type Fields = HashMap<String, String>;

pub fn routes(desk: Arc<Desk>) -> Router {
    let api = Router::new()
        .route("/payment_intents", post(create).get(intents))
        .route("/payment_intents/search", get(search))
        .route("/payment_intents/{id}", get(intent))
        .route("/payment_intents/{id}/capture", post(capture))
        .route("/payment_intents/{id}/cancel", post(cancel))
        .route("/refunds", post(refund).get(refunds))
        .layer(middleware::from_fn_with_state(desk.clone(), authorised));
    Router::new()
        .nest("/v1", api)
        .route(
            "/health/ready",
            get(async || Json(json!({ "status": "ready" }))),
        )
        .with_state(desk)
}

/// Only who has the key is answered, and nobody at once.
async fn authorised(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    request: HttpRequest,
    next: Next,
) -> Response<Body> {
    let token = headers.get(AUTHORIZATION);
    let token = token.and_then(|token| token.to_str().ok()?.strip_prefix("Bearer "));
    if token != Some(desk.secret_key.expose()) {
        let body = error("invalid_request_error", None, None, None);
        return written(StatusCode::UNAUTHORIZED, &body);
    }
    let answer = next.run(request).await;
    let latency = u64::try_from(desk.settings.latency.ms()).unwrap_or(0);
    if latency > 0 {
        // After it is done: whoever is told of it may hear it before the answer.
        desk.clock.sleep_ms(latency).await;
    }
    answer
}

async fn create(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut fields = form(&body);
    let mut field = |name: &str| fields.remove(name);
    let amount = field("amount").and_then(|amount| amount.parse::<i64>().ok());
    let (Some(amount), Some(currency), Some(method)) = (
        amount.filter(|amount| *amount > 0),
        field("currency"),
        field("payment_method"),
    ) else {
        return bad("amount");
    };
    // The one way in which the shop asks.
    let is_ours = field("confirm").as_deref() == Some("true")
        && field("capture_method").as_deref() == Some("manual");
    if !is_ours {
        return bad("confirm");
    }
    let request = Request::Create(NewIntent {
        id: desk.id("pi"),
        event: desk.id("evt"),
        amount,
        currency,
        method,
        payment: field("metadata[payment]").unwrap_or_default(),
        order: field("metadata[order]").unwrap_or_default(),
    });
    ask(&desk, &headers, request).await
}

async fn capture(
    State(desk): State<Arc<Desk>>,
    Path(intent): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let event = desk.id("evt");
    ask(&desk, &headers, Request::Capture { intent, event }).await
}

async fn cancel(
    State(desk): State<Arc<Desk>>,
    Path(intent): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let event = desk.id("evt");
    ask(&desk, &headers, Request::Cancel { intent, event }).await
}

async fn refund(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut fields = form(&body);
    let mut field = |name: &str| fields.remove(name);
    let Some(intent) = field("payment_intent") else {
        return bad("payment_intent");
    };
    let amount = field("amount").map(|amount| amount.parse::<i64>());
    let Ok(amount) = amount.transpose() else {
        return bad("amount");
    };
    let request = Request::Refund(NewRefund {
        id: desk.id("re"),
        intent,
        amount,
        payment: field("metadata[payment]").unwrap_or_default(),
        refund: field("metadata[refund]").unwrap_or_default(),
    });
    ask(&desk, &headers, request).await
}

async fn ask(desk: &Desk, headers: &HeaderMap, request: Request) -> Response<Body> {
    let key = headers.get("idempotency-key");
    let job = Job::Ask {
        key: key.and_then(|key| key.to_str().ok()).map(str::to_owned),
        request,
        now_ms: desk.clock.now().timestamp_millis(),
    };
    match desk.books.run(job).await {
        Ok(Done::Answered(Answer { is_lost: true, .. })) => lost(),
        Ok(Done::Answered(answer)) => {
            let status = StatusCode::from_u16(answer.status);
            written(
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                &answer.body,
            )
        }
        Ok(Done::Due(_) | Done::Noted) => failed(&Fault::corrupt("answering", "another's answer")),
        Err(fault) => failed(&fault),
    }
}

async fn intent(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response<Body> {
    match desk.reader.intent(&id).await {
        Ok(Some(intent)) => written(StatusCode::OK, &intent.object(false)),
        Ok(None) => {
            let code = Some("resource_missing");
            let body = error("invalid_request_error", code, Some("intent"), None);
            written(StatusCode::NOT_FOUND, &body)
        }
        Err(fault) => failed(&fault),
    }
}

async fn intents(
    State(desk): State<Arc<Desk>>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response<Body> {
    let most = most(&fields);
    let with_charge = fields
        .iter()
        .any(|(name, is)| name.starts_with("expand[") && is.starts_with("data.latest_charge"));
    let after = field(&fields, "starting_after");
    let found = desk.reader.intents(after, most + 1).await;
    page(found, most, |intent| intent.object(with_charge))
}

async fn search(
    State(desk): State<Arc<Desk>>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response<Body> {
    let query = field(&fields, "query").unwrap_or_default();
    let payment = query.strip_prefix("metadata['payment']:'");
    let Some(payment) = payment.and_then(|rest| rest.strip_suffix('\'')) else {
        return bad("query");
    };
    let found = desk.reader.intents_of(payment).await;
    page(found, MOST_LISTED, |intent| intent.object(false))
}

async fn refunds(
    State(desk): State<Arc<Desk>>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response<Body> {
    let Some(intent) = field(&fields, "payment_intent") else {
        return bad("payment_intent");
    };
    let most = most(&fields);
    let after = field(&fields, "starting_after");
    let found = desk.reader.refunds(intent, after, most + 1).await;
    page(found, most, objects::Refund::object)
}

fn page<T>(
    found: Result<Vec<T>, Fault>,
    most: i64,
    object: impl Fn(&T) -> Value,
) -> Response<Body> {
    let most = usize::try_from(most).unwrap_or(0);
    match found {
        Ok(found) => {
            let data: Vec<Value> = found.iter().take(most).map(object).collect();
            written(StatusCode::OK, &list(&data, found.len() > most))
        }
        Err(fault) => failed(&fault),
    }
}

fn most(fields: &[(String, String)]) -> i64 {
    let most = field(fields, "limit").and_then(|most| most.parse::<i64>().ok());
    most.unwrap_or(10).clamp(1, MOST_LISTED)
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn form(body: &[u8]) -> Fields {
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn bad(param: &str) -> Response<Body> {
    let body = error("invalid_request_error", None, Some(param), None);
    written(StatusCode::BAD_REQUEST, &body)
}

fn failed(fault: &Fault) -> Response<Body> {
    tracing::error!(detail = fault.detail(), "a request met a fault");
    let body = error("api_error", None, None, None);
    written(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// An answer that never comes to its end.
fn lost() -> Response<Body> {
    let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("lost"))]);
    Response::new(Body::from_stream(broken))
}

fn written(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

impl Desk {
    /// An id in Stripe's manner.
    fn id(&self, kind: &str) -> String {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        format!("{kind}_{:032x}", u128::from_be_bytes(bytes))
    }
}
