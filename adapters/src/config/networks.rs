//! Networks by their prefixes.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

/// Some networks (`10.0.0.0/8`) or single addresses: a list, or one text with commas between them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    #[must_use]
    pub fn to_vec(&self) -> Vec<IpNet> {
        self.0.clone()
    }

    /// What this machine is to itself.
    pub(super) fn this_machine() -> Self {
        let v4 = IpNet::new_assert([127, 0, 0, 0].into(), 8);
        let v6 = IpNet::new_assert([0_u16, 0, 0, 0, 0, 0, 0, 1].into(), 128);
        Self(vec![v4, v6])
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<String>),
            Text(String),
        }
        let written = match Written::deserialize(deserializer)? {
            Written::List(list) => list,
            Written::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let named = written.iter().map(|text| text.trim());
        let named = named.filter(|text| !text.is_empty());
        let networks: Result<Vec<IpNet>, D::Error> = named.map(network).collect();
        networks.map(Self)
    }
}

fn network<E: serde::de::Error>(text: &str) -> Result<IpNet, E> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    let found = text.parse::<IpNet>().or_else(|_| alone());
    found.map_err(|_| E::custom(format!("`{text}` is no network; write `10.0.0.0/8`")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_and_a_text_are_the_same() {
        let read = |value| serde_json::from_value::<Networks>(value).map_err(drop);
        let both = read(json!(["10.0.0.0/8", "192.0.2.1"])).unwrap();
        assert_eq!(read(json!("10.0.0.0/8, 192.0.2.1")), Ok(both.clone()));
        assert_eq!(both.to_vec()[1].prefix_len(), 32);
        assert_eq!(read(json!("")), Ok(Networks::default()));
        for wrong in [json!("10.0.0.0/33"), json!(["proxy"]), json!(1)] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
