//! Whoever asks how the nodes are, while a crowd presses.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use crate::rush::RushError;
use crate::rush::endpoint::{Endpoint, Nodes};
use crate::rush::tally::Latency;

use super::press::Window;

/// Between two questions.
const PERIOD: Duration = Duration::from_millis(100);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was answered.
pub struct Health {
    latency: Latency,
    /// Questions that a node answered with anything but that it lives, or not at all.
    unanswered: u64,
}

/// Asks each node in turn, on a connection of its own, as a proxy does.
///
/// # Errors
/// Never with the bounds of a latency.
pub async fn ask(nodes: Nodes, window: Window) -> Result<Health, RushError> {
    let latency = Latency::new();
    let mut health = Health {
        latency: latency.map_err(|error| RushError::new(format!("no probe: {error}")))?,
        unanswered: 0,
    };
    let mut at = window.begin;
    for number in 0_usize.. {
        if at >= window.end {
            break;
        }
        sleep_until(at).await;
        let begun = Instant::now();
        match timeout(PATIENCE, is_alive(nodes.of(number))).await {
            Ok(true) => health.latency.note(begun.elapsed()),
            Ok(false) | Err(_) => health.unanswered += 1,
        }
        at = (at + PERIOD).max(Instant::now());
    }
    Ok(health)
}

async fn is_alive(node: &Endpoint) -> bool {
    let Ok(mut stream) = node.connect().await else {
        return false;
    };
    let request = [
        b"GET /health/live HTTP/1.1\r\nhost: ",
        node.authority.as_bytes(),
        b"\r\nconnection: close\r\n\r\n",
    ]
    .concat();
    let mut answer = Vec::new();
    let sent = stream.write_all(&request).await.is_ok();
    // Some end a connection without saying so; what counts is what came before.
    let _ = stream.read_to_end(&mut answer).await;
    sent && answer.starts_with(b"HTTP/1.1 200 ")
}

impl Health {
    /// Whether every question was answered.
    pub fn is_clean(&self) -> bool {
        self.unanswered == 0
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("health: {}", self.latency.line())];
        if self.unanswered > 0 {
            lines.push(format!("BROKEN  {} times nobody said", self.unanswered));
        }
        lines
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({ "latency": self.latency.to_json(), "unanswered": self.unanswered })
    }
}
