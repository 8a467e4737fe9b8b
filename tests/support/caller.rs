//! Somebody who talks to the endpoint over HTTP.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

/// A client of the endpoint: nobody in particular, or whoever its token speaks for.
#[derive(Clone)]
pub struct Caller {
    url: String,
    http: reqwest::Client,
    token: Option<String>,
    /// The trace that its requests are part of.
    traceparent: Option<&'static str>,
    /// What it reads, as `Accept-Language` says it.
    language: Option<&'static str>,
    /// Whether it does as a refusal asks and places an order again.
    pub is_patient: bool,
}

/// Why there is no payload.
#[derive(Debug)]
pub enum NoAnswer {
    /// The connection failed.
    Connection(reqwest::Error),
    /// The engine met a fault; its errors.
    Fault(Value),
}

impl NoAnswer {
    /// Whether the engine itself says that the same request may succeed later.
    pub fn is_retryable_fault(&self) -> bool {
        match self {
            Self::Connection(_) => false,
            Self::Fault(errors) => {
                let mut errors = errors.as_array().unwrap().iter();
                errors.all(|error| error["extensions"]["retryable"] == true)
            }
        }
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(error)
    }
}

/// An idempotency key that nobody has used in this process.
pub fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()).to_string()
}

/// The code of the first refusal in a payload; nothing when it was done.
pub fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

/// The codes of all refusals in a payload.
pub fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

impl Caller {
    pub fn new(url: &str, http: reqwest::Client, token: Option<String>) -> Self {
        Self {
            url: url.to_owned(),
            http,
            token,
            traceparent: None,
            language: None,
            is_patient: false,
        }
    }

    /// Where the server listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The access token; nothing for who is not signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person at another server.
    pub fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// The same person in the course of a trace.
    pub fn in_trace(&self, traceparent: &'static str) -> Self {
        Self {
            traceparent: Some(traceparent),
            ..self.clone()
        }
    }

    /// The same person, who reads this language.
    pub fn reading(&self, language: &'static str) -> Self {
        Self {
            language: Some(language),
            ..self.clone()
        }
    }

    /// A request for a path of the server, with the token if there is one.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(traceparent) = self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        if let Some(language) = self.language {
            request = request.header("accept-language", language);
        }
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// An answer of the endpoint, or how the connection failed.
    pub async fn try_post(
        &self,
        document: &str,
        variables: Value,
    ) -> Result<Value, reqwest::Error> {
        let body = json!({ "query": document, "variables": variables });
        let request = self.request(reqwest::Method::POST, "/graphql").json(&body);
        request.send().await?.json().await
    }

    /// An answer of the endpoint, whatever its status.
    pub async fn post(&self, document: &str, variables: Value) -> Value {
        self.try_post(document, variables).await.unwrap()
    }

    /// The data of an answer that must have no errors.
    pub async fn ask(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.post(document, variables).await;
        assert_eq!(answer.get("errors"), None, "{document}\n{answer}");
        answer["data"].take()
    }

    /// The payload of the only mutation of a document: it has either what was done or why it was
    /// refused.
    pub async fn mutate(&self, document: &str, input: Value) -> Value {
        let payload = self.try_mutate(document, input).await;
        payload.unwrap_or_else(|none| panic!("{document}\n{none:?}"))
    }

    /// The same, or why there is none.
    pub async fn try_mutate(&self, document: &str, input: Value) -> Result<Value, NoAnswer> {
        let mut answer = self.try_post(document, json!({ "input": input })).await?;
        match answer.get_mut("errors") {
            Some(errors) => Err(NoAnswer::Fault(errors.take())),
            None => Ok(payload_of(document, answer)),
        }
    }

    /// Signs in with a password that must be right.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let payload = self.try_sign_in(email, password).await;
        let token = payload["session"]["accessToken"].as_str();
        Self {
            token: Some(token.unwrap_or_else(|| panic!("{payload}")).to_owned()),
            ..self.clone()
        }
    }

    pub async fn try_sign_in(&self, email: &str, password: &str) -> Value {
        let document = "mutation($input: SignInInput!) { signIn(input: $input) {
            session { accessToken refreshToken accessTokenExpiresAt account { id email name role } }
            userErrors { code message field } } }";
        let input = json!({ "email": email, "password": password });
        self.mutate(document, input).await
    }

    pub async fn request_verification(&self, email: &str) {
        let document = "mutation($input: RequestEmailVerificationInput!) {
            requestEmailVerification(input: $input) {
                verification { email validForMs resendAfterMs } userErrors { code } } }";
        let payload = self.mutate(document, json!({ "email": email })).await;
        assert_eq!(payload["verification"]["email"], email);
    }

    pub async fn sign_up(&self, input: Value) -> Value {
        let document = "mutation($input: SignUpInput!) { signUp(input: $input) {
            account { id email name role } userErrors { code field } } }";
        self.mutate(document, input).await
    }
}

fn payload_of(document: &str, mut answer: Value) -> Value {
    let fields = answer["data"].as_object_mut().unwrap();
    assert_eq!(fields.len(), 1, "{document}");
    let payload = fields.values_mut().next().unwrap().take();
    let is_refused = !payload["userErrors"].as_array().unwrap().is_empty();
    for (field, value) in payload.as_object().unwrap() {
        if !["replayed", "serverTime", "userErrors"].contains(&field.as_str()) {
            assert_eq!(value.is_null(), is_refused, "{payload}");
        }
    }
    payload
}
