//! One socket's conversation.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseCode, CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use domain::{Language, Requester};
use futures_util::SinkExt;
use futures_util::stream::{SplitSink, SplitStream, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite;

use crate::answer::{RequestError, RequestErrorCode};
use crate::app::App;
use crate::authenticate::{Denied, Identity, bearer};
use crate::census::{Crowded, Place, Sockets};
use crate::http::denied_error;
use crate::intake::Origin;
use crate::operation::Event;
use crate::request::RequestContext;
use crate::term::Term;

use super::message::{Credentials, FromClient, FromServer};
use super::operations::Operations;
use super::pace::Pace;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest reason that fits a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

/// How a conversation ends.
pub(super) enum End {
    /// The server closes.
    Close(CloseCode, String),
    /// The client closed, went away, or does not take what it is sent.
    Gone,
}

impl End {
    pub(super) fn close(code: CloseCode, reason: impl Into<String>) -> Self {
        Self::Close(code, reason.into())
    }
}

/// Who asks, once the client has said so.
struct Acknowledged {
    requester: Requester,
    _place: Place,
}

/// The way to the client.
struct Outgoing {
    sink: SplitSink<WebSocket, Message>,
    /// Within what time the client has to take a message.
    timeout: Duration,
}

impl Outgoing {
    async fn deliver(&mut self, id: &str, event: &Event) -> Result<(), End> {
        let message = match event {
            Event::Next(payload) => FromServer::Next { id, payload },
            Event::Error(error) => FromServer::Error {
                id,
                payload: error.errors(),
            },
            Event::Complete => FromServer::Complete { id },
        };
        self.say(&message).await
    }

    async fn say(&mut self, message: &FromServer<'_>) -> Result<(), End> {
        match serde_json::to_string(message) {
            Ok(text) => self.write(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(detail = %error, "an answer could not be written");
                Err(End::close(close_code::ERROR, "Internal error"))
            }
        }
    }

    /// Sends one message and waits until the connection has taken it: what waits for a slow client
    /// is never more than this one.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.timeout, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// One socket.
pub(super) struct Connection {
    app: Arc<App>,
    sockets: Arc<Sockets>,
    origin: Origin,
    language: Language,
    pace: Pace,
    acknowledged: Option<Acknowledged>,
    term: Term,
    operations: Operations,
}

impl Connection {
    pub(super) fn new(
        app: Arc<App>,
        sockets: Arc<Sockets>,
        (origin, language): (Origin, Language),
    ) -> Self {
        Self {
            pace: Pace::new(app.settings.sockets.messages),
            origin,
            app,
            sockets,
            language,
            acknowledged: None,
            term: Term::default(),
            operations: Operations::default(),
        }
    }

    /// Converses until either side ends it. `agreed` says whether the handshake chose the protocol.
    pub(super) async fn run(mut self, socket: WebSocket, agreed: bool) {
        let (sink, mut incoming) = socket.split();
        let mut outgoing = Outgoing {
            sink,
            timeout: self.app.settings.sockets.write_timeout,
        };
        let end = if agreed {
            match self.converse(&mut outgoing, &mut incoming).await {
                Ok(never) => match never {},
                Err(end) => end,
            }
        } else {
            End::close(4406, "Subprotocol not acceptable")
        };
        // Nothing more is made for a socket that ends.
        drop(self);
        if let End::Close(code, reason) = end {
            let reason = Utf8Bytes::from(shortened(reason));
            let frame = Message::Close(Some(CloseFrame { code, reason }));
            if outgoing.write(frame).await.is_err() {
                return;
            }
        }
        // Until the client has answered: what arrives unread on a connection that is dropped resets
        // it, and the client may never see why.
        let answered = async { while let Some(Ok(_)) = incoming.next().await {} };
        let _ = timeout(CLOSE_TIMEOUT, answered).await;
    }

    async fn converse(
        &mut self,
        outgoing: &mut Outgoing,
        incoming: &mut SplitStream<WebSocket>,
    ) -> Result<Infallible, End> {
        let (app, sockets) = (Arc::clone(&self.app), Arc::clone(&self.sockets));
        let settings = &app.settings.sockets;
        let init_timeout = sleep(settings.init_timeout);
        tokio::pin!(init_timeout);
        let mut keep_alive = interval_at(Instant::now() + settings.keep_alive, settings.keep_alive);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked_in_vain = 0;
        loop {
            tokio::select! {
                () = sockets.shutdown().cancelled() => {
                    return Err(End::close(close_code::AWAY, "Going away"));
                }
                () = &mut init_timeout, if self.acknowledged.is_none() => {
                    return Err(End::close(4408, "Connection initialisation timeout"));
                }
                why = self.term.ended() => return Err(End::close(4403, why)),
                message = incoming.next() => {
                    asked_in_vain = 0;
                    self.receive(message, outgoing).await?;
                }
                Some((id, event)) = self.operations.next() => {
                    outgoing.deliver(&id, &event).await?;
                }
                _ = keep_alive.tick() => {
                    if asked_in_vain == 2 {
                        return Err(End::Gone);
                    }
                    asked_in_vain += 1;
                    outgoing.write(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    async fn receive(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
        outgoing: &mut Outgoing,
    ) -> Result<(), End> {
        self.pace.one_more()?;
        match message {
            Some(Ok(Message::Text(text))) => {
                let depth = self.app.engine.limits().json_depth;
                let message =
                    FromClient::read(&text, depth).map_err(|reason| End::close(4400, reason))?;
                self.handle(message, outgoing).await
            }
            Some(Ok(Message::Binary(_))) => Err(End::close(4400, "Messages have to be text")),
            // The library answers pings by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) => Err(broken(error)),
        }
    }

    async fn handle(&mut self, message: FromClient, outgoing: &mut Outgoing) -> Result<(), End> {
        match message {
            FromClient::ConnectionInit(_) if self.acknowledged.is_some() => {
                Err(End::close(4429, "Too many initialisation requests"))
            }
            FromClient::ConnectionInit(credentials) => {
                self.acknowledge(credentials).await?;
                outgoing.say(&FromServer::ConnectionAck).await
            }
            FromClient::Ping(payload) => {
                outgoing
                    .say(&FromServer::Pong {
                        payload: payload.as_deref(),
                    })
                    .await
            }
            FromClient::Pong => Ok(()),
            FromClient::Complete { id } => {
                self.operations.cancel(&id);
                Ok(())
            }
            FromClient::Subscribe { id, params } => {
                let Some(Acknowledged { requester, .. }) = self.acknowledged else {
                    return Err(End::close(4401, "Unauthorized"));
                };
                if self.operations.contains(&id) {
                    return Err(End::close(
                        4409,
                        format!("Subscriber for {id} already exists"),
                    ));
                }
                let most = self.app.settings.sockets.operations;
                if self.operations.len() >= most {
                    let message = format!("A socket runs at most {most} operations at once.");
                    let error = RequestError::new(RequestErrorCode::LimitExceeded, message);
                    return outgoing.deliver(&id, &Event::Error(error)).await;
                }
                let request_id = (self.app.request_id)();
                let context = RequestContext {
                    requester,
                    peer: self.origin.0,
                    request_id,
                    language: self.language,
                };
                if let Err(error) = self.app.keep_to_rate(&context).await {
                    return outgoing.deliver(&id, &Event::Error(error)).await;
                }
                self.operations
                    .start(id, self.app.engine.clone(), params, context);
                Ok(())
            }
        }
    }

    /// Lets a client in, or not. Without credentials it is anonymous.
    async fn acknowledge(&mut self, credentials: Credentials) -> Result<(), End> {
        let Credentials {
            authorization,
            auth_token,
        } = credentials;
        let identified = match (authorization, auth_token) {
            (Some(authorization), _) => match bearer(&authorization) {
                Some(token) => (self.app.authenticate)(token.to_owned()).await,
                None => Err(Denied::Token),
            },
            (None, Some(token)) => (self.app.authenticate)(token).await,
            (None, None) => Ok(Identity::ANONYMOUS),
        };
        let identity = identified.map_err(|denied| match denied {
            Denied::Token => End::close(4403, "Forbidden"),
            Denied::Fault(_) => {
                let error = denied_error(denied, (self.app.request_id)());
                End::close(close_code::AGAIN, error.first_message())
            }
        })?;
        let requester = identity.requester;
        let settings = &self.app.settings.sockets;
        let place = self.sockets.place(settings, requester, self.origin.0);
        let place = place.map_err(|Crowded| {
            End::close(4429, "Too many sockets of one account, or from one place")
        })?;
        self.term = Term::of(&identity, &self.app.ended);
        self.acknowledged = Some(Acknowledged {
            requester,
            _place: place,
        });
        Ok(())
    }
}

/// How to end when a message could not be read.
fn broken(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => {
            End::close(close_code::SIZE, "The message is too large")
        }
        Some(tungstenite::Error::Utf8(_)) => {
            End::close(close_code::INVALID, "The message is not in UTF-8")
        }
        Some(tungstenite::Error::Protocol(_)) => {
            End::close(close_code::PROTOCOL, "This is not the WebSocket protocol")
        }
        _ => End::Gone,
    }
}

fn shortened(mut reason: String) -> String {
    if reason.len() > MAX_REASON {
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
    }
    reason
}
