//! Whatever stands where a message, a token, a setting or a sealed text should: it is read, or refused
//! by its type. Nothing panics, and no refusal says what was in it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../../tests/fuzz/almost.rs"]
mod almost;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use adapters::config::Settings;
use adapters::crypto::vault::{Place, VaultKey};
use adapters::crypto::{Argon2Passwords, JwtTokens, Vault};
use adapters::entropy::SystemEntropy;
use adapters::wire::{message, trace};
use almost::{almost, almost_text, corpus};
use domain::account::Role;
use domain::message::Topic;
use domain::ports::secrets::Claims;
use domain::ports::{AccessTokens, Passwords};
use domain::{AccountId, SessionId, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

/// The examples of all schemas, and what was found interesting.
fn payloads() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events");
    let mut payloads = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let examples = schema["examples"].as_array().unwrap();
            payloads.extend(
                examples
                    .iter()
                    .map(|example| example.to_string().into_bytes()),
            );
        }
    }
    let found = corpus(include_str!("../../tests/fuzz/corpus/payloads.txt"));
    payloads.extend(found.into_iter().map(String::into_bytes));
    payloads
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
}

fn claims() -> Claims {
    Claims {
        account: AccountId(Uuid::from_u128(7)),
        role: Role::Customer,
        session: Some(SessionId(Uuid::from_u128(8))),
        issued_at: now(),
        expires_at: now() + chrono::TimeDelta::minutes(15),
    }
}

static TOKENS: LazyLock<JwtTokens> = LazyLock::new(|| JwtTokens::with([3; 32]));

fn tokens() -> Vec<String> {
    let mut tokens = corpus(include_str!("../../tests/fuzz/corpus/tokens.txt"));
    tokens.push(TOKENS.issue(&claims()).unwrap());
    tokens.push(JwtTokens::with([4; 32]).issue(&claims()).unwrap());
    tokens
}

const PLACE: Place = Place {
    table: "accounts",
    column: "name",
    row: Uuid::nil(),
};

static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    Vault::with(key, &[9; 32], Arc::new(SystemEntropy))
});

proptest! {
    #[test]
    fn a_record_of_the_log_is_a_message_or_none(bytes in almost(payloads())) {
        for topic in [Topic::OrderAccepted, Topic::Orders, Topic::Items, Topic::Accounts] {
            match message::decode(topic, &bytes) {
                // What is read can be written, and reads the same again.
                Ok(read) => {
                    let written = message::encode(&read);
                    if let Ok((_, written)) = written {
                        prop_assert_eq!(message::decode(topic, &written), Ok(read));
                    }
                }
                Err(refused) => prop_assert!(refused.0.len() < 200, "{}", refused),
            }
        }
    }

    #[test]
    fn a_trace_is_one_or_none(text in almost_text(vec![
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01;vendor=value,other=1".to_owned(),
    ])) {
        if let Some(read) = trace::decode(&text) {
            prop_assert_eq!(trace::decode(&trace::encode(&read)), Some(read));
        }
    }

    #[test]
    fn a_token_is_ours_or_refused(token in almost_text(tokens())) {
        if let Ok(read) = TOKENS.verify(&token, now()) {
            prop_assert_eq!(read, claims(), "{}", token);
        }
    }

    #[test]
    fn a_hash_is_compared_or_a_fault(hash in almost_text(vec![
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
        "$argon2i$v=16$m=64,t=2,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA".to_owned(),
        "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
    ])) {
        static PASSWORDS: LazyLock<Argon2Passwords> =
            LazyLock::new(|| Argon2Passwords::new(Arc::new(SystemEntropy)).unwrap());
        // Only asked how strong it is: a changed cost may be one of gigabytes.
        let _ = PASSWORDS.is_outdated(&hash);
    }

    #[test]
    fn a_sealed_text_opens_or_is_refused(bytes in almost(vec![
        VAULT.seal(PLACE, "Kim").unwrap(),
        VAULT.seal(PLACE, "").unwrap(),
        vec![1; 28],
    ])) {
        if let Ok(text) = VAULT.open(PLACE, &bytes) {
            prop_assert!(["Kim", ""].contains(&text.as_str()));
        }
    }

    #[test]
    fn settings_are_read_or_told_by_their_keys(text in almost_text(settings())) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("firstcome.toml");
        std::fs::write(&file, text).unwrap();
        if let Err(told) = Settings::read(Some(file)) {
            prop_assert!(!told.is_empty());
        }
    }
}

/// The example whole, in parts, and as somebody fills it in.
fn settings() -> Vec<String> {
    let example = include_str!("../../firstcome.example.toml");
    let filled_in = example.replace("\n# ", "\n");
    let sections = example.split("\n[").map(|section| format!("[{section}"));
    let mut settings: Vec<String> = sections.skip(1).collect();
    settings.extend([example.to_owned(), filled_in]);
    settings.extend(corpus(include_str!("../../tests/fuzz/corpus/settings.txt")));
    settings
}
