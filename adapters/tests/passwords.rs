//! Signing in over a real ledger and real hashes: what was hashed in a weaker way is hashed anew.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "each test binary uses its part of the bench")]
mod stores {
    pub mod bench;
    pub mod sqlite;
}
#[allow(dead_code, reason = "each test binary uses its part of the ports")]
#[path = "support/ports.rs"]
mod support;

use std::sync::Arc;

use async_trait::async_trait;
use domain::policy::ReturnPolicy;
use domain::ports::mail::Letter;
use domain::ports::{Mailer, Ports};
use domain::use_cases::sign_in::sign_in;
use domain::{Failure, Fault};
use stores::bench::{account, calendar, email};
use stores::sqlite;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";
/// That password by Argon2id with 4 MiB and one pass, as the reference implementation in C
/// made it.
const WEAK: &str = "$argon2id$v=19$m=4096,t=1,p=1$jLa1oj8jqr7QTvdEGKTXWQ$OBjQJ4AV79koQw9/vGAJMoodXHdtw1jvJiHaTqw+HN0";

struct NoPost;

#[async_trait]
impl Mailer for NoPost {
    async fn send(&self, _: &Letter) -> Result<(), Fault> {
        Ok(())
    }
}

async fn shop() -> (Ports, TempDir) {
    let (bench, folder) = sqlite::open().await;
    let returns = ReturnPolicy {
        days_to_request: 1,
        days_to_complete: 1,
    };
    let policies = support::policies(calendar(), returns);
    let ports = support::ports(
        (&bench, &folder),
        sqlite::clock(),
        Arc::new(NoPost),
        policies,
    );
    (ports.await, folder)
}

async fn hash_of(ports: &Ports) -> String {
    let account = ports.accounts.by_email(&email("kim@example.com")).await;
    account.unwrap().unwrap().password_hash.unwrap()
}

#[tokio::test]
async fn a_weaker_hash_is_made_anew_at_the_next_sign_in() {
    let (ports, _folder) = shop().await;
    let mut kim = account(1, "kim@example.com");
    kim.password_hash = Some(WEAK.to_owned());
    assert!(ports.accounts.create(&[kim]).await.unwrap());
    let address = email("kim@example.com");

    let refused = sign_in(&ports, &address, "another horse").await.err();
    assert!(matches!(refused, Some(Failure::Refused(_))));
    assert_eq!(hash_of(&ports).await, WEAK, "nobody has shown the password");

    // Of several at once one makes it anew, and all get in.
    let sign_in_now = || sign_in(&ports, &address, PASSWORD);
    let (one, two, three) = tokio::join!(sign_in_now(), sign_in_now(), sign_in_now());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let strong = hash_of(&ports).await;
    assert!(
        strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{strong}"
    );
    assert!(!ports.passwords.is_outdated(&strong));

    // It is the same password, and stays as it is from now on.
    assert!(sign_in(&ports, &address, PASSWORD).await.is_ok());
    assert_eq!(hash_of(&ports).await, strong);
    assert!(sign_in(&ports, &address, "another horse").await.is_err());
}
