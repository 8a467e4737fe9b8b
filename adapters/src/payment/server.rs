//! The simulated provider as a server of its own, which speaks as much of Stripe's API as the shop
//! asks for: so the network between the two is real, with everything that can go wrong on it.
//!
//! What it does follows from the token of the payment method. Beside those of the
//! [simulated provider](super::simulated):
//!
//! | token | what happens |
//! |---|---|
//! | `tok_requires_action` | the bank wants to see the buyer, who is gone: the shop takes it back |
//! | `tok_late` | in progress for as long as `late` says, then captured |
//! | `tok_decline_then_approve` | declined, and captured all the same when `late` is over |
//!
//! `tok_timeout_then_approve` breaks the connection after the money was taken, `tok_answer_twice`
//! sends its webhook twice. By their shares, any payment may be declined, lose its answer, or be
//! told of twice. Webhooks are signed as Stripe signs them and sent until somebody takes them.

mod books;
mod http;
mod objects;
mod webhooks;

use std::io;
use std::path::Path;
use std::sync::Arc;

use domain::Fault;
use domain::ports::{Clock, Entropy};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::batcher::Batcher;
use crate::config::{Secret, Simulated};
use books::{Books, Reader};

/// The file of its books in the data folder.
pub const FILE: &str = "provider-server.db";

/// A provider that can be asked over HTTP.
pub struct ProviderServer {
    desk: Arc<Desk>,
}

/// What every request and every webhook needs.
struct Desk {
    settings: Simulated,
    secret_key: Secret,
    webhook_secret: Option<Secret>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    books: Batcher<Books>,
    reader: Reader,
}

impl ProviderServer {
    /// Opens its books, or makes them. Requests have to have the secret key; webhooks are signed
    /// with the other secret, and not sent without it.
    ///
    /// # Errors
    /// A file that can't be opened.
    pub async fn open(
        path: &Path,
        settings: Simulated,
        (secret_key, webhook_secret): (Secret, Option<Secret>),
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Result<Self, Fault> {
        let file = crate::embedded::file::open(path, books::SCHEMA, "opening the provider's books")
            .await?;
        let books = Books::new(file.writer, settings.clone());
        Ok(Self {
            desk: Arc::new(Desk {
                settings,
                secret_key,
                webhook_secret,
                clock,
                entropy,
                books: Batcher::start(books, "writing the provider's books"),
                reader: Reader::new(file.readers),
            }),
        })
    }

    /// Answers requests and sends webhooks until the shutdown.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let sending = tokio::spawn(webhooks::send(self.desk.clone(), shutdown.clone()));
        let served = axum::serve(listener, http::routes(self.desk))
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .await;
        shutdown.cancel();
        let _ = sending.await;
        served
    }
}
