//! `firstcome provider`: the simulated payment provider as a server of its own, which takes no money.

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::entropy::SystemEntropy;
use adapters::payment::server::{FILE, ProviderServer};
use domain::Fault;

use crate::process::Ending;
use crate::roles::endpoint::Endpoint;

/// Answers until Ctrl-C or SIGTERM. What was not told by then is told after the next start.
///
/// # Errors
/// No secret key to be asked with, an address that is taken, books that can't be opened.
pub async fn run(config: &Config) -> Result<(), Fault> {
    const DOING: &str = "starting the simulated provider";
    let payment = &config.payment;
    let missing = "payment.secret_key: must be set, here and where the provider is asked";
    let secret_key = payment.secret_key.clone();
    let secret_key = secret_key.ok_or_else(|| Fault::corrupt(DOING, missing))?;
    let folder = &config.data_dir.0;
    let made = tokio::fs::create_dir_all(folder).await;
    made.map_err(|error| Fault::unavailable(DOING, error))?;
    let server = ProviderServer::open(
        &config.path(FILE),
        payment.simulated.clone(),
        (secret_key, payment.webhook_secret.clone()),
        (Arc::new(SystemClock), Arc::new(SystemEntropy)),
    )
    .await?;
    let listen = payment.simulated.listen;
    let Endpoint { listener, url } = Endpoint::listen(listen, "payment.simulated.listen")?;
    let ending = Ending::on_signal(Duration::ZERO)?;
    println!("Provider    {url}");
    let served = server.serve(listener, ending.stop.clone()).await;
    served.map_err(|error| Fault::unavailable("serving", error))?;
    println!("Stopped.");
    Ok(())
}
