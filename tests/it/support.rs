//! The real server in a process of its own, on a port and in a folder of its own.

mod caller;
mod mailbox;
mod output;
mod shopping;
mod socket;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

pub use caller::{Caller, code, codes, fresh_key};
use output::Output;
pub use shopping::{Sale, instant, line};
pub use socket::{Closed, Socket};

/// How long anything may take before a test gives up on it; far more than it takes.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A shop in a folder, which outlives the processes that run it.
pub struct Shop {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// A running server of a shop.
pub struct Server {
    process: Child,
    output: Output,
    data: PathBuf,
    url: String,
    http: reqwest::Client,
}

/// Who the demo made accounts for.
#[derive(Clone, Copy, Debug)]
pub enum Demo {
    Customer,
    Seller,
    Admin,
}

impl Demo {
    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Admin => "admin",
        }
    }
}

impl Shop {
    /// A shop as `cargo run` makes it.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with settings, by their names in the environment without the prefix.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let own = |(key, value): &(&str, &str)| (format!("FIRSTCOME_{key}"), (*value).to_owned());
        Self {
            folder: TempDir::new().unwrap(),
            settings: settings.iter().map(own).collect(),
        }
    }

    /// The same folder with other settings.
    pub fn set(&mut self, key: &str, value: &str) {
        let key = format!("FIRSTCOME_{key}");
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_owned()));
    }

    /// Where the shop keeps everything.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command of the product for this shop. Nothing of the developer's environment gets in.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firstcome"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .env("FIRSTCOME_DATA_DIR", self.data())
            .env("FIRSTCOME_LISTEN", "127.0.0.1:0")
            .envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts its server, without waiting for anything.
    pub fn spawn(&self) -> Child {
        let mut command = self.command(&[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Starts its server and waits until it serves.
    pub async fn start(&self) -> Server {
        let mut process = self.spawn();
        let mut output = Output::of(&mut process);
        let Some(url) = output.url().await else {
            panic!("the server did not start:\n{}", output.text());
        };
        Server {
            process,
            output,
            data: self.data(),
            url,
            http: http_client(),
        }
    }

    /// Starts a server that must refuse to, and gives what it said.
    pub async fn start_in_vain(&self) -> (ExitStatus, String) {
        let mut process = self.spawn();
        let output = Output::of(&mut process);
        let status = exit_of(&mut process).await;
        (status, output.ended().await)
    }

    /// Whatever a command that ends by itself has printed, and how it ended.
    pub async fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let mut command = self.command(arguments);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap());
        let done = tokio::time::timeout(PATIENCE * 3, done).await;
        let output = done.expect("the command ends").unwrap();
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        (
            output.status,
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }

    /// Names and values of the demo's accounts, as the file in the data folder has them.
    pub fn credentials(&self, who: Demo) -> (String, String) {
        credentials(&self.data(), who)
    }
}

impl Server {
    /// Where it listens, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything it has printed so far.
    pub fn printed(&self) -> String {
        self.output.text()
    }

    /// Somebody who is not signed in.
    pub fn anybody(&self) -> Caller {
        Caller::new(&self.url, self.http.clone(), None)
    }

    /// Whoever has this access token.
    pub fn bearer(&self, token: &str) -> Caller {
        Caller::new(&self.url, self.http.clone(), Some(token.to_owned()))
    }

    /// Signs in as one of the demo's.
    pub async fn sign_in(&self, who: Demo) -> Caller {
        let (email, password) = credentials(&self.data, who);
        self.anybody().sign_in(&email, &password).await
    }

    /// Proves an address by its letter, makes an account, signs in.
    pub async fn sign_up(&self, name: &str) -> Caller {
        const PASSWORD: &str = "correct horse battery";
        let email = format!("{name}@example.com");
        let anybody = self.anybody();
        anybody.request_verification(&email).await;
        let code = self.mailed_code(&email).await;
        let input = json!({ "email": email, "code": code, "password": PASSWORD, "name": name });
        let payload = anybody.sign_up(input).await;
        assert_eq!(code_of(&payload), None, "{payload}");
        anybody.sign_in(&email, PASSWORD).await
    }

    /// The code in the newest letter to this address, once it is there.
    pub async fn mailed_code(&self, email: &str) -> String {
        let mailbox = self.data.join("mailbox");
        until("a letter with a code", || async {
            mailbox::codes(&mailbox, email).pop()
        })
        .await
    }

    /// The texts of the letters to this address.
    pub fn letters(&self, email: &str) -> Vec<String> {
        mailbox::letters(&self.data.join("mailbox"), email)
    }

    /// Holds ledger, gate and provider against each other: nothing may be broken, nothing may be on
    /// its way for ever, and nothing may have gone wrong that nobody was told of.
    pub async fn assert_clean(&self) {
        let document = "{ backOffice { stockAudit {
            clean quiet deadLetters findings { invariant subject detail } } } }";
        let admin = self.sign_in(Demo::Admin).await;
        let data = admin.ask(document, json!({})).await;
        let expected = json!({ "clean": true, "quiet": true, "deadLetters": 0, "findings": [] });
        assert_eq!(data["backOffice"]["stockAudit"], expected);
        self.assert_calm();
    }

    /// Nothing in the log is an error, and no task has panicked.
    pub fn assert_calm(&self) {
        let printed = self.output.text();
        let loud: Vec<&str> = printed
            .lines()
            .filter(|line| line.contains("ERROR") || line.contains("panicked"))
            .collect();
        assert_eq!(loud, Vec::<&str>::new(), "{printed}");
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.process.kill().unwrap();
        exit_of(&mut self.process).await;
    }

    /// Ends it as Ctrl-C would, waits until it has drained, and gives its exit code.
    pub async fn stop(self) -> Option<i32> {
        self.stop_by("-INT").await
    }

    /// The same by another signal.
    pub async fn stop_by(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        exit_of(&mut self.process).await.code()
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already after `kill` and `stop`.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the server printed:\n{}", self.output.text());
        }
    }
}

use caller::code as code_of;

fn credentials(data: &Path, who: Demo) -> (String, String) {
    let text = std::fs::read(data.join("demo-accounts.json")).unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    let accounts = json["accounts"].as_array().unwrap();
    let account = accounts
        .iter()
        .find(|account| account["role"] == who.name())
        .unwrap();
    let text = |field: &str| account[field].as_str().unwrap().to_owned();
    (text("email"), text("password"))
}

async fn exit_of(process: &mut Child) -> ExitStatus {
    let mut exited = None;
    until("the process to end", || {
        exited = process.try_wait().unwrap();
        std::future::ready(exited)
    })
    .await
}

fn http_client() -> reqwest::Client {
    // Its TLS has no cryptography of its own; nothing here uses any.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// Looks again until it is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
