//! The real binary in processes of its own, on ports and in a folder of its own: everything in one
//! of them, or the roles over real servers. A test binary says which, in its module `engines`.

mod after_sale;
mod caller;
mod mailbox;
mod operating;
mod output;
mod process;
mod schema;
mod shop;
mod shopping;
mod socket;
mod stream;
mod traffic;

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

pub use after_sale::portion;
pub use caller::{Caller, NoAnswer, code, codes, fresh_key};
pub use mailbox::{Letter, parse as parse_letter};
pub use process::Process;
pub use schema::{Mutations, refused_with};
pub use shop::{Demo, Engines, Shop, WEBHOOK_SECRET};
pub use shopping::{Sale, instant, line};
pub use socket::{Closed, Socket};
pub use stream::Stream;
pub use traffic::{Answered, Crowd, Tally, Then, Traffic, settled, verify};

/// How long anything may take before a test gives up on it; far more than it takes.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How long somebody may have to ask until there is an answer other than *try again*: some wait for
/// servers that are away.
const DECIDED: Duration = Duration::from_mins(3);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A running shop: one process that does everything, or API nodes and workers.
pub struct Server {
    pub nodes: Vec<Node>,
    pub workers: Vec<Process>,
    data: PathBuf,
    http: reqwest::Client,
    next: AtomicUsize,
    is_in_roles: bool,
}

/// A process that answers requests.
pub struct Node {
    pub process: Process,
    pub url: String,
}

impl Server {
    /// Where it listens, without a path; of several nodes, the first.
    pub fn url(&self) -> &str {
        &self.nodes[0].url
    }

    /// Where each of its nodes listens.
    pub fn urls(&self) -> Vec<&str> {
        self.nodes.iter().map(|node| node.url.as_str()).collect()
    }

    /// Everything that the node of [`url`](Self::url) has printed so far.
    pub fn printed(&self) -> String {
        self.nodes[0].process.printed()
    }

    /// Somebody who is not signed in. Where there are several nodes, each caller is at the next one.
    pub fn anybody(&self) -> Caller {
        self.caller(None)
    }

    /// Whoever has this access token.
    pub fn bearer(&self, token: &str) -> Caller {
        self.caller(Some(token.to_owned()))
    }

    fn caller(&self, token: Option<String>) -> Caller {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let url = &self.nodes[next % self.nodes.len()].url;
        let mut caller = Caller::new(url, self.http.clone(), token);
        // Over servers nothing is refused for good until the gate knows of every order that was on
        // its way when it got to know the item.
        caller.is_patient = self.is_in_roles;
        caller
    }

    /// Signs in as one of the demo's.
    pub async fn sign_in(&self, who: Demo) -> Caller {
        let (email, password) = shop::credentials(&self.data, who);
        self.anybody().sign_in(&email, &password).await
    }

    /// Proves an address by its letter, makes an account, signs in.
    pub async fn sign_up(&self, name: &str) -> Caller {
        self.sign_up_as(self.anybody(), name).await
    }

    /// The same for this caller.
    pub async fn sign_up_as(&self, anybody: Caller, name: &str) -> Caller {
        const PASSWORD: &str = "correct horse battery";
        let email = format!("{name}@example.com");
        anybody.request_verification(&email).await;
        let mailed = self.mailed_code(&email).await;
        let input = json!({ "email": email, "code": mailed, "password": PASSWORD, "name": name });
        let payload = anybody.sign_up(input).await;
        assert_eq!(code(&payload), None, "{payload}");
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
        let letters = self.mail(email).into_iter();
        letters.map(|letter| letter.text).collect()
    }

    /// The letters to this address, the oldest first.
    pub fn mail(&self, email: &str) -> Vec<Letter> {
        mailbox::letters(&self.data.join("mailbox"), email)
    }

    /// The same, once there are so many.
    pub async fn until_mail(&self, email: &str, count: usize) -> Vec<Letter> {
        until(&format!("{count} letters to {email}"), || async {
            Some(self.mail(email)).filter(|letters| letters.len() >= count)
        })
        .await
    }

    /// Holds ledger, gate and provider against each other: nothing may be broken, nothing may be on
    /// its way for ever, and nothing may have gone wrong that nobody was told of.
    pub async fn assert_clean(&self) {
        self.assert_audit(0).await;
        self.assert_calm();
    }

    /// The same where so many records were put aside, and the log has told of faults.
    pub async fn assert_audit(&self, dead_letters: u64) {
        let document = "{ backOffice { stockAudit {
            clean quiet deadLetters findings { invariant subject detail } } } }";
        let admin = self.sign_in(Demo::Admin).await;
        let data = admin.ask(document, json!({})).await;
        let expected =
            json!({ "clean": true, "quiet": true, "deadLetters": dead_letters, "findings": [] });
        assert_eq!(data["backOffice"]["stockAudit"], expected);
    }

    /// Nothing in the log is an error, and no task has panicked.
    pub fn assert_calm(&self) {
        self.processes().for_each(Process::assert_calm);
    }

    /// Has every process read its settings again, and waits until each has printed this once more.
    pub async fn reload(&self, printed: &str) {
        for process in self.processes() {
            process.reload(printed).await;
        }
    }

    /// Whether one of its processes has printed a line with all of these words.
    pub fn has_printed(&self, words: &[&str]) -> bool {
        self.processes().any(|process| {
            let printed = process.printed();
            let mut lines = printed.lines();
            lines.any(|line| words.iter().all(|word| line.contains(word)))
        })
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        let nodes = self.nodes.iter().map(|node| &node.process);
        nodes.chain(&self.workers)
    }

    /// Ends it as a power cut would.
    pub async fn kill(self) {
        for process in self.into_processes() {
            process.kill().await;
        }
    }

    /// Ends it as Ctrl-C would, waits until it has drained, and gives its exit code.
    pub async fn stop(self) -> Option<i32> {
        self.stop_by("-INT").await
    }

    /// The same by another signal; of several processes, the first exit code that is not 0.
    pub async fn stop_by(self, signal: &str) -> Option<i32> {
        for process in self.processes() {
            process.signal(signal);
        }
        let mut exit = Some(0);
        for mut process in self.into_processes() {
            let code = process.exit().await.code();
            exit = if exit == Some(0) { code } else { exit };
        }
        exit
    }

    fn into_processes(self) -> impl Iterator<Item = Process> {
        let nodes = self.nodes.into_iter().map(|node| node.process);
        nodes.chain(self.workers)
    }
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
