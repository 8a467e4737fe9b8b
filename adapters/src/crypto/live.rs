//! The keys of a process that runs: they follow their file.

use std::path::PathBuf;
use std::sync::Arc;

use domain::ports::{Clock, Entropy};
use domain::{Fault, Timestamp};
use tokio::task;

use super::keyring::{Dated, FILE, Keyring};
use super::rotation::LOOK_MS;
use super::{JwtTokens, Vault};
use crate::secret_file;

/// What signs access tokens and seals personal data, with the keys that are in the file by now.
#[derive(Clone)]
pub struct LiveKeys {
    pub tokens: Arc<JwtTokens>,
    pub vault: Vault,
    /// The key of the digests of secrets; never replaced, as its digests are the only thing there is.
    pub digests: [u8; 32],
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl LiveKeys {
    /// With the keys of this ring, which was read from `folder`.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        keys: &Keyring,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            tokens: Arc::new(JwtTokens::new(&keys.tokens)),
            vault: Vault::new(&keys.vault, clock.now(), &keys.index, entropy),
            digests: keys.digests,
            folder,
            clock,
        }
    }

    /// Goes on for ever: takes what comes into the file, and seals with a new key from its time on.
    /// A file that can't be read changes nothing, and is said once.
    pub async fn follow(self) {
        let mut last = Vec::new();
        let mut is_told = false;
        loop {
            self.clock.sleep_ms(LOOK_MS).await;
            match self.look(&last).await {
                Ok(Some(now)) => {
                    last = now;
                    is_told = false;
                }
                Ok(None) => is_told = false,
                Err(fault) if is_told => drop(fault),
                Err(fault) => {
                    let cause = fault.detail();
                    tracing::error!(
                        cause,
                        "the keys can't be read again; the known ones are used"
                    );
                    is_told = true;
                }
            }
            self.vault.turn(self.clock.now());
        }
    }

    /// Takes the file, unless it is what it was; what it is now.
    async fn look(&self, last: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        const DOING: &str = "reading the keys again";
        let path = self.folder.join(FILE);
        let read = task::spawn_blocking(move || secret_file::read(&path));
        let read = read
            .await
            .map_err(|error| Fault::unavailable(DOING, error))?;
        let json = read.map_err(|error| Fault::unavailable(DOING, error))?;
        if json == last {
            return Ok(None);
        }
        self.take(&Keyring::parse(&json)?, self.clock.now());
        Ok(Some(json))
    }

    fn take(&self, keys: &Keyring, now: Timestamp) {
        self.tokens.replace(&keys.tokens);
        self.vault.replace(&keys.vault, now);
        let sealing = Dated::current(&keys.vault, now).map(|key| key.key.id);
        let (token_keys, vault_keys) = (keys.tokens.len(), keys.vault.len());
        tracing::debug!(token_keys, vault_keys, sealing, "the keys were read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::crypto::vault::Place;
    use crate::entropy::SystemEntropy;
    use chrono::TimeDelta;
    use domain::account::Role;
    use domain::ports::AccessTokens;
    use domain::ports::secrets::Claims;
    use domain::{AccountId, Timestamp};
    use uuid::Uuid;

    const PLACE: Place = Place {
        table: "accounts",
        column: "name",
        row: Uuid::nil(),
    };

    fn token(keys: &LiveKeys, now: Timestamp) -> String {
        let claims = Claims {
            account: AccountId(Uuid::nil()),
            role: Role::Customer,
            session: None,
            issued_at: now,
            expires_at: now + TimeDelta::days(1),
        };
        keys.tokens.issue(&claims).unwrap()
    }

    #[tokio::test]
    async fn whoever_runs_takes_a_new_key_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let mut ring = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        let path = folder.path().to_owned();
        let live = LiveKeys::new(path, &ring, clock.clone(), Arc::new(SystemEntropy));
        let before = token(&live, start);
        let sealed = live.vault.seal(PLACE, "Kim").unwrap();

        let from = start + TimeDelta::seconds(60);
        ring.add_token_key(&SystemEntropy, start, from);
        ring.add_vault_key(&SystemEntropy, from).unwrap();
        ring.replace(folder.path()).unwrap();
        let json = live.look(b"").await.unwrap().unwrap();
        assert!(live.look(&json).await.unwrap().is_none(), "as it was");
        live.vault.turn(clock.now());
        assert_eq!(live.tokens.jwks().matches("Ed25519").count(), 2);
        assert_eq!(token(&live, start), before, "the old key signs");
        assert_eq!(live.vault.seal(PLACE, "Kim").unwrap()[0], 1);

        clock.advance_ms(60_000);
        live.vault.turn(clock.now());
        let after = token(&live, clock.now());
        assert_eq!(live.vault.seal(PLACE, "Kim").unwrap()[0], 2);
        assert_eq!(live.vault.open(PLACE, &sealed).as_deref(), Ok("Kim"));
        for token in [&before, &after] {
            assert!(live.tokens.verify(token, clock.now()).is_ok());
        }

        // A key that is gone signs nobody in any more, however well its tokens are remembered.
        assert_eq!(
            ring.drop_token_keys(start + TimeDelta::days(2), TimeDelta::days(1)),
            1
        );
        ring.replace(folder.path()).unwrap();
        live.look(&json).await.unwrap().unwrap();
        assert!(live.tokens.verify(&before, clock.now()).is_err());
        assert!(live.tokens.verify(&after, clock.now()).is_ok());
    }

    #[tokio::test]
    async fn a_file_that_makes_no_sense_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let ring = Keyring::open(folder.path(), &SystemEntropy).unwrap();
        let path = folder.path().to_owned();
        let live = LiveKeys::new(path, &ring, clock, Arc::new(SystemEntropy));
        let before = token(&live, start);
        secret_file::write(&folder.path().join(FILE), b"{").unwrap();
        assert!(live.look(b"").await.is_err());
        Keyring::remove(folder.path()).unwrap();
        assert!(live.look(b"").await.is_err());
        assert_eq!(token(&live, start), before);
    }
}
