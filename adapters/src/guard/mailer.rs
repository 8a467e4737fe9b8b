//! The mail server behind a breaker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Mailer;
use domain::ports::mail::Letter;
use tokio::sync::Semaphore;

use super::GuardSettings;
use super::breaker::Breaker;

/// Letters that the mail server is given at the same time: each is a connection of its own, and most
/// servers let nobody have more than ten.
const AT_ONCE: usize = 8;

/// A mail server that is away is not waited for; its refusal of a letter is an answer.
pub struct GuardedMailer {
    inner: Arc<dyn Mailer>,
    breaker: Breaker,
    turns: Semaphore,
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
            turns: Semaphore::new(AT_ONCE),
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
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        self.breaker.run(self.limit, self.inner.send(letter)).await
    }
}
