//! Where the crowd goes, and connections to it: TCP or TLS, for HTTP and for WebSockets alike.
//! A shop may have several nodes; the crowd is spread over them.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A GraphQL endpoint.
#[derive(Clone)]
pub struct Endpoint {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// The value of a `Host` header.
    pub authority: HeaderValue,
    /// The path with its query, as a request line names it.
    pub target: Uri,
    tls: Option<TlsConnector>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Endpoint({}:{}{})", self.host, self.port, self.target)
    }
}

/// The endpoints of one shop, at least one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Nodes(Arc<[Arc<Endpoint>]>);

impl Nodes {
    /// Reads their URLs.
    ///
    /// # Errors
    /// A sentence that says what is wrong with one, or that there is none.
    pub fn parse(urls: &[String]) -> Result<Self, String> {
        if urls.is_empty() {
            return Err("there is no URL to go to".to_owned());
        }
        let nodes = urls.iter().map(|url| Endpoint::parse(url).map(Arc::new));
        nodes.collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The node of the connection, subscriber or buyer of this number.
    pub fn of(&self, number: usize) -> &Arc<Endpoint> {
        &self.0[number % self.0.len()]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.0.iter()
    }
}

/// What both sides of a connection are written to and read from.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Endpoint {
    /// Reads a URL like `http://127.0.0.1:8000/graphql`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("{url}: it has to start with http:// or https://")),
        };
        let authority = uri
            .authority()
            .ok_or_else(|| format!("{url}: it names no host"))?;
        if authority.as_str().contains('@') {
            return Err("a URL is no place for a password".to_owned());
        }
        let host = authority.host();
        let header = HeaderValue::from_str(authority.as_str());
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_tls { 443 } else { 80 }),
            authority: header.map_err(|error| format!("{url}: {error}"))?,
            target: uri
                .path_and_query()
                .cloned()
                .map_or_else(Uri::default, Uri::from),
            tls: is_tls.then(connector).transpose()?,
        })
    }

    /// The URL that it was read from.
    pub fn url(&self) -> String {
        self.with_scheme(if self.tls.is_some() { "https" } else { "http" })
    }

    /// The same for a WebSocket, as its handshake names it.
    pub fn websocket_url(&self) -> String {
        self.with_scheme(if self.tls.is_some() { "wss" } else { "ws" })
    }

    fn with_scheme(&self, scheme: &str) -> String {
        let authority = self.authority.to_str().unwrap_or_default();
        format!("{scheme}://{authority}{}", self.target)
    }

    /// Makes a connection.
    ///
    /// # Errors
    /// Nobody is there, the certificate is not trusted, or it takes too long.
    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        timeout(CONNECT_TIMEOUT, self.connect_at_ease())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn connect_at_ease(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

/// TLS that trusts what this machine trusts.
fn connector() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this machine trusts no certificate authority".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (url, host, port, websocket) in [
            (
                "http://127.0.0.1:8000/graphql",
                "127.0.0.1",
                8000,
                "ws://127.0.0.1:8000/graphql",
            ),
            (
                "http://shop.example.test",
                "shop.example.test",
                80,
                "ws://shop.example.test/",
            ),
            (
                "http://[::1]:8000/graphql?a=1",
                "::1",
                8000,
                "ws://[::1]:8000/graphql?a=1",
            ),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(
                (endpoint.host.as_str(), endpoint.port),
                (host, port),
                "{url}"
            );
            assert_eq!(endpoint.websocket_url(), websocket);
            assert_eq!(endpoint.url().replace("http", "ws"), websocket);
        }
    }

    #[test]
    fn everybody_has_a_node() {
        assert!(Nodes::parse(&[]).is_err());
        let urls = [1, 2].map(|port| format!("http://127.0.0.1:{port}/graphql"));
        let nodes = Nodes::parse(&urls).unwrap();
        assert_eq!(nodes.count(), 2);
        let ports: Vec<_> = (0..4).map(|number| nodes.of(number).port).collect();
        assert_eq!(ports, [1, 2, 1, 2]);
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for url in [
            "",
            "localhost:8000",
            "ftp://example.test/",
            "/graphql",
            "http://a:b@example.test/",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
