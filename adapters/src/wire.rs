//! What messages look like as bytes: versioned structs, converted by hand. Readers ignore fields
//! they do not know; a version they do not know is unreadable.

pub mod event;
pub mod item;
pub mod message;
pub mod order_record;
pub mod trace;

use std::fmt;

use domain::Timestamp;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why bytes are no message. Says what is wrong, never what was in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotAMessage(pub String);

impl fmt::Display for NotAMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a message: {}", self.0)
    }
}

impl std::error::Error for NotAMessage {}

impl NotAMessage {
    /// The message lacks something, or has what nobody knows.
    pub fn because(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// Reads a wire struct.
fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, NotAMessage> {
    serde_json::from_slice(json).map_err(|error| {
        // Without the text around the place: it may be anything.
        let (what, column) = (error.classify(), error.column());
        NotAMessage(format!("{what:?} at column {column}"))
    })
}

/// An id as people write it: hyphenated, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WireId(pub Uuid);

impl Serialize for WireId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut text))
    }
}

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdText)
    }
}

/// Reads an id without copying its text.
struct IdText;

impl Visitor<'_> for IdText {
    type Value = WireId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WireId, E> {
        Uuid::try_parse(text)
            .map(WireId)
            .map_err(|_| E::custom("not an id"))
    }
}

/// An instant from its epoch milliseconds.
///
/// # Errors
/// Out of the range of years there are.
pub fn instant(ms: i64) -> Result<Timestamp, NotAMessage> {
    Timestamp::from_timestamp_millis(ms)
        .ok_or_else(|| NotAMessage::because("an impossible instant"))
}
