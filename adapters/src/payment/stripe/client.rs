//! Stripe's API over HTTP: requests with their keys, and what an answer is worth.

use std::fmt::Write;
use std::time::Duration;

use domain::Fault;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::shapes::{ApiError, Failure};
use crate::config::Secret;
use crate::payment::tls;

/// What the shapes here were written for. A newer one changes nothing until this line does.
const VERSION: &str = "2026-08-26.dahlia";
const FORM: &str = "application/x-www-form-urlencoded";

/// Why there is nothing to go by.
pub enum Failed {
    /// Nobody knows whether it was done: no answer, a broken one, one that says *later*.
    Unknown,
    /// Stripe has looked at the request and has not done it.
    Refused(ApiError),
}

/// Fields of a request, as Stripe names them.
pub type Fields<'a> = &'a [(&'a str, &'a str)];

/// Speaks to one account at Stripe.
pub struct Api {
    http: Client,
    base: Url,
    secret: Secret,
}

impl Api {
    /// `timeout` is how long one request may take.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(url: &str, secret: Secret, timeout: Duration) -> Result<Self, Fault> {
        const DOING: &str = "reaching the payment provider";
        let base = Url::parse(url).map_err(|error| Fault::corrupt(DOING, error))?;
        let http = tls::client(timeout)?;
        Ok(Self { http, base, secret })
    }

    /// Reads an object or a list.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        fields: Fields<'_>,
    ) -> Result<T, Failed> {
        let mut url = self.url(path);
        if !fields.is_empty() {
            url.query_pairs_mut().extend_pairs(fields);
        }
        self.ask(path, self.http.get(url)).await
    }

    /// Does something once, however often it is asked under one key.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: &str,
        fields: Fields<'_>,
    ) -> Result<T, Failed> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.http.post(self.url(path)).body(body);
        let request = request.header(CONTENT_TYPE, FORM);
        self.ask(path, request.header("Idempotency-Key", key)).await
    }

    /// Under `/v1`; what is in an id can't lead anywhere else.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        url
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        request: RequestBuilder,
    ) -> Result<T, Failed> {
        let what = path.first().copied().unwrap_or_default();
        let request = request
            .bearer_auth(self.secret.expose())
            .header("Stripe-Version", VERSION);
        let answer = async {
            let answer = request.send().await?;
            let status = answer.status();
            Ok((status, answer.bytes().await?))
        };
        let (status, body) = answer.await.map_err(|error: reqwest::Error| {
            let cause = chain(&error.without_url());
            tracing::warn!(what, cause, "the payment provider gave no answer");
            Failed::Unknown
        })?;
        read(what, status, &body)
    }
}

/// What an answer is worth.
fn read<T: DeserializeOwned>(what: &str, status: StatusCode, body: &[u8]) -> Result<T, Failed> {
    let unknown = |said: &str| {
        let status = status.as_u16();
        tracing::warn!(
            what,
            status,
            said,
            "nobody knows what the payment provider did"
        );
        Failed::Unknown
    };
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|_| unknown("an answer that can't be read"));
    }
    let error = serde_json::from_slice(body).map(|Failure { error }| error);
    match (status, error) {
        // Our own key is wrong, somebody else is at it, too many at once, out of order.
        (
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS,
            error,
        ) => Err(unknown(
            &error.map_or_else(|_| String::new(), |error| error.said()),
        )),
        (
            StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND,
            Ok(error),
        ) => Err(Failed::Refused(error)),
        _ => Err(unknown("")),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> &'static str {
        let status = StatusCode::from_u16(status).unwrap();
        match read::<super::super::shapes::Intent>("x", status, body.as_bytes()) {
            Ok(_) => "done",
            Err(Failed::Unknown) => "unknown",
            Err(Failed::Refused(_)) => "refused",
        }
    }

    #[test]
    fn only_what_stripe_has_looked_at_is_refused() {
        let intent = r#"{"id":"pi_1","status":"succeeded","amount":1,"currency":"krw"}"#;
        assert_eq!(kind(200, intent), "done");
        assert_eq!(kind(200, "{}"), "unknown");
        assert_eq!(kind(302, ""), "unknown");
        let error = r#"{"error":{"type":"card_error","code":"card_declined"}}"#;
        for status in [400, 402, 404] {
            assert_eq!(kind(status, error), "refused", "{status}");
            assert_eq!(kind(status, "<html>"), "unknown", "{status}");
        }
        for status in [401, 403, 409, 429, 500, 502, 503, 504] {
            assert_eq!(kind(status, error), "unknown", "{status}");
        }
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        let api = Api::new(
            "http://127.0.0.1:1/behind/",
            Secret::of("sk"),
            Duration::from_secs(1),
        );
        let api = api.map_err(|fault| fault.detail()).unwrap();
        let url = api.url(&["payment_intents", "pi/../../x?y"]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/behind/v1/payment_intents/pi%2F..%2F..%2Fx%3Fy"
        );
    }
}
