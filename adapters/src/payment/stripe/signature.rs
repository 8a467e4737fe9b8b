//! How Stripe signs what it sends: `t=<seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`, with several
//! `v1` while a secret is being changed.

use std::fmt::Write;

use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How old, and how far ahead of our clock, a signature may be, in seconds.
const TOLERANCE_S: i64 = 300;
/// The most signatures that are looked at.
const MOST_SIGNATURES: usize = 8;

/// Whether `header` proves that whoever has the secret has sent `body` just now.
pub fn is_sound(secret: &str, header: &str, body: &[u8], now: Timestamp) -> bool {
    let mut at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => at = value.parse::<i64>().ok(),
            Some(("v1", value)) if signatures.len() < MOST_SIGNATURES => {
                signatures.extend(bytes(value));
            }
            _ => {}
        }
    }
    let Some(at) = at else { return false };
    let is_fresh = now
        .timestamp()
        .checked_sub(at)
        .is_some_and(|age| age.unsigned_abs() <= TOLERANCE_S.unsigned_abs());
    let Some(mac) = mac(secret, at, body) else {
        return false;
    };
    // Compared in constant time.
    let is_signed = |signature: &[u8; 32]| mac.clone().verify_slice(signature).is_ok();
    is_fresh && signatures.iter().any(is_signed)
}

/// The header that proves it.
pub fn sign(secret: &str, body: &[u8], now: Timestamp) -> Option<String> {
    let at = now.timestamp();
    let signature = mac(secret, at, body)?.finalize().into_bytes();
    let mut header = format!("t={at},v1=");
    for byte in signature {
        write!(header, "{byte:02x}").ok()?;
    }
    Some(header)
}

fn mac(secret: &str, at: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn now() -> Timestamp {
        "2026-05-04T03:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_signed_just_now_is_sound() {
        let header = sign("whsec_a", BODY, now()).unwrap();
        assert!(is_sound("whsec_a", &header, BODY, now()));
        assert!(!is_sound("whsec_b", &header, BODY, now()));
        assert!(!is_sound("whsec_a", &header, b"{}", now()));
        for (seconds, sound) in [(300, true), (301, false), (-300, true), (-301, false)] {
            let later = now() + TimeDelta::seconds(seconds);
            assert_eq!(
                is_sound("whsec_a", &header, BODY, later),
                sound,
                "{seconds}"
            );
        }
    }

    /// The figures of another implementation: `printf '%s' '1777863600.{"id":"evt_1"}' | openssl
    /// dgst -sha256 -hmac whsec_a`.
    #[test]
    fn a_signature_is_what_others_make_of_it() {
        let header = sign("whsec_a", BODY, now()).unwrap();
        assert_eq!(header, KNOWN);
    }

    const KNOWN: &str =
        "t=1777863600,v1=ee7f2f18ce3669a9d5be98d2736c2fb5577abdcf642e54670a45a41173db2f6b";

    #[test]
    fn one_of_several_signatures_is_enough() {
        let right = sign("whsec_new", BODY, now()).unwrap();
        let (at, right) = right.split_once(',').unwrap();
        let wrong = format!("v1={}", "0".repeat(64));
        let header = format!("{at},{wrong},v0=abc, {right}");
        assert!(is_sound("whsec_new", &header, BODY, now()));
        assert!(!is_sound(
            "whsec_new",
            &format!("{at},{wrong}"),
            BODY,
            now()
        ));
    }

    #[test]
    fn nonsense_is_not_sound() {
        let right = sign("s", BODY, now()).unwrap();
        let (_, signature) = right.split_once(',').unwrap();
        let flipped = right.replace("v1=", "v0=");
        for header in [
            "",
            "t=,v1=",
            "t=1,v1=zz",
            signature,
            &flipped,
            "t=99999999999999999999,v1=1",
        ] {
            assert!(!is_sound("s", header, BODY, now()), "{header}");
        }
        let odd = format!("t={},v1={}", now().timestamp(), "é".repeat(32));
        assert!(!is_sound("s", &odd, BODY, now()));
    }
}
