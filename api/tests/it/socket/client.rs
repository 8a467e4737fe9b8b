//! A client's end of a socket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Server;
use crate::toy::SECRET;

/// A client's end.
pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(server: &Server) -> Self {
        Self::open_with(server, Some("graphql-transport-ws")).await
    }

    /// The same, with a header that says that it is for this address.
    pub async fn open_from(server: &Server, address: &'static str) -> Self {
        let header = ("x-forwarded-for", address);
        let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
        Self::open_saying(server, &[protocol, header]).await
    }

    pub async fn open_with(server: &Server, protocol: Option<&'static str>) -> Self {
        let protocol = protocol.map(|protocol| ("sec-websocket-protocol", protocol));
        Self::open_saying(server, protocol.as_slice()).await
    }

    async fn open_saying(server: &Server, headers: &[(&'static str, &'static str)]) -> Self {
        let mut request = format!("ws://{}/graphql", server.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(*name, value);
        }
        let language = HeaderValue::from_static("ko");
        request.headers_mut().insert("accept-language", language);
        match connect_async(request).await {
            Ok((socket, _)) => Self(socket),
            Err(error) => panic!("the handshake is accepted: {error}"),
        }
    }

    /// Open, and let in as nobody.
    pub async fn ready(server: &Server) -> Self {
        Self::ready_as(server, Json::Null).await
    }

    pub async fn ready_as(server: &Server, payload: Json) -> Self {
        let mut socket = Self::open(server).await;
        socket
            .say(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub async fn say(&mut self, message: &Json) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
            .await;
    }

    /// The next message, or how it was closed.
    pub async fn receive(&mut self) -> Result<Json, (u16, String)> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        assert!(!text.contains(SECRET), "{text}");
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let frame = frame.expect("a close has a code");
                        return Err((frame.code.into(), frame.reason.to_string()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(Error::ConnectionClosed)) | None => panic!("closed without a code"),
                    Some(Err(error)) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(3), next)
            .await
            .expect("something is said")
    }

    pub async fn hear(&mut self) -> Json {
        self.receive().await.expect("a message, not a close")
    }

    pub async fn closed(&mut self) -> u16 {
        match self.receive().await {
            Ok(message) => panic!("a close, not {message}"),
            Err((code, reason)) => {
                assert!(!reason.is_empty() && reason.len() <= 123, "{reason}");
                code
            }
        }
    }

    /// Nothing comes for a while.
    pub async fn silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(150), self.0.next());
        if let Ok(message) = next.await {
            panic!("silence, not {message:?}");
        }
    }
}
