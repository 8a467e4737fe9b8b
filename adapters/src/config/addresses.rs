//! Servers by host and port.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Some servers, each as `host:port` (`redis://host:port` is the same): a list, or one text with
/// commas between them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Addresses(Vec<String>);

impl Addresses {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each as `host:port`.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    #[must_use]
    pub fn to_vec(&self) -> Vec<String> {
        self.0.clone()
    }

    /// With commas between them, as Kafka's clients take them.
    #[must_use]
    pub fn joined(&self) -> String {
        self.0.join(",")
    }

    /// The first that is not `host:port`.
    pub(super) fn unsound(&self) -> Option<&str> {
        self.iter().find(|address| !is_sound(address))
    }
}

fn is_sound(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let is_bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    let is_plain = !host.contains(['/', '@', ' ']);
    !host.is_empty() && is_bare && is_plain && port.parse::<u16>().is_ok_and(|port| port > 0)
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

fn bare(address: &str) -> &str {
    let address = address.trim();
    let bare = address.strip_prefix("redis://").unwrap_or(address);
    bare.strip_suffix('/').unwrap_or(bare)
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Addresses;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("addresses like `host:port`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Addresses, E> {
        let addresses = text.split(',').map(bare);
        let addresses = addresses.filter(|address| !address.is_empty());
        Ok(Addresses(addresses.map(str::to_owned).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
        let mut addresses = Vec::new();
        while let Some(address) = list.next_element::<String>()? {
            addresses.push(bare(&address).to_owned());
        }
        Ok(Addresses(addresses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Addresses {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_list_and_a_text_are_the_same() {
        let list = parsed(r#"["redis://a.example.test:1/", "[::1]:2"]"#);
        assert_eq!(list, parsed(r#""a.example.test:1, [::1]:2,""#));
        assert_eq!(list.joined(), "a.example.test:1,[::1]:2");
        assert_eq!(list.unsound(), None);
        assert!(parsed(r#""""#).is_empty());
    }

    #[test]
    fn what_is_no_host_and_port_is_found() {
        for unsound in [
            "a",
            ":1",
            "a:",
            "a:0",
            "a:70000",
            "::1",
            "http://a:1",
            "b@a:1",
        ] {
            let addresses = Addresses(vec!["a:1".to_owned(), unsound.to_owned()]);
            assert_eq!(addresses.unsound(), Some(unsound));
        }
    }
}
