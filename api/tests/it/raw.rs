//! A client that keeps to no protocol: what it sends, and when, is a test's to say.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Server;

/// A connection.
pub struct Raw(pub TcpStream);

/// An answer: its status, its head and its body.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Json,
}

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Raw {
    pub async fn open(server: &Server) -> Self {
        Self(TcpStream::connect(server.address).await.unwrap())
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a request with this document, whole.
    pub async fn ask(&mut self, query: &str) {
        let body = serde_json::json!({ "query": query }).to_string();
        self.send(&format!("{}{body}", head(body.len()))).await;
    }

    /// The next answer, whose length has to be said.
    pub async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read_answer())
            .await
            .expect("an answer")
    }

    async fn read_answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("an answer's head"));
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.expect("a length").trim().parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            head,
        }
    }

    /// Waits until the server ends the connection; nothing more may come before that.
    pub async fn ended(&mut self) {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        // Ended in good order, or reset since something of ours was not read.
        let _ = read.expect("the server ends the connection");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

/// The head of a POST with a body of so many bytes.
pub fn head(length: usize) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}
