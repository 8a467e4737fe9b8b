//! Digests of secrets that only have to be recognised: codes and refresh tokens.

use std::fmt::Write;

use domain::ports::Digests;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256 (RFC 2104) under one key, so that a stolen table can't be searched for short codes.
pub struct KeyedDigests {
    keyed: Hmac<Sha256>,
}

impl KeyedDigests {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // A key shorter than SHA-256's block is padded with zeros, by definition.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Self {
            keyed: <Hmac<Sha256> as KeyInit>::new(&block.into()),
        }
    }
}

impl Digests for KeyedDigests {
    fn digest(&self, purpose: &'static str, secret: &str) -> String {
        let mut mac = self.keyed.clone();
        mac.update(purpose.as_bytes());
        // No purpose has a zero byte, so no two pairs give the same text.
        mac.update(&[0]);
        mac.update(secret.as_bytes());
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing into a String can't fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_purpose_and_secret() {
        let digests = KeyedDigests::new(&[1; 32]);
        let digest = digests.digest("code", "123");
        assert_eq!(digest, digests.digest("code", "123"));
        assert_eq!(digest.len(), 64);
        assert_ne!(digest, digests.digest("token", "123"));
        assert_ne!(digest, digests.digest("code", "124"));
        assert_ne!(digest, KeyedDigests::new(&[2; 32]).digest("code", "123"));
    }
}
