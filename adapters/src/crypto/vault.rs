//! Personal data at rest: sealed where it is stored, found by a keyed digest.
//!
//! A sealed text is `key id (1 byte) | nonce (12) | ciphertext and tag` by AES-256-GCM (NIST SP
//! 800-38D) with a random nonce, bound to the table, column and row it stands in: moved elsewhere it
//! no longer opens. The nonce is random, so a key seals at most 2³² texts; then it is rotated.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use arc_swap::ArcSwap;
use domain::Timestamp;
use domain::ports::Entropy;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::keyring::Dated;

const NONCE: usize = 12;
const TAG: usize = 16;

/// A key of the vault. Without `Debug`.
#[derive(Clone)]
pub struct VaultKey {
    /// Written before everything it seals; no other key has it as long as anything is sealed with
    /// this one.
    pub id: u8,
    pub bytes: [u8; 32],
}

/// The place a sealed text belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub row: Uuid,
}

/// Seals and opens personal data. Without `Debug`. Clones share their keys.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<ArcSwap<Ring>>,
    index: Hmac<Sha256>,
    entropy: Arc<dyn Entropy>,
}

/// The keys of a moment.
struct Ring {
    sealing: u8,
    ciphers: BTreeMap<u8, Aes256Gcm>,
    /// From when on each key seals.
    turns: Vec<Dated<u8>>,
}

/// Why a text could not be sealed or opened; without anything of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VaultError {
    /// Nobody has the key it was sealed with.
    UnknownKey { id: u8 },
    /// Damaged, cut off, or moved from another row.
    NotOurs,
    /// It opens, but is no text.
    NotText,
    /// Longer than the cipher allows (64 GiB).
    TooLong,
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { id } => write!(f, "sealed with key {id}, which nobody has"),
            Self::NotOurs => f.write_str("damaged, or moved from another row"),
            Self::NotText => f.write_str("opened, but no text"),
            Self::TooLong => f.write_str("too long to be sealed"),
        }
    }
}

impl std::error::Error for VaultError {}

impl Vault {
    /// A vault that seals with the key whose time it is, and opens what any of them sealed. `index`
    /// is the key of [`Vault::index`]; another one finds nothing that was written before.
    #[must_use]
    pub fn new(
        keys: &[Dated<VaultKey>],
        now: Timestamp,
        index: &[u8; 32],
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        // A key shorter than the block is filled up with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..index.len()].copy_from_slice(index);
        Self {
            ring: Arc::new(ArcSwap::from_pointee(Ring::new(keys, now))),
            index: Hmac::new(&block.into()),
            entropy,
        }
    }

    /// A vault with one key, for ever.
    #[must_use]
    pub fn with(key: VaultKey, index: &[u8; 32], entropy: Arc<dyn Entropy>) -> Self {
        Self::new(&[Dated::first(key)], Timestamp::UNIX_EPOCH, index, entropy)
    }

    /// Takes other keys, here and in every clone. What it could open it goes on to open: somebody may
    /// have read it just before it was sealed anew.
    pub fn replace(&self, keys: &[Dated<VaultKey>], now: Timestamp) {
        let mut ring = Ring::new(keys, now);
        for (id, cipher) in &self.ring.load().ciphers {
            ring.ciphers.entry(*id).or_insert_with(|| cipher.clone());
        }
        self.ring.store(Arc::new(ring));
    }

    /// Seals with the key whose time it is by now.
    pub fn turn(&self, now: Timestamp) {
        let ring = self.ring.load();
        let sealing = current(&ring.turns, now);
        if sealing != ring.sealing {
            let ring = Ring {
                sealing,
                ciphers: ring.ciphers.clone(),
                turns: ring.turns.clone(),
            };
            self.ring.store(Arc::new(ring));
        }
    }

    /// The id of the key that it seals with.
    pub fn sealing(&self) -> u8 {
        self.ring.load().sealing
    }

    /// Seals a text for its place. Twice the same text never looks the same.
    ///
    /// # Errors
    /// [`VaultError::TooLong`].
    pub fn seal(&self, place: Place, text: &str) -> Result<Vec<u8>, VaultError> {
        let ring = self.ring.load();
        let cipher = ring.cipher(ring.sealing)?;
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let payload = Payload {
            msg: text.as_bytes(),
            aad: &place.bytes(),
        };
        let body = cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| VaultError::TooLong)?;
        let mut sealed = Vec::with_capacity(1 + NONCE + body.len());
        sealed.push(ring.sealing);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// The key is unknown, or it was not sealed for this place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<String, VaultError> {
        let (id, rest) = sealed.split_first().ok_or(VaultError::NotOurs)?;
        let (nonce, body) = rest
            .split_first_chunk::<NONCE>()
            .ok_or(VaultError::NotOurs)?;
        if body.len() < TAG {
            return Err(VaultError::NotOurs);
        }
        let payload = Payload {
            msg: body,
            aad: &place.bytes(),
        };
        let ring = self.ring.load();
        let text = ring
            .cipher(*id)?
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| VaultError::NotOurs)?;
        String::from_utf8(text).map_err(|_| VaultError::NotText)
    }

    /// A digest by which equal texts are found without opening any: HMAC-SHA-256 under a key of its
    /// own. `purpose` keeps the same text in two columns apart.
    #[must_use]
    pub fn index(&self, purpose: &'static str, text: &str) -> [u8; 32] {
        let mut mac = self.index.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Ring {
    fn new(keys: &[Dated<VaultKey>], now: Timestamp) -> Self {
        let cipher = |dated: &Dated<VaultKey>| Aes256Gcm::new(&dated.key.bytes.into());
        let turn = |dated: &Dated<VaultKey>| Dated {
            key: dated.key.id,
            from: dated.from,
        };
        let turns: Vec<_> = keys.iter().map(turn).collect();
        Self {
            sealing: current(&turns, now),
            ciphers: keys.iter().map(|key| (key.key.id, cipher(key))).collect(),
            turns,
        }
    }

    fn cipher(&self, id: u8) -> Result<&Aes256Gcm, VaultError> {
        self.ciphers.get(&id).ok_or(VaultError::UnknownKey { id })
    }
}

/// The key that seals now. No key has the id 0, so without any nothing is sealed.
fn current(turns: &[Dated<u8>], now: Timestamp) -> u8 {
    Dated::current(turns, now).map_or(0, |turn| turn.key)
}

impl Place {
    /// What binds a ciphertext to its place: unambiguous, since no name holds a zero byte.
    fn bytes(self) -> Vec<u8> {
        [
            self.table.as_bytes(),
            &[0],
            self.column.as_bytes(),
            &[0],
            self.row.as_bytes(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Fills with a byte that is another one each time.
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn key(id: u8) -> VaultKey {
        VaultKey {
            id,
            bytes: [id; 32],
        }
    }

    fn vault(sealing: u8, older: &[u8]) -> Vault {
        let mut keys: Vec<_> = older.iter().map(|id| Dated::first(key(*id))).collect();
        keys.push(Dated {
            key: key(sealing),
            from: now(),
        });
        let entropy = Arc::new(Counting(AtomicU8::new(0)));
        Vault::new(&keys, now(), &[9; 32], entropy)
    }

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn place(column: &'static str, row: u128) -> Place {
        Place {
            table: "accounts",
            column,
            row: Uuid::from_u128(row),
        }
    }

    #[test]
    fn a_text_opens_where_it_was_sealed_and_nowhere_else() {
        let vault = vault(1, &[]);
        let sealed = vault.seal(place("name", 1), "Kim").unwrap();
        assert_eq!(vault.open(place("name", 1), &sealed).as_deref(), Ok("Kim"));
        assert_eq!(
            vault.open(place("name", 2), &sealed),
            Err(VaultError::NotOurs)
        );
        assert_eq!(
            vault.open(place("phone", 1), &sealed),
            Err(VaultError::NotOurs)
        );
        assert!(!sealed.windows(3).any(|part| part == b"Kim"));
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let vault = vault(1, &[]);
        let seal = || vault.seal(place("name", 1), "Kim").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn nothing_damaged_opens() {
        let vault = vault(1, &[]);
        let sealed = vault.seal(place("name", 1), "Kim").unwrap();
        for at in 1..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(
                vault.open(place("name", 1), &damaged),
                Err(VaultError::NotOurs),
                "{at}"
            );
        }
        for length in 0..sealed.len() {
            assert!(
                vault.open(place("name", 1), &sealed[..length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = vault(1, &[]).seal(place("name", 1), "Kim").unwrap();
        let rotated = vault(2, &[1]);
        assert_eq!(rotated.open(place("name", 1), &old).as_deref(), Ok("Kim"));
        let new = rotated.seal(place("name", 1), "Kim").unwrap();
        let gone = vault(1, &[]).open(place("name", 1), &new);
        assert_eq!(gone, Err(VaultError::UnknownKey { id: 2 }));
    }

    #[test]
    fn keys_that_come_later_reach_every_clone() {
        let first = vault(1, &[]);
        let clone = first.clone();
        let next = Dated {
            key: key(2),
            from: now() + chrono::TimeDelta::seconds(60),
        };
        first.replace(&[Dated::first(key(1)), next.clone()], now());
        assert_eq!(clone.sealing(), 1);
        let new = vault(2, &[1]).seal(place("name", 1), "Kim").unwrap();
        assert_eq!(clone.open(place("name", 1), &new).as_deref(), Ok("Kim"));
        first.turn(next.from);
        assert_eq!(clone.sealing(), 2);
        assert_eq!(clone.seal(place("name", 1), "Kim").unwrap()[0], 2);
        let old = vault(1, &[]).seal(place("name", 1), "Kim").unwrap();
        first.replace(&[next], now());
        assert_eq!(clone.open(place("name", 1), &old).as_deref(), Ok("Kim"));
    }

    #[test]
    fn equal_texts_have_equal_digests_within_one_purpose() {
        let vault = vault(1, &[]);
        assert_eq!(
            vault.index("email", "a@example.com"),
            vault.index("email", "a@example.com")
        );
        assert_ne!(
            vault.index("email", "a@example.com"),
            vault.index("email", "b@example.com")
        );
        assert_ne!(
            vault.index("email", "a@example.com"),
            vault.index("phone", "a@example.com")
        );
        // HMAC-SHA-256 over `email`, a zero byte and the text, under 32 bytes of 9; computed with
        // another implementation; the first half will do.
        let expected = "66db01326e5bc6ee9df573799ac9994b";
        let digest = Uuid::from_slice(&vault.index("email", "a@example.com")[..16]);
        assert_eq!(digest.unwrap().simple().to_string(), expected);
    }
}
