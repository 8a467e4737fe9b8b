//! What the scripts answer, as values of ours. An answer of another shape is a fault.

use domain::gate::EdgePlace;
use domain::{Fault, Timestamp};
use redis::Value;
use uuid::Uuid;

/// An answer read from its front to its end.
pub(super) struct Reply {
    values: std::vec::IntoIter<Value>,
    doing: &'static str,
}

impl Reply {
    pub fn new(doing: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Array(values) => Ok(Self {
                values: values.into_iter(),
                doing,
            }),
            _ => Err(wrong(doing, "it is no list")),
        }
    }

    /// The next value, unless it was the last.
    pub fn next(&mut self) -> Option<Value> {
        self.values.next()
    }

    pub fn is_over(&self) -> bool {
        self.values.len() == 0
    }

    fn must(&mut self) -> Result<Value, Fault> {
        self.next()
            .ok_or_else(|| wrong(self.doing, "it is too short"))
    }

    pub fn int(&mut self) -> Result<i64, Fault> {
        let value = self.must()?;
        int(self.doing, &value)
    }

    pub fn unsigned(&mut self) -> Result<u64, Fault> {
        u64::try_from(self.int()?).map_err(|_| wrong(self.doing, "a figure below 0"))
    }

    pub fn instant(&mut self) -> Result<Timestamp, Fault> {
        Timestamp::from_timestamp_millis(self.int()?)
            .ok_or_else(|| wrong(self.doing, "an impossible instant"))
    }

    /// An instant, or none where it is 0.
    pub fn maybe_instant(&mut self) -> Result<Option<Timestamp>, Fault> {
        let instant = self.instant()?;
        Ok((instant > Timestamp::UNIX_EPOCH).then_some(instant))
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Fault> {
        match self.must()? {
            Value::BulkString(bytes) => Ok(bytes),
            Value::SimpleString(text) => Ok(text.into_bytes()),
            _ => Err(wrong(self.doing, "it is no text")),
        }
    }

    pub fn text(&mut self) -> Result<String, Fault> {
        String::from_utf8(self.bytes()?).map_err(|_| wrong(self.doing, "it is no text"))
    }

    pub fn id(&mut self) -> Result<Uuid, Fault> {
        Uuid::try_parse_ascii(&self.bytes()?).map_err(|_| wrong(self.doing, "it is no id"))
    }

    /// A place in the edge queue, none where it is empty.
    pub fn place(&mut self) -> Result<Option<EdgePlace>, Fault> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        match place(&text) {
            Some(place) => Ok(Some(place)),
            None => Err(wrong(self.doing, "it is no place in a queue")),
        }
    }
}

pub(super) fn int(doing: &'static str, value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(int) => Ok(*int),
        _ => Err(wrong(doing, "it is no number")),
    }
}

/// A stream's id: when, and the how manyth of then.
pub(super) fn place(text: &str) -> Option<EdgePlace> {
    let (at_ms, number) = text.split_once('-')?;
    Some(EdgePlace {
        at_ms: at_ms.parse().ok()?,
        number: number.parse().ok()?,
    })
}

pub(super) fn wrong(doing: &'static str, what: &'static str) -> Fault {
    Fault::corrupt(doing, format!("an answer that nobody expects: {what}"))
}
