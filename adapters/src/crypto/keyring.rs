//! The secrets of a shop: made once, kept in its data folder, and what stands in their file. How they
//! are replaced: [`super::rotation`].

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use domain::ports::Entropy;
use domain::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use super::vault::VaultKey;
use crate::secret_file;

/// Their file in the data folder.
pub(super) const FILE: &str = "keys.json";
const DOING: &str = "reading the keys";
const WRITING: &str = "writing the keys";

/// Every key there is. Without `Debug`.
pub struct Keyring {
    /// What personal data is or was sealed with; never empty.
    pub vault: Vec<Dated<VaultKey>>,
    pub index: [u8; 32],
    pub digests: [u8; 32],
    /// The seeds of what access tokens are or were signed with; never empty.
    pub tokens: Vec<Dated<[u8; 32]>>,
}

/// A key, and from when on it is used for what is new. It is there some time before, so that every
/// process knows it by then, and after the next one has taken over, for what is older.
#[derive(Clone, Copy)]
pub struct Dated<K> {
    pub key: K,
    pub from: Timestamp,
}

impl<K> Dated<K> {
    /// A key that was there from the beginning.
    pub const fn first(key: K) -> Self {
        let from = Timestamp::UNIX_EPOCH;
        Self { key, from }
    }

    /// The one of these that is used for what is new; nothing where there are none.
    pub fn current(keys: &[Self], now: Timestamp) -> Option<&Self> {
        let begun = keys.iter().filter(|key| key.from <= now);
        let newest = begun.max_by_key(|key| key.from);
        newest.or_else(|| keys.iter().min_by_key(|key| key.from))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    vault: Vec<StoredVaultKey>,
    index: String,
    digests: String,
    tokens: StoredTokens,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredVaultKey {
    id: u8,
    key: String,
    /// Absent from a key that was there from the beginning, as below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seals_from: Option<String>,
}

/// One key alone is how files began.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredTokens {
    One(String),
    Many(Vec<StoredTokenKey>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTokenKey {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signs_from: Option<String>,
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
        if let Some(keys) = Self::read(folder)? {
            return Ok(keys);
        }
        let keys = Self {
            vault: vec![Dated::first(VaultKey {
                id: 1,
                bytes: fresh(entropy),
            })],
            index: fresh(entropy),
            digests: fresh(entropy),
            tokens: vec![Dated::first(fresh(entropy))],
        };
        secret_file::create(&folder.join(FILE), &keys.json()?, entropy)
            .map_err(|error| Fault::unavailable(WRITING, error))?;
        Self::read(folder)?.ok_or_else(|| Fault::unavailable(WRITING, "somebody removes them"))
    }

    /// Replaces the keys of a folder. Whoever does so is the only one: see the lock of
    /// `firstcome rotate`.
    ///
    /// # Errors
    /// Whatever the disk says; then the file is as it was.
    pub fn replace(&self, folder: &Path) -> Result<(), Fault> {
        secret_file::write(&folder.join(FILE), &self.json()?)
            .map_err(|error| Fault::unavailable(WRITING, error))
    }

    /// Removes the keys of a folder, for whoever has made them by mistake.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn remove(folder: &Path) -> Result<(), Fault> {
        std::fs::remove_file(folder.join(FILE))
            .map_err(|error| Fault::unavailable("removing the keys", error))
    }

    /// What stands in the file.
    ///
    /// # Errors
    /// It is damaged; without anything of it, as these are secrets.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Fault> {
        // The error of the JSON reader may quote what it read.
        let stored: Stored =
            serde_json::from_slice(json).map_err(|_| Fault::corrupt(DOING, "not a key file"))?;
        let mut vault: Vec<Dated<VaultKey>> = Vec::with_capacity(stored.vault.len());
        for StoredVaultKey {
            id,
            key: text,
            seals_from,
        } in stored.vault
        {
            if vault.iter().any(|known| known.key.id == id) {
                return Err(Fault::corrupt(DOING, "two vault keys of one id"));
            }
            let bytes = key(&text)?;
            vault.push(dated(VaultKey { id, bytes }, seals_from)?);
        }
        let tokens = match stored.tokens {
            StoredTokens::One(text) => vec![Dated::first(key(&text)?)],
            StoredTokens::Many(keys) => keys
                .into_iter()
                .map(|stored| dated(key(&stored.key)?, stored.signs_from))
                .collect::<Result<_, Fault>>()?,
        };
        if vault.is_empty() || tokens.is_empty() {
            return Err(Fault::corrupt(
                DOING,
                "a kind of key of which there is none",
            ));
        }
        Ok(Self {
            vault,
            index: key(&stored.index)?,
            digests: key(&stored.digests)?,
            tokens,
        })
    }

    fn json(&self) -> Result<Vec<u8>, Fault> {
        let vault = self.vault.iter().map(|dated| StoredVaultKey {
            id: dated.key.id,
            key: STANDARD.encode(dated.key.bytes),
            seals_from: from(dated),
        });
        let tokens = self.tokens.iter().map(|dated| StoredTokenKey {
            key: STANDARD.encode(dated.key),
            signs_from: from(dated),
        });
        let stored = Stored {
            vault: vault.collect(),
            index: STANDARD.encode(self.index),
            digests: STANDARD.encode(self.digests),
            tokens: StoredTokens::Many(tokens.collect()),
        };
        serde_json::to_vec_pretty(&stored).map_err(|error| Fault::corrupt(WRITING, error))
    }
}

/// A key of 32 random bytes.
pub(super) fn fresh(entropy: &dyn Entropy) -> [u8; 32] {
    let mut key = [0; 32];
    entropy.fill(&mut key);
    key
}

fn key(text: &str) -> Result<[u8; 32], Fault> {
    let bytes = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Fault::corrupt(DOING, "a key that is not 32 bytes in base64"))
}

fn dated<K>(key: K, from: Option<String>) -> Result<Dated<K>, Fault> {
    let Some(from) = from else {
        return Ok(Dated::first(key));
    };
    let from = from.parse::<Timestamp>();
    let from = from.map_err(|_| Fault::corrupt(DOING, "a key from no instant on"))?;
    Ok(Dated { key, from })
}

fn from<K>(dated: &Dated<K>) -> Option<String> {
    let is_first = dated.from == Timestamp::UNIX_EPOCH;
    (!is_first).then(|| dated.from.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn same(one: &Keyring, other: &Keyring) -> bool {
        let vault = |keys: &Keyring| {
            let keys = keys.vault.iter();
            keys.map(|dated| (dated.key.id, dated.key.bytes, dated.from))
                .collect::<Vec<_>>()
        };
        let tokens = |keys: &Keyring| {
            let keys = keys.tokens.iter();
            keys.map(|dated| (dated.key, dated.from))
                .collect::<Vec<_>>()
        };
        vault(one) == vault(other)
            && tokens(one) == tokens(other)
            && (one.index, one.digests) == (other.index, other.digests)
    }

    #[test]
    fn keys_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        let second = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        assert!(same(&first, &second));
        assert!(first.tokens[0].key != first.digests && first.index != first.digests);
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
        assert!(opened.iter().all(|keys| same(keys, &opened[0])));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        Keyring::remove(folder.path()).unwrap();
        assert!(Keyring::read(folder.path()).unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_is_no_reason_for_new_keys() {
        let key = STANDARD.encode([1; 32]);
        let vault = |keys: &str| {
            format!(r#"{{"vault":[{keys}],"index":"{key}","digests":"{key}","tokens":"{key}"}}"#)
        };
        let one = format!(r#"{{"id":1,"key":"{key}"}}"#);
        assert!(Keyring::parse(vault(&one).as_bytes()).is_ok());
        let odd = format!(r#"{{"id":1,"key":"{key}","seals_from":"soon"}}"#);
        for damaged in [
            "{}".to_owned(),
            vault(""),
            vault(&format!("{one},{one}")),
            vault(&odd),
            vault(&one).replace(&key, "AAAA"),
            vault(&one).replace(&format!(r#""tokens":"{key}""#), r#""tokens":[]"#),
        ] {
            let folder = tempfile::tempdir().unwrap();
            secret_file::write(&folder.path().join(FILE), damaged.as_bytes()).unwrap();
            let told = Keyring::open(folder.path(), &SystemEntropy).err().unwrap();
            assert!(!told.detail().contains(&key), "{}", told.detail());
        }
    }

    #[test]
    fn a_key_comes_into_use_at_its_time() {
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        let key = |key, from| Dated {
            key,
            from: at(from),
        };
        let keys = [key('b', 20), Dated::first('a'), key('c', 30)];
        let current = |second| Dated::current(&keys, at(second)).map(|dated| dated.key);
        assert_eq!(current(19), Some('a'));
        assert_eq!(current(20), Some('b'));
        assert_eq!(current(31), Some('c'));
        // A clock that went back finds one all the same.
        let one = [key('c', 30)];
        assert_eq!(
            Dated::current(&one, at(1)).map(|dated| dated.key),
            Some('c')
        );
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        let from = Timestamp::from_timestamp_millis(1_790_000_000_123).unwrap();
        keys.tokens.push(Dated { key: [5; 32], from });
        let key = VaultKey {
            id: 2,
            bytes: [6; 32],
        };
        keys.vault.push(Dated { key, from });
        keys.replace(folder.path()).unwrap();
        let read = Keyring::read(folder.path()).unwrap().unwrap();
        assert!(same(&read, &keys));
    }
}
