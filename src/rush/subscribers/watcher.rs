//! One subscriber.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Subscribed;
use crate::rush::endpoint::{Endpoint, Stream};
use crate::rush::patience::Patience;
use crate::rush::requests::{STOCK_CHANGED, Stock};

/// How long one may take from the connection to the snapshot.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of each socket's read buffer: the messages are short, and there are many sockets.
const BUFFER: usize = 4 * 1024;

/// What subscribers wait for.
#[derive(Clone, Copy, Debug)]
pub enum End {
    NotYet,
    /// This stock, or a newer one.
    At(Stock),
    /// Nobody knows what comes last.
    Unknown,
}

/// The socket can't be read any more, or says what nobody understands.
struct Lost;

type Socket = WebSocketStream<Box<dyn Stream>>;

/// One subscriber, over as many connections as it takes.
pub struct Watcher {
    endpoint: Arc<Endpoint>,
    /// The variables of the subscription.
    item_id: String,
    connecting: Arc<Semaphore>,
    ended: watch::Receiver<End>,
    /// Told of the first snapshot.
    ready: Option<mpsc::Sender<()>>,
    /// How long the last value may take to arrive.
    patience: Duration,
    last: Option<Stock>,
    seen: Subscribed,
}

/// A message of the server's.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Payload {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    stock_changed: Change,
}

#[derive(Deserialize)]
struct Change {
    stock: Stock,
}

impl Watcher {
    pub fn new(
        endpoint: Arc<Endpoint>,
        item_id: &str,
        connecting: Arc<Semaphore>,
        ended: watch::Receiver<End>,
        ready: mpsc::Sender<()>,
        patience: Duration,
    ) -> Self {
        Self {
            endpoint,
            item_id: item_id.to_owned(),
            connecting,
            ended,
            ready: Some(ready),
            patience,
            last: None,
            seen: Subscribed {
                subscribers: 1,
                ..Default::default()
            },
        }
    }

    /// Watches, connecting again as often as it takes, until the end has been seen or its time is up.
    pub async fn watch(mut self, seed: u64) -> Subscribed {
        let mut patience = Patience::tries(u32::MAX, seed);
        let mut deadline = None;
        loop {
            if let Ok(socket) = self.connect().await {
                patience = Patience::tries(u32::MAX, seed);
                if self.read(socket).await.is_ok() {
                    break;
                }
            }
            if self.has_ended() {
                let deadline = *deadline.get_or_insert(Instant::now() + self.patience);
                if self.has_seen_all() || Instant::now() >= deadline {
                    break;
                }
            }
            tokio::select! {
                _ = patience.wait(None) => {}
                _ = self.ended.changed() => {}
            }
        }
        self.sum_up()
    }

    /// A socket that has sent its snapshot.
    async fn connect(&mut self) -> Result<Socket, Lost> {
        let connecting = Arc::clone(&self.connecting);
        let _one_of_few = connecting.acquire().await.map_err(|_| Lost)?;
        timeout(SNAPSHOT_TIMEOUT, async {
            let mut socket = self.open().await?;
            say(
                &mut socket,
                json!({ "type": "connection_init" }).to_string(),
            )
            .await?;
            while hear(&mut socket, "connection_ack").await?.is_none() {}
            let subscribe = json!({
                "type": "subscribe",
                "id": "1",
                "payload": {
                    "query": STOCK_CHANGED.0,
                    "variables": { "itemIds": [self.item_id] },
                },
            });
            say(&mut socket, subscribe.to_string()).await?;
            let snapshot = loop {
                if let Some(message) = hear(&mut socket, "next").await? {
                    break stock(&message)?;
                }
            };
            self.seen.snapshots += 1;
            self.note(snapshot);
            Ok(socket)
        })
        .await
        .unwrap_or(Err(Lost))
        .inspect(|_| {
            if let Some(ready) = self.ready.take() {
                // Nobody waits any more only if all had their time.
                let _ = ready.try_send(());
            }
        })
    }
}

impl Watcher {
    async fn open(&self) -> Result<Socket, Lost> {
        let stream = self.endpoint.connect().await.map_err(|_| Lost)?;
        let mut request = self
            .endpoint
            .websocket_url()
            .into_client_request()
            .map_err(|_| Lost)?;
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("graphql-transport-ws"),
        );
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0);
        let opened = client_async_with_config(request, stream, Some(config)).await;
        opened.map(|(socket, _)| socket).map_err(|_| Lost)
    }

    /// Reads values until the end has been seen, or its time is up.
    async fn read(&mut self, mut socket: Socket) -> Result<(), Lost> {
        let mut deadline = self.has_ended().then(|| Instant::now() + self.patience);
        while !self.has_seen_all() {
            let has_ended = deadline.is_some();
            tokio::select! {
                message = hear(&mut socket, "next") => {
                    if let Some(message) = message? {
                        self.seen.updates += 1;
                        self.note(stock(&message)?);
                    }
                }
                _ = self.ended.changed(), if !has_ended => {
                    deadline = Some(Instant::now() + self.patience);
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if has_ended => break,
            }
        }
        // What it has seen is seen, whether or not the server hears that it goes.
        let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
        Ok(())
    }

    fn note(&mut self, stock: Stock) {
        if self.last.is_some_and(|last| stock.version < last.version) {
            self.seen.fallen_versions += 1;
        }
        self.last = Some(stock);
    }

    fn has_ended(&self) -> bool {
        !matches!(*self.ended.borrow(), End::NotYet)
    }

    fn has_seen_all(&self) -> bool {
        match *self.ended.borrow() {
            End::NotYet => false,
            End::Unknown => true,
            End::At(end) => self.last.is_some_and(|last| last.version >= end.version),
        }
    }

    fn sum_up(mut self) -> Subscribed {
        self.seen.without_snapshot = u64::from(self.last.is_none());
        self.seen.reconnections = self.seen.snapshots.saturating_sub(1);
        let is_stale = |last: Stock| match *self.ended.borrow() {
            End::NotYet | End::Unknown => false,
            End::At(end) if last.version == end.version => last.available != end.available,
            End::At(end) => last.version < end.version,
        };
        self.seen.stale = u64::from(self.last.is_some_and(is_stale));
        self.seen
    }
}

async fn say(socket: &mut Socket, message: String) -> Result<(), Lost> {
    socket.send(Message::text(message)).await.map_err(|_| Lost)
}

/// The next message if it is of this kind; nothing if it is one that may always come.
async fn hear(socket: &mut Socket, kind: &str) -> Result<Option<Utf8Bytes>, Lost> {
    let text = match socket.next().await {
        Some(Ok(Message::Text(text))) => text,
        // The library answers pings by itself.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(None),
        Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return Err(Lost),
    };
    let frame: Frame<'_> = serde_json::from_str(&text).map_err(|_| Lost)?;
    if frame.kind == kind {
        return Ok(Some(text));
    }
    match frame.kind {
        "pong" => Ok(None),
        "ping" => say(socket, json!({ "type": "pong" }).to_string())
            .await
            .map(|()| None),
        _ => Err(Lost),
    }
}

fn stock(message: &str) -> Result<Stock, Lost> {
    let frame: Frame<'_> = serde_json::from_str(message).map_err(|_| Lost)?;
    let payload = frame.payload.ok_or(Lost)?;
    let payload: Payload = serde_json::from_str(payload.get()).map_err(|_| Lost)?;
    Ok(payload.data.stock_changed.stock)
}
