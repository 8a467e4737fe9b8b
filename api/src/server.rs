//! The server: its routes, and its life from a bound listener to the last answer.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::routing::{MethodRouter, get};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::{App, PublicKeys, Readiness};
use crate::socket::Sockets;
use crate::{headers, health, http, mailbox, playground, socket, webhooks};

/// Serves `app` on `listener` until `shutdown` is cancelled. Then nothing new is taken, sockets are
/// closed with 1001, and what runs may end within the drain time.
pub async fn serve(listener: TcpListener, app: App, shutdown: CancellationToken) -> io::Result<()> {
    let drain = app.settings.drain;
    let sockets = Arc::new(Sockets::new(app.settings.sockets.clone(), shutdown.clone()));
    let router = routes(Arc::new(app), Arc::clone(&sockets));
    // Answers are small and complete: none waits for another to fill a packet.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(detail = %error, "a connection could not be set to send at once");
        }
    });
    let served = async {
        axum::serve(listener, router)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .await?;
        sockets.closed().await;
        Ok(())
    };
    let late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = served => served,
        () = late => {
            tracing::warn!("requests or sockets were still open at the end of the drain time");
            Ok(())
        }
    }
}

/// Serves nothing but the health of a process that has no endpoint.
pub async fn serve_health(
    listener: TcpListener,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, headers::secure(health::routes::<()>(readiness)))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

fn routes(app: Arc<App>, sockets: Arc<Sockets>) -> Router {
    let mut graphql = get(socket::upgrade_or_get)
        .post(http::post)
        .fallback(http::other_method);
    if let Some(cors) = headers::cors(&app.settings.origins) {
        graphql = graphql.layer(cors);
    }
    let mut router = Router::new()
        .route(
            "/graphql",
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
