//! The secrets of an embedded shop: made at its first start, kept in its data folder.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Fault;
use domain::ports::Entropy;
use serde::{Deserialize, Serialize};

use super::vault::VaultKey;
use crate::secret_file;

const FILE: &str = "keys.json";
const DOING: &str = "reading the keys";

/// Every key there is. Without `Debug`.
pub struct Keyring {
    /// What personal data is sealed with now.
    pub sealing: VaultKey,
    /// What it may have been sealed with before.
    pub older: Vec<VaultKey>,
    pub index: [u8; 32],
    pub digests: [u8; 32],
    pub tokens: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// The first one seals; the others only open.
    vault: Vec<StoredKey>,
    index: String,
    digests: String,
    tokens: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: u8,
    key: String,
}

impl Keyring {
    /// Reads the keys of a folder, or makes them where there are none.
    ///
    /// # Errors
    /// A file that others may read, that is damaged, or that can't be written.
    pub fn open(folder: &Path, entropy: &dyn Entropy) -> Result<Self, Fault> {
        let path = folder.join(FILE);
        match secret_file::read(&path) {
            Ok(json) => Self::parse(&json),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let stored = Stored {
                    vault: vec![StoredKey {
                        id: 1,
                        key: fresh(entropy),
                    }],
                    index: fresh(entropy),
                    digests: fresh(entropy),
                    tokens: fresh(entropy),
                };
                let json = serde_json::to_vec_pretty(&stored)
                    .map_err(|error| Fault::corrupt("writing the keys", error))?;
                secret_file::write(&path, &json)
                    .map_err(|error| Fault::unavailable("writing the keys", error))?;
                Self::parse(&json)
            }
            Err(error) => Err(Fault::unavailable(DOING, error)),
        }
    }

    fn parse(json: &[u8]) -> Result<Self, Fault> {
        // The error of the JSON reader may quote what it read.
        let stored: Stored =
            serde_json::from_slice(json).map_err(|_| Fault::corrupt(DOING, "not a key file"))?;
        let mut vault = stored
            .vault
            .iter()
            .map(|stored| {
                Ok(VaultKey {
                    id: stored.id,
                    bytes: key(&stored.key)?,
                })
            })
            .collect::<Result<Vec<_>, Fault>>()?
            .into_iter();
        let sealing = vault
            .next()
            .ok_or_else(|| Fault::corrupt(DOING, "no vault key"))?;
        Ok(Self {
            sealing,
            older: vault.collect(),
            index: key(&stored.index)?,
            digests: key(&stored.digests)?,
            tokens: key(&stored.tokens)?,
        })
    }
}

fn fresh(entropy: &dyn Entropy) -> String {
    let mut key = [0; 32];
    entropy.fill(&mut key);
    STANDARD.encode(key)
}

fn key(text: &str) -> Result<[u8; 32], Fault> {
    let bytes = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Fault::corrupt(DOING, "a key that is not 32 bytes in base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn keys_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        let second = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        assert!(first.tokens == second.tokens && first.sealing.bytes == second.sealing.bytes);
        assert!(first.tokens != first.digests && first.index != first.digests);
    }

    #[test]
    fn a_damaged_file_is_no_reason_for_new_keys() {
        let folder = tempfile::tempdir().unwrap();
        secret_file::write(&folder.path().join(FILE), b"{}").unwrap();
        assert!(Keyring::open(folder.path(), &SystemEntropy).is_err());
    }
}
