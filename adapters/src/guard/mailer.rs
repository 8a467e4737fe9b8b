//! The mail server behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Mailer;
use domain::ports::mail::Letter;

use super::GuardSettings;
use super::breaker::Breaker;

/// A mail server that is away is not waited for; its refusal of a letter is an answer.
pub struct GuardedMailer {
    inner: Arc<dyn Mailer>,
    breaker: Breaker,
    limit: Duration,
}

impl GuardedMailer {
    /// # Errors
    /// Settings that make no sense.
    pub fn new(inner: Arc<dyn Mailer>, settings: &GuardSettings) -> Result<Self, Fault> {
        let doing = "sending a letter";
        Ok(Self {
            inner,
            breaker: Breaker::new("mail server", doing, settings.failures, settings.pause)?,
            limit: settings.mail,
        })
    }

    /// Its breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }
}

#[async_trait]
impl Mailer for GuardedMailer {
    async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        self.breaker.run(self.limit, self.inner.send(letter)).await
    }
}
