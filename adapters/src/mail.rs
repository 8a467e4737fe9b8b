//! Mail: written from templates, composed and sent by lettre, into a folder or to a mail server; and
//! the folder read back.

mod figures;
mod folder;
mod rendered;
mod smtp;

use domain::Fault;
use domain::ports::mail::Letter;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

pub use folder::{FolderMailbox, FolderMailer};
pub use smtp::SmtpMailer;

/// The message of a letter: text, and the same as HTML. What goes wrong is told without the address.
fn compose(from: &Mailbox, letter: &Letter) -> Result<Message, Fault> {
    const DOING: &str = "composing a letter";
    let to = letter
        .to
        .as_str()
        .parse()
        .map_err(|_| Fault::corrupt(DOING, "no mail address"))?;
    let written = rendered::render(letter.language, &letter.content)?;
    let message_id = format!("<{}@{}>", letter.id, from.email.domain());
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(written.subject)
        .message_id(Some(message_id))
        .multipart(MultiPart::alternative_plain_html(
            written.text,
            written.html,
        ))
        .map_err(|error| Fault::corrupt(DOING, error))?;
    // No automatic answers, please (RFC 3834).
    message.headers_mut().insert_raw(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    ));
    Ok(message)
}

/// The sender that the configuration names.
///
/// # Errors
/// A text that is no mail address.
pub fn sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Letters for tests.
#[cfg(test)]
mod samples;
