//! HTTP clients, with TLS on ring that trusts what this machine trusts.

use std::sync::Arc;
use std::time::Duration;

use domain::Fault;
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};

/// How long it may take until somebody is there at all.
const CONNECT: Duration = Duration::from_secs(5);

/// A client whose requests may take so long. It follows nobody elsewhere: what it carries is meant
/// for whom it was sent to.
pub fn client(timeout: Duration) -> Result<Client, Fault> {
    const DOING: &str = "preparing an HTTP client";
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::corrupt(DOING, error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .build()
        .map_err(|error| Fault::corrupt(DOING, error))
}
