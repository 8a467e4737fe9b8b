//! A server of the tests' and what talks to it.

use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use api::app::{App, Lacks, Readiness, ServerSettings};
use api::authenticate::{Denied, Identity};
use api::engine::{Engine, EngineSettings};
use api::sessions::EndedSessions;
use chrono::TimeDelta;
use domain::account::Role;
use domain::ports::provider::NoticeRefused;
use domain::{AccountId, Requester, SessionId, Timestamp};
use futures_util::FutureExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::toy::{self, Counters};

pub const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
pub const JSON: &str = "application/json";

/// A token that is accepted, as the account with this number.
pub fn token(account: u128) -> String {
    format!("account-{account}")
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub counters: Counters,
    pub leaving: CancellationToken,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
    pub client: Client,
}

pub struct Options {
    pub engine: EngineSettings,
    pub server: ServerSettings,
    pub lacks: Lacks,
    pub ended: EndedSessions,
    /// How long whoever is not signed in has to wait, if at all.
    pub limited_ms: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: EngineSettings::default(),
            server: ServerSettings::default(),
            lacks: Lacks::default(),
            ended: EndedSessions::new(TimeDelta::minutes(15)),
            limited_ms: None,
        }
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let counters = Counters::default();
        let limited_ms = options.limited_ms;
        let (lacks, leaving) = (options.lacks, CancellationToken::new());
        let app = App {
            engine: Engine::new(|| toy::builder(&counters), options.engine),
            authenticate: Arc::new(|token| async move { identify(&token) }.boxed()),
            ended: options.ended,
            limit: Arc::new(move |_| async move { limited_ms.map_or(Ok(()), Err) }.boxed()),
            hear: Arc::new(|body, signature| async move { hear(&body, &signature) }.boxed()),
            request_id: Arc::new(|| Uuid::from_u128(0x5eed)),
            span: Arc::new(|headers| {
                if headers.contains_key("traceparent") {
                    tracing::info_span!("caller")
                } else {
                    Span::none()
                }
            }),
            readiness: Readiness {
                lacks: Arc::new(move || lacks.clone()),
                leaving: leaving.clone(),
            },
            jwks: Arc::new(|| r#"{"keys":[]}"#.to_owned()),
            mailbox: None,
            settings: options.server,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = api::server::Server::new(app, shutdown.clone());
        let task = tokio::spawn(async move { server.serve(listener).await });
        Self {
            address,
            counters,
            leaving,
            shutdown,
            task,
            client: http_client(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn post(&self, accept: &str) -> RequestBuilder {
        self.client
            .post(self.url("/graphql"))
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, JSON)
    }

    /// Sends a document and gives the answer's status and body.
    pub async fn ask(&self, query: &str) -> (StatusCode, Json) {
        self.ask_with(query, json!({})).await
    }

    pub async fn ask_with(&self, query: &str, variables: Json) -> (StatusCode, Json) {
        let body = json!({ "query": query, "variables": variables }).to_string();
        read(self.post(GRAPHQL_RESPONSE).body(body)).await
    }

    /// The answer's text, to see the order of its keys.
    pub async fn text(&self, query: &str) -> String {
        let body = json!({ "query": query }).to_string();
        self.post(GRAPHQL_RESPONSE)
            .body(body)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    pub async fn ask_as(&self, token: &str, query: &str) -> Response {
        let body = json!({ "query": query }).to_string();
        let request = self
            .post(GRAPHQL_RESPONSE)
            .header(AUTHORIZATION, format!("Bearer {token}"));
        request.body(body).send().await.unwrap()
    }

    /// Waits until `condition` holds; a second is long enough for anything here.
    pub async fn until(&self, condition: impl Fn(&Counters) -> bool) {
        let met = async {
            while !condition(&self.counters) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(1), met)
            .await
            .expect("the condition is met");
    }
}

pub async fn read(request: RequestBuilder) -> (StatusCode, Json) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}

fn http_client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Client::builder().no_proxy().build().unwrap()
}

/// What is signed with `right` is heard, `away` later, and the rest not at all.
fn hear(body: &[u8], signature: &str) -> Result<(), NoticeRefused> {
    match (signature, body) {
        ("right", b"away") => {
            let fault = domain::Fault::unavailable("listening", "the ledger is away");
            Err(NoticeRefused::Fault(fault))
        }
        ("right", b"nonsense") => Err(NoticeRefused::Unreadable),
        ("right", _) => Ok(()),
        ("untaken", _) => Err(NoticeRefused::NotTaken),
        _ => Err(NoticeRefused::Signature),
    }
}

/// `account-7` is account 7 for ever, in the session of that number; `brief-7` for 300 ms; `broken`
/// can't be looked up.
fn identify(token: &str) -> Result<Identity, Denied> {
    let signed_in = |number: &str| {
        let id = Uuid::from_u128(number.parse().map_err(|_| Denied::Token)?);
        let until = Timestamp::UNIX_EPOCH;
        Ok(Requester::SignedIn {
            account: AccountId(id),
            role: Role::Customer,
            session: Some(SessionId(id)),
            until,
        })
    };
    if let Some(number) = token.strip_prefix("account-") {
        Ok(Identity {
            requester: signed_in(number)?,
            expires_in: None,
        })
    } else if let Some(number) = token.strip_prefix("brief-") {
        let expires_in = Some(Duration::from_millis(300));
        Ok(Identity {
            requester: signed_in(number)?,
            expires_in,
        })
    } else if token == "broken" {
        Err(Denied::Fault(domain::Fault::unavailable(
            "looking a session up",
            toy::SECRET,
        )))
    } else {
        Err(Denied::Token)
    }
}
