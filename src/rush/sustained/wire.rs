//! A connection that orders, answer by answer: as much of HTTP/1.1 as that needs, in two system
//! calls and without a task of its own. It halves what the crowd takes from the processors that it
//! shares with the shop.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use uuid::Uuid;

use crate::rush::client::{NoAnswer, Token, Transport};
use crate::rush::endpoint::{Endpoint, Stream};
use crate::rush::requests::{Asked, Line, PlaceOrder};

/// Headers of an answer, at most.
const MOST_HEADERS: usize = 32;
/// The longest answer that is read, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// A connection, made when it is needed and made again when it is lost.
pub struct Wire {
    endpoint: Arc<Endpoint>,
    timeout: Duration,
    stream: Option<Box<dyn Stream>>,
    /// What is the same in every request.
    head: Vec<u8>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Wire {
    /// A connection to `endpoint`, on which one answer may take as long as `timeout`.
    pub fn new(endpoint: Arc<Endpoint>, timeout: Duration) -> Self {
        let head = [
            b"POST ",
            endpoint.target.to_string().as_bytes(),
            b" HTTP/1.1\r\nhost: ",
            endpoint.authority.as_bytes(),
            b"\r\ncontent-type: application/json",
            b"\r\naccept: application/graphql-response+json",
            b"\r\nauthorization: ",
        ]
        .concat();
        Self {
            endpoint,
            timeout,
            stream: None,
            head,
            request: Vec::new(),
            answer: Vec::new(),
        }
    }

    /// Places an order, once.
    ///
    /// # Errors
    /// There is no answer, or it lists errors.
    pub async fn place_order(
        &mut self,
        token: &Token,
        key: Uuid,
        lines: &[Line],
    ) -> Result<Asked, NoAnswer> {
        let body = PlaceOrder::body(key, lines);
        let length = format!("\r\ncontent-length: {}\r\n\r\n", body.len());
        self.request.clear();
        for part in [&self.head, token.as_bytes(), length.as_bytes(), &body] {
            self.request.extend_from_slice(part);
        }
        let exchanged = timeout(self.timeout, self.exchange()).await;
        match exchanged.unwrap_or(Err(Transport::Timeout)) {
            Ok(Head { status, begin, .. }) => PlaceOrder::read(status, &self.answer[begin..]),
            Err(transport) => {
                // An answer that comes late would be taken for that of the next request.
                self.stream = None;
                Err(NoAnswer::Transport(transport))
            }
        }
    }

    async fn exchange(&mut self) -> Result<Head, Transport> {
        let stream = if let Some(stream) = &mut self.stream {
            stream
        } else {
            let made = self.endpoint.connect().await;
            self.stream.insert(made.map_err(|_| Transport::Connect)?)
        };
        let sent = stream.write_all(&self.request).await;
        sent.map_err(|_| Transport::BrokenOff)?;
        self.answer.clear();
        loop {
            match stream.read_buf(&mut self.answer).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(Transport::BrokenOff),
            }
            if let Some(head) = Head::read(&self.answer)?
                && self.answer.len() >= head.begin + head.length
            {
                self.answer.truncate(head.begin + head.length);
                if head.is_last {
                    self.stream = None;
                }
                return Ok(head);
            }
        }
    }
}

/// What the head of an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Head {
    status: u16,
    /// Where the body begins, and how long it is.
    begin: usize,
    length: usize,
    /// Whether the server closes the connection after it.
    is_last: bool,
}

impl Head {
    /// The head, once all of it is there.
    fn read(answer: &[u8]) -> Result<Option<Self>, Transport> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(answer);
        let status = response.code.unwrap_or_default();
        let begin = match parsed {
            Ok(httparse::Status::Complete(begin)) => begin,
            Ok(httparse::Status::Partial) if answer.len() < MOST_BYTES => return Ok(None),
            Ok(httparse::Status::Partial) | Err(_) => return Err(Transport::NotGraphQl(status)),
        };
        let header = |name: &str| {
            let mut found = response.headers.iter();
            let found = found.find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok()
        };
        // The shop knows how long its answers are; one in chunks comes from somebody between.
        let length = header("content-length").and_then(|length| length.trim().parse().ok());
        let length = length.filter(|length| *length <= MOST_BYTES);
        let is_last = header("connection").is_some_and(|word| word.eq_ignore_ascii_case("close"));
        Ok(Some(Self {
            status,
            begin,
            length: length.ok_or(Transport::NotGraphQl(status))?,
            is_last,
        }))
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nx: y\r\n\r\n{";
        let head = Head {
            status: 200,
            begin: whole.len() - 1,
            length: 3,
            is_last: false,
        };
        assert_eq!(Head::read(whole), Ok(Some(head)));
        for end in 0..whole.len() - 1 {
            assert_eq!(Head::read(&whole[..end]), Ok(None), "{end}");
        }
        let last = b"HTTP/1.1 503 -\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n";
        let head = Head::read(last).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.is_last), (503, 0, true));
        for strange in [
            "HTTP/1.1 502 -\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 502 -\r\ncontent-length: 99999999999\r\n\r\n",
            "HTTP/1.1 502 -\r\ncontent-length: -1\r\n\r\n",
            "<html>",
        ] {
            assert!(Head::read(strange.as_bytes()).is_err(), "{strange}");
        }
    }

    /// A server that answers in two parts, says that it is the last answer, and does so `most` times.
    async fn hesitating(most: usize) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for _ in 0..most {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut request = [0; 4_096];
                let read = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]);
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                assert!(head.contains(&format!("content-length: {}", body.len())));
                assert!(
                    head.starts_with("POST /graphql HTTP/1.1\r\n") && head.contains("Bearer t")
                );
                let body = r#"{"data":{"placeOrder":{"order":{"id":"order_1","state":"ACCEPTED"},"replayed":false,"userErrors":[]}}}"#;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                for part in [&head[..20], &head[20..], body] {
                    stream.write_all(part.as_bytes()).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            let (silent, _) = listener.accept().await.unwrap();
            tokio::time::sleep(Duration::from_mins(1)).await;
            drop(silent);
        });
        let endpoint = Arc::new(Endpoint::parse(&url).unwrap());
        Wire::new(endpoint, Duration::from_millis(500))
    }

    #[tokio::test]
    async fn an_answer_may_come_in_parts_and_be_the_last_of_its_connection() {
        let mut wire = hesitating(2).await;
        let token = Token::new("t").unwrap();
        for _ in 0..2 {
            let asked = wire.place_order(&token, Uuid::nil(), &[]).await;
            assert!(matches!(asked, Ok(Asked::Done { order, .. }) if order.id == "order_1"));
        }
        let none = wire.place_order(&token, Uuid::nil(), &[]).await;
        assert_eq!(none, Err(NoAnswer::Transport(Transport::Timeout)));
    }
}
