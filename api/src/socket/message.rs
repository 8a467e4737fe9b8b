//! The protocol's messages.

use async_graphql::{Response, ServerError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::http::params;
use crate::request::Params;

/// The longest id of an operation that is taken, in bytes.
const MAX_ID: usize = 128;

/// What a client may say.
pub(super) enum FromClient {
    ConnectionInit(Credentials),
    Ping(Option<Box<RawValue>>),
    Pong,
    Subscribe { id: String, params: Params },
    Complete { id: String },
}

/// What `connection_init` says of who asks. Other things in it are nobody's business here.
#[derive(Default)]
pub(super) struct Credentials {
    /// The value of an `Authorization` header.
    pub(super) authorization: Option<String>,
    /// An access token by itself.
    pub(super) auth_token: Option<String>,
}

impl FromClient {
    /// Reads a message with at most `most` brackets within brackets; the error is the reason to close
    /// with.
    pub(super) fn read(text: &str, most: usize) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(rename = "type")]
            kind: String,
            id: Option<String>,
            #[serde(borrow)]
            payload: Option<&'a RawValue>,
        }
        params::check_depth(text.as_bytes(), most).map_err(|error| error.first_message())?;
        let Message { kind, id, payload } =
            serde_json::from_str(text).map_err(|_| "Invalid message received".to_owned())?;
        let payload = payload.filter(|payload| payload.get() != "null");
        let id = || match id {
            Some(id) if !id.is_empty() && id.len() <= MAX_ID => Ok(id),
            _ => Err(format!("The message needs an id of 1 to {MAX_ID} bytes")),
        };
        match kind.as_str() {
            "connection_init" => Ok(Self::ConnectionInit(Credentials::read(payload)?)),
            "ping" => Ok(Self::Ping(object(payload)?.map(ToOwned::to_owned))),
            "pong" => object(payload).map(|_| Self::Pong),
            "subscribe" => {
                let body = payload
                    .ok_or("The message needs a payload")?
                    .get()
                    .as_bytes();
                let params =
                    params::from_body(body, most).map_err(|error| error.first_message())?;
                Ok(Self::Subscribe { id: id()?, params })
            }
            "complete" => Ok(Self::Complete { id: id()? }),
            _ => Err("Invalid message type".to_owned()),
        }
    }
}

fn object(payload: Option<&RawValue>) -> Result<Option<&RawValue>, String> {
    match payload {
        Some(payload) if !payload.get().starts_with('{') => {
            Err("The payload has to be an object".to_owned())
        }
        _ => Ok(payload),
    }
}

impl Credentials {
    fn read(payload: Option<&RawValue>) -> Result<Self, String> {
        let Some(payload) = object(payload)? else {
            return Ok(Self::default());
        };
        let entries: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(payload.get()).map_err(|_| "The payload can't be read")?;
        let mut credentials = Self::default();
        for (name, value) in entries {
            let slot = if name.eq_ignore_ascii_case("authorization") {
                &mut credentials.authorization
            } else if name == "authToken" {
                &mut credentials.auth_token
            } else {
                continue;
            };
            match value {
                serde_json::Value::String(text) => *slot = Some(text),
                serde_json::Value::Null => {}
                _ => return Err(format!("\"{name}\" has to be a string")),
            }
        }
        Ok(credentials)
    }
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromServer<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a RawValue>,
    },
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 8;

    #[test]
    fn each_message_is_read() {
        let init = r#"{"type":"connection_init","payload":{"authorization":"Bearer x","other":1}}"#;
        assert!(
            matches!(FromClient::read(init, MOST), Ok(FromClient::ConnectionInit(credentials))
            if credentials.authorization.as_deref() == Some("Bearer x"))
        );
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"authToken":"x"}}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong"}"#,
            r#"{"payload":{"query":"{a}"},"id":"1","type":"subscribe"}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            assert!(FromClient::read(text, MOST).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(MAX_ID + 1));
        for text in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"error","id":"1","payload":[]}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"connection_init","payload":{"authToken":1}}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"complete"}"#,
            &long,
            r#"{"type":"ping","payload":{"a":[[[[[[[1]]]]]]]}}"#,
        ] {
            assert!(FromClient::read(text, MOST).is_err(), "{text}");
        }
    }
}
