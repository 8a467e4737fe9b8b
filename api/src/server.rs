//! The server: its routes, and its life from a bound listener to the last answer.

mod connections;
mod overload;
mod patient;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::answer::RequestError;
use crate::app::{App, ConnectionSettings, PublicKeys, Readiness};
use crate::census::Sockets;
use crate::intake::{self, Intake};
use crate::origin::Networks;
use connections::Connections;
use overload::{GRAPHQL, Overload};

use crate::{headers, health, http, mailbox, playground, socket, webhooks};

/// What is behind a listener.
pub struct Server {
    face: Arc<ArcSwap<Face>>,
    sockets: Arc<Sockets>,
    drain: Duration,
    shutdown: CancellationToken,
}

/// How connections are answered, by the settings that hold when they ask.
struct Face {
    router: Router,
    /// Nothing where there are no operations to have too many of.
    overload: Option<Overload>,
    connections: ConnectionSettings,
    networks: Networks,
}

impl Server {
    /// A server of `app`, until `shutdown` is cancelled.
    #[must_use]
    pub fn new(app: App, shutdown: CancellationToken) -> Self {
        let drain = app.settings.drain;
        let sockets = Arc::new(Sockets::new(shutdown.clone()));
        let face = Face::of(app, &sockets);
        Self {
            face: Arc::new(ArcSwap::from_pointee(face)),
            sockets,
            drain,
            shutdown,
        }
    }

    /// From now on this app answers requests. What has begun ends with the one it began with, and so
    /// does every socket.
    pub fn renew(&self, app: App) {
        self.face.store(Arc::new(Face::of(app, &self.sockets)));
    }

    /// Serves on `listener` until the shutdown. Then nothing new is taken, sockets are closed with
    /// 1001, and what runs may end within the drain time.
    pub async fn serve(&self, listener: TcpListener) {
        let served = async {
            let connections = Connections::new(self.face.clone());
            connections.serve(listener, self.shutdown.clone()).await;
            self.sockets.closed().await;
        };
        let late = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(self.drain).await;
        };
        tokio::select! {
            () = served => {}
            () = late => {
                tracing::warn!("requests or sockets were still open at the end of the drain time");
            }
        }
    }
}

impl Face {
    fn of(app: App, sockets: &Arc<Sockets>) -> Self {
        let connections = app.settings.connections.clone();
        let networks = app.settings.networks.clone();
        let app = Arc::new(app);
        let overload = Overload {
            engine: app.engine.clone(),
            refusing: refusing(&app),
        };
        Self {
            router: routes(app, Arc::clone(sockets)),
            overload: Some(overload),
            connections,
            networks,
        }
    }
}

/// Serves nothing but the health of a process that has no endpoint.
pub async fn serve_health(
    listener: TcpListener,
    readiness: Readiness,
    shutdown: CancellationToken,
) {
    let face = Face {
        router: headers::secure(health::routes::<()>(readiness)),
        overload: None,
        connections: ConnectionSettings::default(),
        networks: Networks::default(),
    };
    let connections = Connections::new(Arc::new(ArcSwap::from_pointee(face)));
    connections.serve(listener, shutdown).await;
}

fn routes(app: Arc<App>, sockets: Arc<Sockets>) -> Router {
    let intake = Arc::new(Intake::new(Arc::clone(&app)));
    let mut graphql: MethodRouter<Arc<App>> = get(socket::upgrade_or_get)
        .post(http::post)
        .fallback(http::other_method)
        .layer(from_fn_with_state(intake, intake::admit));
    if let Some(cors) = headers::cors(&app.settings.origins) {
        graphql = graphql.layer(cors);
    }
    let mut router = Router::new()
        .route(
            GRAPHQL,
            graphql.layer(DefaultBodyLimit::max(app.engine.limits().body_bytes)),
        )
        .route("/.well-known/jwks.json", jwks(app.jwks.clone()))
        .route(webhooks::PAYMENTS, webhooks::payments())
        .merge(health::routes(app.readiness.clone()));
    if app.settings.playground {
        router = router.merge(playground::routes());
        if let Some(mailbox) = app.mailbox.clone() {
            router = router.merge(mailbox::routes(mailbox));
        }
    }
    let leaving = app.readiness.leaving.clone();
    let close = move |_: &Response<Body>| {
        let close = || HeaderValue::from_static("close");
        leaving.is_cancelled().then(close)
    };
    let router = router
        .layer(axum::Extension(sockets))
        .layer(SetResponseHeaderLayer::if_not_present(CONNECTION, close))
        .layer(CatchPanicLayer::custom(|_| http::reply::panicked()));
    headers::secure(router).with_state(app)
}

/// Says to anything that the node has all it can take.
fn refusing(app: &Arc<App>) -> Router {
    let answering = Arc::clone(app);
    let router = Router::new().fallback(async move || {
        let error = RequestError::overloaded();
        http::reply::refuse(&answering, &error)
    });
    let router = match headers::cors(&app.settings.origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    headers::secure(router)
}

/// For how long whoever checks tokens may keep the keys: a new one is published for longer before the
/// first token is signed with it.
const KEYS_KEPT: &str = "public, max-age=30";

/// The keys by which anybody can check our access tokens (RFC 7517), as they are at the time.
fn jwks<S: Clone + Send + Sync + 'static>(keys: PublicKeys) -> MethodRouter<S> {
    get(async move || {
        let json = HeaderValue::from_static("application/jwk-set+json");
        let kept = HeaderValue::from_static(KEYS_KEPT);
        ([(CONTENT_TYPE, json), (CACHE_CONTROL, kept)], keys())
    })
}
