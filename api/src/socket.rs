//! GraphQL over WebSocket: the graphql-transport-ws protocol.
//!
//! Every close code is the protocol's own. Where it leaves the choice: a token that is refused or
//! whose time ends closes with 4403, after which the public clients connect again with a fresh one;
//! too many sockets of one account or from one place, and too many messages, close with 4429, after which they don't; shutting down is 1001.

mod connection;
mod message;
mod operations;
mod pace;

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, Response, Uri};

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::census::Sockets;
use crate::http::{self, reply};
use crate::intake::Origin;

use connection::Connection;

/// The subprotocol's name in the handshake.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// `GET /graphql`: a WebSocket where one is asked for, a query otherwise.
pub(crate) async fn upgrade_or_get(
    State(app): State<Arc<App>>,
    Extension(sockets): Extension<Arc<Sockets>>,
    Extension(origin): Extension<Origin>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    match upgrade {
        Ok(upgrade) => open(upgrade, app, sockets, (origin, &headers)),
        Err(_) if headers.contains_key(UPGRADE) => reply::refuse(
            &app,
            &RequestError::new(
                RequestErrorCode::BadRequest,
                "This is no WebSocket handshake (RFC 6455, version 13).",
            ),
        ),
        Err(_) => http::get(&app, &sockets, origin, (&headers, &uri)).await,
    }
}

fn open(
    upgrade: WebSocketUpgrade,
    app: Arc<App>,
    sockets: Arc<Sockets>,
    (origin, headers): (Origin, &HeaderMap),
) -> Response<Body> {
    let Some(seat) = sockets.seat(&app.settings.sockets) else {
        let message = "This node has as many sockets as it takes. Try again.";
        let error = RequestError::new(RequestErrorCode::Unavailable, message);
        return reply::refuse(&app, &error);
    };
    let language = http::language(headers);
    let most = app.engine.limits().body_bytes;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(app.settings.sockets.read_buffer)
        .max_message_size(most)
        .max_frame_size(most);
    let agreed = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(move |socket| {
        let tracked = sockets.tracker();
        tracked.track_future(async move {
            Connection::new(app, Arc::clone(&sockets), (origin, language))
                .run(socket, agreed)
                .await;
            drop(seat);
        })
    })
}
