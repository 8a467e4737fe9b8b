//! The shop's side of a subscription.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::{FALLING_FROM, Habit, State};

/// Tells a subscriber the stock of the first item, now and whenever it may have changed.
pub async fn tell_stock(
    stream: TcpStream,
    shop: Arc<Mutex<State>>,
    mut changes: watch::Receiver<()>,
) {
    #[expect(clippy::result_large_err, reason = "the library's type")]
    let choose = |_: &server::Request, mut response: server::Response| {
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, choose).await.unwrap();
    let mut heard = Vec::new();
    for reply in [Some(json!({ "type": "connection_ack" })), None] {
        let Some(Ok(message)) = socket.next().await else {
            return;
        };
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        heard.push(message["type"].as_str().unwrap().to_owned());
        if let Some(reply) = reply {
            socket.send(Message::text(reply.to_string())).await.unwrap();
        }
    }
    assert_eq!(heard, ["connection_init", "subscribe"]);
    loop {
        let (stock, is_mute) = {
            let shop = shop.lock().unwrap();
            let version = if shop.manners.habit == Habit::FallingVersions {
                FALLING_FROM - shop.version
            } else {
                shop.version
            };
            (
                json!({ "available": shop.items[0].available, "version": version }),
                shop.manners.habit == Habit::Mute,
            )
        };
        let payload = json!({ "data": { "stockChanged": { "stock": stock } } });
        let next = json!({ "type": "next", "id": "1", "payload": payload });
        if socket.send(Message::text(next.to_string())).await.is_err() {
            return;
        }
        if is_mute {
            let _ = socket.next().await;
            return;
        }
        tokio::select! {
            _ = changes.changed() => {}
            // Nothing more is said by a subscriber but its farewell.
            _ = socket.next() => return,
        }
    }
}
