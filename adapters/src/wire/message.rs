//! Any message of the log, by its topic.

use domain::message::{Message, Topic};
use uuid::Uuid;

use super::{NotAMessage, event, order_record};

/// The key and the bytes of a message.
///
/// # Errors
/// An order without lines, which nobody can place.
pub fn encode(message: &Message) -> Result<(Uuid, Vec<u8>), NotAMessage> {
    match message {
        Message::Order(record) => {
            let key = record.draft.first_item();
            let key = key.ok_or_else(|| NotAMessage::because("an order without lines"))?;
            Ok((key.0, order_record::encode(record)?))
        }
        Message::Event(event) => Ok((event.key(), event::encode(event)?.into_bytes())),
    }
}

/// The message of these bytes.
///
/// # Errors
/// Bytes that are none, or of a version that nobody knows.
pub fn decode(topic: Topic, bytes: &[u8]) -> Result<Message, NotAMessage> {
    match topic {
        Topic::OrderAccepted => order_record::decode(bytes).map(Message::Order),
        Topic::Orders | Topic::Items | Topic::Accounts => event::decode(bytes).map(Message::Event),
    }
}
