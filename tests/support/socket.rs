//! A client of the subscriptions, speaking graphql-transport-ws.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Caller, PATIENCE};

/// The only subscription of a socket.
const ID: &str = "1";

/// A socket with one subscription.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// How a socket ended: the code of its close frame, or nothing when it broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed(pub Option<u16>);

impl Socket {
    /// Connects, and says who is there.
    pub async fn open(caller: &Caller) -> Self {
        let url = format!("{}/graphql", caller.url().replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let (stream, _) = connect_async(request).await.unwrap();
        let mut socket = Self { stream };
        let payload = match caller.token() {
            Some(token) => json!({ "Authorization": format!("Bearer {token}") }),
            None => json!({}),
        };
        socket
            .send(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        socket
    }

    /// A socket that is let in.
    pub async fn ready(caller: &Caller) -> Self {
        let mut socket = Self::open(caller).await;
        assert_eq!(socket.receive().await.unwrap()["type"], "connection_ack");
        socket
    }

    /// Subscribes to whatever the document asks for.
    pub async fn subscribe(&mut self, document: &str, variables: Value) {
        self.ask_for(&json!({ "query": document, "variables": variables }))
            .await;
    }

    /// The same by any parameters of a request.
    pub async fn ask_for(&mut self, payload: &Value) {
        self.send(&json!({ "id": ID, "type": "subscribe", "payload": payload }))
            .await;
    }

    /// Watches the stock of items.
    pub async fn stock_changed(caller: &Caller, items: &[&str]) -> Self {
        let mut socket = Self::ready(caller).await;
        let document = "subscription($itemIds: [ID!]!) { stockChanged(itemIds: $itemIds) {
            itemId phase serverTime stock { available version asOf } } }";
        socket
            .subscribe(document, json!({ "itemIds": items }))
            .await;
        socket
    }

    /// Watches an order.
    pub async fn order_updated(caller: &Caller, order: &str) -> Self {
        let mut socket = Self::ready(caller).await;
        let document = "subscription($orderId: ID!) { orderUpdated(orderId: $orderId) {
            serverTime order { id state version
                payment { state } refunds { completedAt } shipment { state } } } }";
        socket
            .subscribe(document, json!({ "orderId": order }))
            .await;
        socket
    }

    /// The field of the next event.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("an open socket")
    }

    /// The field of the next event, or how the socket ended.
    pub async fn try_next(&mut self) -> Result<Value, Closed> {
        let mut message = self.receive().await?;
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"].get("errors"), None, "{message}");
        let data = message["payload"]["data"].as_object_mut().unwrap();
        Ok(data.values_mut().next().unwrap().take())
    }

    /// The field of the first event that is wanted; the others are passed by.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return event;
            }
        }
    }

    /// The errors that a subscription is refused with.
    pub async fn refusal(&mut self) -> Value {
        let mut message = self.receive().await.unwrap();
        assert_eq!(message["type"], "error", "{message}");
        message["payload"].take()
    }

    /// How the server closes it.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.receive().await {
                return closed;
            }
        }
    }

    async fn send(&mut self, message: &Value) {
        let text = Message::text(message.to_string());
        self.stream.send(text).await.unwrap();
    }

    /// The next message; pings do not count.
    async fn receive(&mut self) -> Result<Value, Closed> {
        let message = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Err(Closed(frame.map(|frame| frame.code.into())));
                    }
                    Some(Ok(_)) => {}
                    None
                    | Some(Err(Error::Io(_) | Error::Protocol(_) | Error::ConnectionClosed)) => {
                        return Err(Closed(None));
                    }
                    Some(Err(error)) => panic!("{error}"),
                }
            }
        };
        let message = tokio::time::timeout(PATIENCE, message).await;
        message.expect("a message in time")
    }
}
