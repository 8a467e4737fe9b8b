//! How keys are replaced without anybody noticing: the next one is there before it is used, and the
//! one before stays until nothing needs it.

use chrono::TimeDelta;
use domain::ports::Entropy;
use domain::{Fault, Timestamp};

use super::keyring::{Dated, Keyring, fresh};
use super::vault::VaultKey;

/// How often a process looks whether the file of its keys has changed.
pub const LOOK_MS: u64 = 1_000;
/// The shortest time between a key's coming into the file and its use: some looks.
pub const LEAST_LEAD_MS: i64 = 3_000;
/// Keys of one kind at once. Whoever rotates faster than old keys are over has to wait.
pub const MOST_KEYS: usize = 16;

/// What came of asking for a new key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    Done,
    /// One is there that comes into use only then.
    Waiting {
        from: Timestamp,
    },
    /// As many as there may be.
    TooMany,
}

impl Keyring {
    /// Adds a key that signs access tokens from then on.
    pub fn add_token_key(
        &mut self,
        entropy: &dyn Entropy,
        now: Timestamp,
        from: Timestamp,
    ) -> Added {
        if let Some(waiting) = self.tokens.iter().find(|key| key.from > now) {
            return Added::Waiting { from: waiting.from };
        }
        if self.tokens.len() >= MOST_KEYS {
            return Added::TooMany;
        }
        let key = fresh(entropy);
        self.tokens.push(Dated { key, from });
        Added::Done
    }

    /// Drops the keys of which no token is left: the next one signs for longer than a token lasts.
    /// Returns how many.
    pub fn drop_token_keys(&mut self, now: Timestamp, life: TimeDelta) -> usize {
        let before = self.tokens.len();
        let successors: Vec<Timestamp> = self.tokens.iter().map(|key| key.from).collect();
        self.tokens.retain(|key| {
            let next = successors.iter().filter(|from| **from > key.from).min();
            next.is_none_or(|from| now - *from <= life)
        });
        before - self.tokens.len()
    }

    /// Signs with a new key at once, and has no other any more: for one that got into wrong hands.
    pub fn replace_token_keys(&mut self, entropy: &dyn Entropy, now: Timestamp) {
        let key = fresh(entropy);
        self.tokens = vec![Dated { key, from: now }];
    }

    /// Adds a key that seals personal data from then on; its id, which no other has. Ids count up,
    /// and begin again after 255 with those whose keys are gone.
    ///
    /// # Errors
    /// There are 255 keys.
    pub fn add_vault_key(&mut self, entropy: &dyn Entropy, from: Timestamp) -> Result<u8, Fault> {
        let newest = self.vault.iter().max_by_key(|key| key.from);
        let newest = newest.map_or(0, |key| key.key.id);
        let is_taken = |id: &u8| self.vault.iter().any(|key| key.key.id == *id);
        let mut ids = (newest.saturating_add(1)..=u8::MAX).chain(1..=newest);
        let id = ids.find(|id| *id != newest && !is_taken(id));
        let id = id.ok_or_else(|| Fault::corrupt("making a vault key", "there are 255 of them"))?;
        let bytes = fresh(entropy);
        self.vault.push(Dated {
            key: VaultKey { id, bytes },
            from,
        });
        Ok(id)
    }

    /// The vault key that came last.
    pub fn newest_vault_key(&self) -> Option<&Dated<VaultKey>> {
        self.vault.iter().max_by_key(|key| key.from)
    }

    /// Drops every vault key but the newest; the ids of those that are gone.
    pub fn drop_vault_keys(&mut self) -> Vec<u8> {
        let Some(newest) = self.newest_vault_key().map(|key| key.key.id) else {
            return Vec::new();
        };
        let gone = self.vault.iter().map(|key| key.key.id);
        let gone = gone.filter(|id| *id != newest).collect();
        self.vault.retain(|key| key.key.id == newest);
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn keys() -> Keyring {
        let folder = tempfile::tempdir().unwrap();
        Keyring::open(folder.path(), &SystemEntropy).unwrap()
    }

    #[test]
    fn a_token_key_goes_when_its_last_token_is_over() {
        let mut keys = keys();
        let life = TimeDelta::seconds(100);
        let added = keys.add_token_key(&SystemEntropy, at(0), at(60));
        assert_eq!(added, Added::Done);
        let again = keys.add_token_key(&SystemEntropy, at(59), at(119));
        assert_eq!(again, Added::Waiting { from: at(60) });
        assert_eq!(keys.drop_token_keys(at(60), life), 0);
        assert_eq!(
            keys.add_token_key(&SystemEntropy, at(60), at(120)),
            Added::Done
        );
        assert_eq!(
            keys.drop_token_keys(at(160), life),
            0,
            "its last may be of second 59"
        );
        let first = keys.tokens[0].key;
        assert_eq!(keys.drop_token_keys(at(161), life), 1);
        assert!(keys.tokens.iter().all(|key| key.key != first));
        // The newest one never goes.
        assert_eq!(keys.drop_token_keys(at(9_999), life), 1);
        assert_eq!(keys.tokens.len(), 1);
        assert_eq!(keys.drop_token_keys(at(99_999), life), 0);
    }

    #[test]
    fn there_are_never_many_token_keys() {
        let mut keys = keys();
        let added: Vec<Added> = (1..=MOST_KEYS)
            .map(|_| keys.add_token_key(&SystemEntropy, at(0), at(0)))
            .collect();
        assert_eq!(added.last(), Some(&Added::TooMany));
        assert_eq!(keys.tokens.len(), MOST_KEYS);
        keys.replace_token_keys(&SystemEntropy, at(1));
        assert_eq!(keys.tokens.len(), 1);
    }

    #[test]
    fn a_vault_key_has_an_id_that_no_other_has() {
        let mut keys = keys();
        for expected in 2..=u8::MAX {
            let from = at(i64::from(expected));
            assert_eq!(
                keys.add_vault_key(&SystemEntropy, from).ok(),
                Some(expected)
            );
        }
        assert!(keys.add_vault_key(&SystemEntropy, at(300)).is_err());
        let gone: Vec<u8> = (1..u8::MAX).collect();
        assert_eq!(keys.drop_vault_keys(), gone);
        assert_eq!(keys.add_vault_key(&SystemEntropy, at(301)).ok(), Some(1));
        assert_eq!(keys.add_vault_key(&SystemEntropy, at(302)).ok(), Some(2));
        assert_eq!(keys.newest_vault_key().map(|key| key.key.id), Some(2));
    }
}
