//! Mail: composed and sent by lettre, into a folder or to a mail server; and the folder read back.

mod folder;
mod smtp;

use domain::Fault;
use domain::ports::mail::Letter;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;

pub use folder::{FolderMailbox, FolderMailer};
pub use smtp::SmtpMailer;

/// The message of a letter. What goes wrong is told without the address.
fn compose(from: &Mailbox, letter: &Letter) -> Result<Message, Fault> {
    const DOING: &str = "composing a letter";
    let to = letter
        .to
        .as_str()
        .parse()
        .map_err(|_| Fault::corrupt(DOING, "no mail address"))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|error| Fault::corrupt(DOING, error))
}

/// The sender that the configuration names.
///
/// # Errors
/// A text that is no mail address.
pub fn sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|error| format!("{error}"))
}
