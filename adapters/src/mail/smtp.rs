//! A mail server.

use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::mail::{Letter, Mailer};
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::compose;

/// How long a connection may take to be made; how long the whole of it may, is the guard's.
const CONNECTING: Duration = Duration::from_secs(5);
/// Codes that turn down the sender's login rather than a letter (RFC 4954): a letter is not to blame
/// for them, and may go out once the settings are right.
const LOGIN: [u16; 4] = [530, 534, 535, 538];

/// Sends letters by SMTP, each over a connection of its own: letters are few, and a conversation that
/// is given up in the middle then leaves nothing behind for the next letter to read.
pub struct SmtpMailer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpMailer {
    /// A server by URL: `smtps://user:password@host:465`, `smtp://user:password@host:587?tls=required`,
    /// or `smtp://host:25` without encryption.
    ///
    /// # Errors
    /// A URL that names no server; told without the URL, which carries a password.
    pub fn new(url: &str, from: Mailbox) -> Result<Self, Fault> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| Fault::corrupt("reading the mail server's URL", "no SMTP URL"))?;
        Ok(Self {
            from,
            transport: builder.timeout(Some(CONNECTING)).build(),
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        let message = compose(&self.from, letter)?;
        let sent = self.transport.send(message).await;
        // A server's refusal may quote the address, so only its kind is told. One that is for good
        // (5yz, RFC 5321) would be the same at every try.
        sent.map(drop).map_err(|error| {
            if error.is_permanent() && !is_about_login(&error) {
                Fault::corrupt("sending a letter", "the mail server refuses it")
            } else {
                Fault::unavailable("sending a letter", "the mail server did not take it")
            }
        })
    }
}

fn is_about_login(error: &lettre::transport::smtp::Error) -> bool {
    error
        .status()
        .is_some_and(|code| LOGIN.contains(&u16::from(code)))
}

#[cfg(test)]
mod tests;
