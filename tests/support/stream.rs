//! A client of the subscriptions, reading server-sent events.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Caller, PATIENCE};

/// One operation's stream of events.
pub struct Stream {
    response: Response,
    unread: String,
}

impl Stream {
    /// Asks for an operation's events.
    pub async fn of(caller: &Caller, body: &Value) -> Self {
        let request = caller.request(Method::POST, "/graphql");
        let request = request.header("accept", "text/event-stream").json(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// Watches the stock of items.
    pub async fn stock_changed(caller: &Caller, items: &[&str]) -> Self {
        let document = "subscription($itemIds: [ID!]!) { stockChanged(itemIds: $itemIds) {
            itemId phase serverTime stock { available version asOf } } }";
        let body = json!({ "query": document, "variables": { "itemIds": items } });
        Self::of(caller, &body).await
    }

    /// The next result; `None` when the operation is complete, or the stream ends without that.
    pub async fn result(&mut self) -> Option<Value> {
        loop {
            let Some((event, rest)) = self.unread.split_once("\n\n") else {
                let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
                let chunk = chunk.expect("an event in time").ok()??;
                self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
                continue;
            };
            let result = event.strip_prefix("event: next\ndata: ");
            let result = result.map(|data| serde_json::from_str(data).unwrap());
            let is_end = event.starts_with("event: complete\n");
            self.unread = String::from(rest);
            if result.is_some() || is_end {
                return result;
            }
        }
    }

    /// The field of the next event.
    pub async fn next(&mut self) -> Value {
        let mut result = self.result().await.expect("an open stream");
        assert_eq!(result.get("errors"), None, "{result}");
        let data = result["data"].as_object_mut().unwrap();
        data.values_mut().next().unwrap().take()
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
}
