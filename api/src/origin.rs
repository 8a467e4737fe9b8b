//! From where a request comes.
//!
//! That is the other end of its connection, and nothing that a client says changes it. Only where
//! the other end is a proxy that the operator trusts is that proxy asked whom it speaks for.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use domain::Peer;
use ipnet::IpNet;

/// Whom a proxy speaks for: each writes its own client's address behind what it was told.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is known of networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// Who is not counted by where it comes from.
    pub spared: Vec<IpNet>,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connected(pub(crate) IpAddr);

impl Networks {
    /// Whether connections from here are a proxy's, and may be anybody's.
    pub(crate) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        has(&self.trusted_proxies, address)
    }

    /// Whom a connection is counted for; for nobody where it is spared or a proxy's.
    pub(crate) fn peer_of_connection(&self, address: IpAddr) -> Option<Peer> {
        let address = address.to_canonical();
        let counted = !self.is_trusted_proxy(address) && !has(&self.spared, address);
        counted.then(|| Peer::of(address))
    }

    /// Whom a request is counted for; for nobody where it is spared, or where a proxy that is
    /// believed does not say.
    pub(crate) fn peer_of_request(&self, from: Connected, headers: &HeaderMap) -> Option<Peer> {
        let mut address = from.0.to_canonical();
        if self.is_trusted_proxy(address) {
            // From the near end on: what stands before the first that is not trusted, anybody may
            // have written.
            let said: Vec<&str> = headers
                .get_all(FORWARDED_FOR)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .collect();
            let mut said = said
                .into_iter()
                .rev()
                .map(|said| said.trim().parse::<IpAddr>());
            address = loop {
                let said = said.next()?.ok()?.to_canonical();
                if !self.is_trusted_proxy(said) {
                    break said;
                }
            };
        }
        (!has(&self.spared, address)).then(|| Peer::of(address))
    }
}

fn has(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks() -> Networks {
        let net = |text: &str| text.parse().unwrap();
        Networks {
            trusted_proxies: vec![net("10.0.0.0/8"), net("2001:db8:aa::/48")],
            spared: vec![net("127.0.0.0/8"), net("192.0.2.99/32")],
        }
    }

    fn peer(address: &str) -> Peer {
        Peer::of(address.parse().unwrap())
    }

    fn request(from: &str, said: &[&str]) -> Option<Peer> {
        let mut headers = HeaderMap::new();
        for said in said {
            headers.append(FORWARDED_FOR, said.parse().unwrap());
        }
        networks().peer_of_request(Connected(from.parse().unwrap()), &headers)
    }

    #[test]
    fn a_header_that_anyone_can_send_is_not_believed() {
        assert_eq!(request("192.0.2.1", &[]), Some(peer("192.0.2.1")));
        assert_eq!(
            request("192.0.2.1", &["198.51.100.7"]),
            Some(peer("192.0.2.1"))
        );
        assert_eq!(
            request("192.0.2.1", &["127.0.0.1"]),
            Some(peer("192.0.2.1"))
        );
        let nobody_trusted = Networks::default();
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, "198.51.100.7".parse().unwrap());
        let from = Connected("10.0.0.1".parse().unwrap());
        assert_eq!(
            nobody_trusted.peer_of_request(from, &headers),
            Some(peer("10.0.0.1"))
        );
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_speaks_for() {
        assert_eq!(request("10.0.0.1", &["192.0.2.1"]), Some(peer("192.0.2.1")));
        // The proxy's own word is the last; before it stands what its client claims.
        assert_eq!(
            request("10.0.0.1", &["127.0.0.1, 192.0.2.1"]),
            Some(peer("192.0.2.1"))
        );
        assert_eq!(
            request("10.0.0.1", &["8.8.8.8", "192.0.2.1"]),
            Some(peer("192.0.2.1"))
        );
        // Two proxies of ours, one behind the other.
        assert_eq!(
            request("10.0.0.1", &["192.0.2.1, 10.0.0.2"]),
            Some(peer("192.0.2.1"))
        );
        assert_eq!(
            request("::ffff:10.0.0.1", &["2001:db8::1"]),
            Some(peer("2001:db8::1"))
        );
    }

    #[test]
    fn who_is_spared_or_not_named_is_not_counted() {
        assert_eq!(request("127.0.0.1", &[]), None);
        assert_eq!(request("10.0.0.1", &["192.0.2.99"]), None);
        assert_eq!(request("10.0.0.1", &[]), None);
        assert_eq!(request("10.0.0.1", &["unknown"]), None);
        let of_connection = |text: &str| networks().peer_of_connection(text.parse().unwrap());
        assert_eq!(of_connection("10.0.0.1"), None);
        assert_eq!(of_connection("::ffff:127.0.0.1"), None);
        assert_eq!(of_connection("192.0.2.1"), Some(peer("192.0.2.1")));
    }
}
