//! The secrets of a shop: made once, kept in its data folder.

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
    /// Reads the keys of a folder; nothing where there are none.
    ///
    /// # Errors
    /// A file that others may read, or that is damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>, Fault> {
        match secret_file::read(&folder.join(FILE)) {
            Ok(json) => Self::parse(&json).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::unavailable(DOING, error)),
        }
    }

    /// Reads the keys of a folder, or makes them where there are none. Of several processes that do
    /// so at once, one makes them and all have the same.
    ///
    /// # Errors
    /// A file that others may read, that is damaged, or that can't be written.
    pub fn open(folder: &Path, entropy: &dyn Entropy) -> Result<Self, Fault> {
        const WRITING: &str = "writing the keys";
        if let Some(keys) = Self::read(folder)? {
            return Ok(keys);
        }
        let stored = Stored {
            vault: vec![StoredKey {
                id: 1,
                key: fresh(entropy),
            }],
            index: fresh(entropy),
            digests: fresh(entropy),
            tokens: fresh(entropy),
        };
        let json =
            serde_json::to_vec_pretty(&stored).map_err(|error| Fault::corrupt(WRITING, error))?;
        secret_file::create(&folder.join(FILE), &json, entropy)
            .map_err(|error| Fault::unavailable(WRITING, error))?;
        Self::read(folder)?.ok_or_else(|| Fault::unavailable(WRITING, "somebody removes them"))
    }

    /// Removes the keys of a folder, for whoever has made them by mistake.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn remove(folder: &Path) -> Result<(), Fault> {
        std::fs::remove_file(folder.join(FILE))
            .map_err(|error| Fault::unavailable("removing the keys", error))
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
    fn whoever_makes_them_at_once_has_the_same() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Keyring::read(folder.path()).unwrap().is_none());
        let opened: Vec<Keyring> = std::thread::scope(|scope| {
            let open = || Keyring::open(folder.path(), &SystemEntropy).unwrap();
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(opened.iter().all(|keys| keys.tokens == opened[0].tokens));
        assert!(
            opened
                .iter()
                .all(|keys| keys.sealing.bytes == opened[0].sealing.bytes)
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        Keyring::remove(folder.path()).unwrap();
        assert!(Keyring::read(folder.path()).unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_is_no_reason_for_new_keys() {
        let folder = tempfile::tempdir().unwrap();
        secret_file::write(&folder.path().join(FILE), b"{}").unwrap();
        assert!(Keyring::open(folder.path(), &SystemEntropy).is_err());
    }
}
