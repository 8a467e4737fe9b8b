//! GraphQL over HTTP for a crowd: one kept-alive connection for each buyer at work, constant
//! documents with variables, and a clear line between what was answered and what was not.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::endpoint::Endpoint;

/// The longest answer that is read, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A document; the same text every time, so that a server can keep it parsed. It is written into
/// JSON as it is: no quotes, backslashes or line breaks.
#[derive(Clone, Copy, Debug)]
pub struct Document(pub &'static str);

/// An access token as a header, marked so that nothing prints it.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// # Errors
    /// It has characters that no token has.
    pub fn new(token: &str) -> Result<Self, &'static str> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "an access token has characters that no token has")?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The header's value.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The server says that it could not do it.
    Fault {
        /// As in `extensions.code`.
        code: String,
        /// Whether the same request may succeed later.
        retryable: bool,
    },
    /// It did not get there, or what came back is no answer. Nobody knows what became of it.
    Transport(Transport),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Transport {
    Connect,
    Timeout,
    BrokenOff,
    NotGraphQl(u16),
}

impl NoAnswer {
    /// Whether the same request under the same key may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Fault { retryable, .. } => *retryable,
            Self::Transport(_) => true,
        }
    }
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault { code, .. } => write!(out, "fault {code}"),
            Self::Transport(transport) => transport.fmt(out),
        }
    }
}

impl std::fmt::Display for Transport {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect => out.write_str("no connection"),
            Self::Timeout => out.write_str("no answer in time"),
            Self::BrokenOff => out.write_str("connection broken off"),
            Self::NotGraphQl(status) => write!(out, "HTTP {status} without a GraphQL answer"),
        }
    }
}

/// A connection, made when it is needed and made again when it is lost.
pub struct Client {
    endpoint: Arc<Endpoint>,
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub fn new(endpoint: Arc<Endpoint>, timeout: Duration) -> Self {
        Self {
            endpoint,
            timeout,
            sender: None,
        }
    }

    /// Asks, once.
    ///
    /// # Errors
    /// There is no answer, or it lists errors.
    pub async fn ask<V: Serialize, T: DeserializeOwned>(
        &mut self,
        token: Option<&Token>,
        document: Document,
        variables: &V,
    ) -> Result<T, NoAnswer> {
        let body = body(document, variables);
        let exchanged = timeout(self.timeout, self.exchange(token, body)).await;
        let exchanged = exchanged.unwrap_or(Err(Transport::Timeout));
        let (status, bytes) = exchanged.map_err(|transport| {
            // An answer that comes late would be taken for that of the next request.
            self.sender = None;
            NoAnswer::Transport(transport)
        })?;
        read(status, &bytes)
    }

    async fn exchange(
        &mut self,
        token: Option<&Token>,
        body: Bytes,
    ) -> Result<(u16, Bytes), Transport> {
        let response = self.send(token, body).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST_BYTES);
        let bytes = body
            .collect()
            .await
            .map_err(|_| Transport::BrokenOff)?
            .to_bytes();
        Ok((status, bytes))
    }

    async fn send(
        &mut self,
        token: Option<&Token>,
        body: Bytes,
    ) -> Result<Response<Incoming>, Transport> {
        let request = self.request(token, body)?;
        if let Some(sender) = &mut self.sender
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                // The server closed an idle connection: the request was never sent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => return self.send_afresh(unsent).await,
                    None => return Err(Transport::BrokenOff),
                },
            }
        }
        self.send_afresh(request).await
    }

    async fn send_afresh(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Transport> {
        let stream = self
            .endpoint
            .connect()
            .await
            .map_err(|_| Transport::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Transport::Connect)?;
        // It ends with the sender; how it went shows in the answers.
        tokio::spawn(connection);
        let sender = self.sender.insert(sender);
        sender
            .send_request(request)
            .await
            .map_err(|_| Transport::BrokenOff)
    }

    fn request(
        &self,
        token: Option<&Token>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Transport> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const ANSWER: HeaderValue = HeaderValue::from_static("application/graphql-response+json");
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.target.clone())
            .header(HOST, &self.endpoint.authority)
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, ANSWER);
        if let Some(Token(header)) = token {
            request = request.header(AUTHORIZATION, header);
        }
        // Every part of it was checked before.
        request
            .body(Full::new(body))
            .map_err(|_| Transport::Connect)
    }
}

/// A request's body.
pub fn body(Document(document): Document, variables: &impl Serialize) -> Bytes {
    let mut body = Vec::with_capacity(document.len() + 256);
    body.extend_from_slice(b"{\"query\":\"");
    body.extend_from_slice(document.as_bytes());
    body.extend_from_slice(b"\",\"variables\":");
    // Variables are structs of strings and numbers, which can always be written.
    if serde_json::to_writer(&mut body, variables).is_err() {
        body.extend_from_slice(b"null");
    }
    body.push(b'}');
    body.into()
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    code: Option<String>,
    reason: Option<String>,
    retryable: Option<bool>,
}

/// What an answer says.
///
/// # Errors
/// It lists errors, or is none.
pub fn read<T: DeserializeOwned>(status: u16, bytes: &[u8]) -> Result<T, NoAnswer> {
    let not_graphql = NoAnswer::Transport(Transport::NotGraphQl(status));
    // An answer with errors may lack what was asked for, so its data is not read.
    let Ok(envelope) = serde_json::from_slice::<Envelope<T>>(bytes) else {
        let listed = serde_json::from_slice::<Envelope<serde::de::IgnoredAny>>(bytes);
        return Err(listed.ok().and_then(fault).unwrap_or(not_graphql));
    };
    match envelope {
        Envelope {
            data: Some(data),
            errors,
        } if errors.is_empty() => Ok(data),
        envelope => Err(fault(envelope).unwrap_or(not_graphql)),
    }
}

/// The first of the errors that an answer lists.
fn fault<T>(envelope: Envelope<T>) -> Option<NoAnswer> {
    let Listed { extensions } = envelope.errors.into_iter().next()?;
    let code = extensions.reason.or(extensions.code);
    let code = code.unwrap_or_else(|| "UNKNOWN".to_owned());
    let retryable = extensions.retryable.unwrap_or(code == "UNAVAILABLE");
    Some(NoAnswer::Fault { code, retryable })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_is_its_data() {
        let data: Value = read(200, br#"{"data":{"a":1}}"#).unwrap();
        assert_eq!(data, json!({ "a": 1 }));
    }

    #[test]
    fn errors_are_a_fault_whatever_the_data() {
        let fault = |code: &str, retryable| NoAnswer::Fault {
            code: code.to_owned(),
            retryable,
        };
        for (body, expected) in [
            (
                r#"{"data":null,"errors":[{"message":"m","extensions":{"code":"INTERNAL"}}]}"#,
                fault("INTERNAL", false),
            ),
            (
                r#"{"data":{"a":[]},"errors":[{"message":"m","extensions":{"code":"UNAVAILABLE","retryable":true}}]}"#,
                fault("UNAVAILABLE", true),
            ),
            (
                r#"{"errors":[{"message":"m","extensions":{"code":"UNAVAILABLE"}},{"message":"n"}]}"#,
                fault("UNAVAILABLE", true),
            ),
            (r#"{"errors":[{"message":"m"}]}"#, fault("UNKNOWN", false)),
        ] {
            assert_eq!(
                read::<Vec<u8>>(200, body.as_bytes()),
                Err(expected),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_graphql_is_said_to_be_none() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"data":null}"#,
            r#"{"errors":[]}"#,
        ] {
            let expected = Err(NoAnswer::Transport(Transport::NotGraphQl(502)));
            assert_eq!(read::<Vec<u8>>(502, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_body_is_json() {
        let body = body(Document("query Q($a: Int) { b }"), &json!({ "a": "\"x" }));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            json!({ "query": "query Q($a: Int) { b }", "variables": { "a": "\"x" } })
        );
    }

    /// A server that hangs up after every answer without saying so; after `most` it does not answer.
    async fn short_spoken(most: usize) -> Client {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answered in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                if answered < most {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"data\":1}";
                    stream.write_all(answer).await.unwrap();
                }
            }
        });
        let endpoint = Arc::new(Endpoint::parse(&url).unwrap());
        Client::new(endpoint, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_connection_that_is_lost_is_made_again() {
        let mut client = short_spoken(3).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(
                client
                    .ask::<_, u8>(None, Document("{ a }"), &json!({}))
                    .await,
            );
            // Until the client has noticed that the other side hung up.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let broken_off = Err(NoAnswer::Transport(Transport::BrokenOff));
        assert_eq!(answers, [Ok(1), Ok(1), Ok(1), broken_off]);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let endpoint = Arc::new(Endpoint::parse(&url).unwrap());
        let mut client = Client::new(endpoint, Duration::from_millis(50));
        let answer = client
            .ask::<_, u8>(None, Document("{ a }"), &json!({}))
            .await;
        assert_eq!(answer, Err(NoAnswer::Transport(Transport::Timeout)));
    }

    #[test]
    fn a_token_with_a_line_break_is_none() {
        assert!(Token::new("a.b.c").is_ok());
        assert!(Token::new("a\r\nb").is_err());
    }
}
