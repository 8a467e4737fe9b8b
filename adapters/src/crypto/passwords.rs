//! Passwords: slow to hash, off the threads that serve.

use std::collections::HashSet;
use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use domain::Fault;
use domain::account::Password;
use domain::ports::{Entropy, Passwords};
use tokio::sync::Semaphore;
use tokio::task;

/// Argon2id with 19 MiB, two passes, one lane: the first choice of OWASP's Password Storage Cheat
/// Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Some 1,200 passwords of at least the shortest length that everybody tries first, in lower case: from
/// zxcvbn's list (its licence is beside it), and our own additions.
const COMMON: &str = include_str!("common_passwords.txt");

/// Argon2id (RFC 9106) in the PHC string format.
pub struct Argon2Passwords {
    hasher: Arc<Argon2<'static>>,
    /// The hash of a password nobody has, for when there is no account to compare with.
    decoy: String,
    /// At most one hash a core: more at once would only push out what serves.
    slots: Semaphore,
    entropy: Arc<dyn Entropy>,
    common: HashSet<&'static str>,
}

impl Argon2Passwords {
    /// # Errors
    /// Parameters that the algorithm refuses.
    pub fn new(entropy: Arc<dyn Entropy>) -> Result<Self, Fault> {
        let fault = |error| Fault::corrupt("setting up the password hash", text(error));
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|error| Fault::corrupt("setting up the password hash", error.to_string()))?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        let decoy = hash(&hasher, &secret, entropy.as_ref()).map_err(fault)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            hasher: Arc::new(hasher),
            decoy,
            slots: Semaphore::new(cores),
            entropy,
            common: COMMON.lines().collect(),
        })
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Argon2<'static>, &dyn Entropy) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let slot = self.slots.acquire().await;
        let (hasher, entropy) = (self.hasher.clone(), self.entropy.clone());
        let done = task::spawn_blocking(move || work(&hasher, entropy.as_ref())).await;
        drop(slot);
        done.map_err(|error| Fault::unavailable(doing, error))?
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: &Password) -> Result<String, Fault> {
        const DOING: &str = "hashing a password";
        let typed = password.as_str().to_owned();
        self.off_thread(DOING, move |hasher, entropy| {
            hash(hasher, typed.as_bytes(), entropy).map_err(|e| Fault::corrupt(DOING, text(e)))
        })
        .await
    }

    async fn verify(&self, typed: &str, known: Option<&str>) -> Result<bool, Fault> {
        const DOING: &str = "comparing a password";
        let typed = typed.to_owned();
        let has_one = known.is_some();
        let known = known.unwrap_or(&self.decoy).to_owned();
        self.off_thread(DOING, move |hasher, _| {
            let known = PasswordHash::new(&known)
                .map_err(|error| Fault::corrupt(DOING, error.to_string()))?;
            match hasher.verify_password(typed.as_bytes(), &known) {
                Ok(()) => Ok(has_one),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Fault::corrupt(DOING, text(error))),
            }
        })
        .await
    }

    fn is_outdated(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else {
            return true;
        };
        let params = Params::try_from(&hash);
        let is_strong = |params: Params| {
            params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES && params.p_cost() >= LANES
        };
        hash.algorithm != Algorithm::Argon2id.ident()
            || hash.version != Some(Version::V0x13.into())
            || !params.is_ok_and(is_strong)
    }

    fn is_common(&self, lower_case: &str) -> bool {
        self.common.contains(lower_case)
    }
}

fn hash(
    hasher: &Argon2<'static>,
    password: &[u8],
    entropy: &dyn Entropy,
) -> Result<String, argon2::password_hash::Error> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let hash: PasswordHash = hasher.hash_password_with_salt(password, &salt)?;
    Ok(hash.to_string())
}

fn text(error: argon2::password_hash::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn passwords() -> Argon2Passwords {
        Argon2Passwords::new(Arc::new(SystemEntropy)).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_itself_opens() {
        let passwords = passwords();
        let password = Password::new("correct horse battery".to_owned(), &|_| false).unwrap();
        let hash = passwords.hash(&password).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(
            hash,
            passwords.hash(&password).await.unwrap(),
            "a fresh salt each time"
        );
        assert!(
            passwords
                .verify("correct horse battery", Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("correct horse batterz", Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("correct horse battery", None)
                .await
                .unwrap()
        );
        assert!(passwords.verify("x", Some("not a hash")).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_weaker_times_still_opens_and_is_told() {
        let passwords = passwords();
        let typed = "correct horse battery";
        let weaker = |algorithm, version, memory, passes| {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let hasher = Argon2::new(algorithm, version, params);
            hash(&hasher, typed.as_bytes(), &SystemEntropy).unwrap()
        };
        for outdated in [
            weaker(Algorithm::Argon2id, Version::V0x13, 4_096, 3),
            weaker(Algorithm::Argon2id, Version::V0x13, MEMORY_KIB, 1),
            weaker(Algorithm::Argon2id, Version::V0x10, MEMORY_KIB, PASSES),
            weaker(Algorithm::Argon2i, Version::V0x13, MEMORY_KIB, PASSES),
        ] {
            assert!(passwords.is_outdated(&outdated), "{outdated}");
            assert!(passwords.verify(typed, Some(&outdated)).await.unwrap());
            assert!(!passwords.verify("another", Some(&outdated)).await.unwrap());
        }
        for current in [
            weaker(Algorithm::Argon2id, Version::V0x13, MEMORY_KIB, PASSES),
            weaker(Algorithm::Argon2id, Version::V0x13, 2 * MEMORY_KIB, PASSES),
        ] {
            assert!(!passwords.is_outdated(&current), "{current}");
        }
        assert!(passwords.is_outdated("not a hash"));
    }

    #[test]
    fn the_list_has_only_what_the_length_rule_lets_through() {
        let passwords = passwords();
        assert!(passwords.is_common("password123"));
        assert!(!passwords.is_common("correct horse battery"));
        for word in COMMON.lines() {
            assert!(
                word.chars().count() >= Password::MIN,
                "{word} is too short to be asked for"
            );
            assert_eq!(word, word.to_lowercase());
        }
    }
}
