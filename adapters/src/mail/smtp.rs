//! A mail server.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::mail::{Letter, Mailer};
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::compose;

/// Sends letters by SMTP, over a pool of connections.
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
            transport: builder.build(),
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
            if error.is_permanent() {
                Fault::corrupt("sending a letter", "the mail server refuses it")
            } else {
                Fault::unavailable("sending a letter", "the mail server did not take it")
            }
        })
    }
}
