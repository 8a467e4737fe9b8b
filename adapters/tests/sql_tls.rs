//! The ledger over TLS: where that is demanded, a server is who an authority says it is.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::crypto::vault::{Vault, VaultKey};
use adapters::entropy::SystemEntropy;
use adapters::sql::{Ledger, LedgerSettings};
use domain::ports::Accounts;
use domain::{Fault, FaultKind};
use tempfile::TempDir;
use xtask::services::{MariaDb, Postgres};

/// Two authorities, and a server's certificate of the first, for `localhost` only.
struct Authorities {
    folder: TempDir,
}

impl Authorities {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A server that may not be root has to get in.
        let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        let authorities = Self { folder };
        for name in ["ca", "other-ca"] {
            authorities.make(name, &["-subj", &format!("/CN={name}")]);
        }
        let (ca, key) = (authorities.file("ca.pem"), authorities.file("ca.key"));
        let name = "subjectAltName=DNS:localhost";
        let leaf = "basicConstraints=critical,CA:FALSE";
        let by = [ca.to_str().unwrap(), key.to_str().unwrap()];
        let words = [
            "-subj",
            "/CN=server",
            "-addext",
            name,
            "-addext",
            leaf,
            "-CA",
            by[0],
            "-CAkey",
            by[1],
        ];
        authorities.make("server", &words);
        let key = authorities.file("server.key");
        // PostgreSQL reads no other's key. Where we are not root, it runs as who we are.
        let _ = run(Command::new("chown").arg("nobody").arg(key));
        authorities
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// A key, and its certificate for a day.
    fn make(&self, name: &str, words: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
        openssl.args(["ec_paramgen_curve:P-256", "-nodes", "-days", "1"]);
        openssl
            .arg("-keyout")
            .arg(self.file(&format!("{name}.key")));
        openssl.arg("-out").arg(self.file(&format!("{name}.pem")));
        assert!(run(openssl.args(words)), "{name}");
    }
}

fn run(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

/// Brings the schema up, and asks it something.
async fn used(url: &str) -> Result<(), Fault> {
    let settings = LedgerSettings {
        connections: 2,
        ..LedgerSettings::default()
    };
    Ledger::migrate(url, &settings).await?;
    let key = VaultKey {
        id: 1,
        bytes: [7; 32],
    };
    let vault = Vault::with(key, &[9; 32], Arc::new(SystemEntropy));
    let ledger = Ledger::open(url, &settings, Arc::new(SystemClock), vault).await?;
    assert!(ledger.is_empty().await?);
    ledger.close().await
}

async fn refused(url: &str, because: &str) {
    let fault = used(url).await.expect_err(url);
    assert_eq!(fault.kind, FaultKind::Unavailable);
    let said = format!("{} {fault:?}", fault.detail());
    assert!(said.contains(because), "{url}: {said}");
    assert!(!said.contains("hush"), "{said}");
}

/// What each server calls it: to be checked by an authority, and by its name, too.
struct Words {
    authority: &'static str,
    name: &'static str,
    file: &'static str,
}

async fn check(url: &str, words: &Words, authorities: &Authorities) {
    let Words {
        authority,
        name,
        file,
    } = words;
    let url = url.rsplit_once('/').unwrap().0;
    let (scheme, place) = url.split_once("://").unwrap();
    let (_, address) = place.split_once('@').unwrap();
    let stranger = format!("{scheme}://nobody:hush-hush@{address}");
    let with = |url: &str, mode: &str, ca: &str| {
        let ca = authorities.text(ca);
        format!("{url}/shop?{mode}&{file}={ca}")
    };
    let by_name = |url: &str| url.replace("127.0.0.1", "localhost");

    for good in [
        with(&by_name(url), name, "ca.pem"),
        with(url, authority, "ca.pem"),
    ] {
        let used = used(&good).await;
        used.map_err(|fault| fault.detail()).expect(&good);
    }
    refused(&with(&stranger, name, "ca.pem"), "not valid for name").await;
    for mode in [name, authority] {
        let other = with(&by_name(&stranger), mode, "other-ca.pem");
        refused(&other, "UnknownIssuer").await;
        let missing = with(&by_name(&stranger), mode, "no-ca.pem");
        refused(&missing, "No such file").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_is_who_its_authority_says() {
    let authorities = Authorities::new();
    let options = [
        format!("--ssl-cert={}", authorities.text("server.pem")),
        format!("--ssl-key={}", authorities.text("server.key")),
    ];
    let server = tokio::task::block_in_place(|| MariaDb::launch_with(&options).unwrap());
    let words = Words {
        authority: "ssl-mode=VERIFY_CA",
        name: "ssl-mode=VERIFY_IDENTITY",
        file: "ssl-ca",
    };
    check(&server.url(), &words, &authorities).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_who_its_authority_says() {
    let authorities = Authorities::new();
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", authorities.text("server.pem")),
        format!("ssl_key_file={}", authorities.text("server.key")),
    ];
    let server = tokio::task::block_in_place(|| Postgres::launch_with(&settings).unwrap());
    let words = Words {
        authority: "sslmode=verify-ca",
        name: "sslmode=verify-full",
        file: "sslrootcert",
    };
    check(&server.url(), &words, &authorities).await;
}
