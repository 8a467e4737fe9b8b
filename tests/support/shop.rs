//! A shop at rest: its folder, its settings, and how its processes are started.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicUsize;

use serde_json::Value;
use tempfile::TempDir;

use super::{Node, PATIENCE, Process, Server, http_client};
use crate::engines;

/// The servers that a shop works over: settings by their names in the environment without the
/// prefix. None of them: it works in one process.
pub struct Engines(pub Vec<(&'static str, String)>);

impl Engines {
    /// What the names of the shop's topics and keys begin with.
    pub fn namespace(&self) -> String {
        let namespace = self.0.iter().find(|(key, _)| *key == "NAMESPACE");
        namespace.map_or_else(String::new, |(_, name)| name.clone())
    }
}

/// A shop in a folder, which outlives the processes that run it.
pub struct Shop {
    folder: TempDir,
    settings: Vec<(String, String)>,
    /// Whether it runs in roles over servers, not in one process.
    is_in_roles: bool,
    /// Its payment provider, where that is a process of its own.
    provider: Option<Provider>,
}

/// A payment provider for one shop.
struct Provider {
    process: Process,
    /// Where the shop's first node has to listen, to be told of payments.
    told_at: String,
}

/// What the shops of these tests sign webhooks with.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

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
        Self::over(&engines::of(settings), settings)
    }

    /// The same over these servers.
    pub fn over(engines: &Engines, settings: &[(&str, &str)]) -> Self {
        let mut shop = Self {
            folder: TempDir::new().unwrap(),
            settings: Vec::new(),
            is_in_roles: !engines.0.is_empty(),
            provider: None,
        };
        for (key, value) in &engines.0 {
            shop.set(key, value);
        }
        // A test has few accounts, and does much with each.
        shop.set("RATES__ORDERS_PER_ACCOUNT", "off");
        shop.set("RATES__SIGN_IN_PER_EMAIL", "off");
        shop.set("RATES__CODES_PER_EMAIL", "off");
        for (key, value) in settings {
            shop.set(key, value);
        }
        if shop.is_in_roles {
            shop.start_provider();
        }
        shop
    }

    /// A shop whose payment provider is behind a network, wherever the shop itself is.
    pub fn with_provider(settings: &[(&str, &str)]) -> Self {
        let mut shop = Self::with(settings);
        if shop.provider.is_none() {
            shop.start_provider();
        }
        shop
    }

    fn start_provider(&mut self) {
        let [provider, told_at] = [(); 2].map(|()| {
            let port = xtask::services::free_port().unwrap();
            format!("127.0.0.1:{port}")
        });
        self.set("PAYMENT__URL", &format!("http://{provider}"));
        self.set("PAYMENT__SECRET_KEY", "sk_of_the_tests");
        self.set("PAYMENT__WEBHOOK_SECRET", WEBHOOK_SECRET);
        self.set("PAYMENT__SIMULATED__LISTEN", &provider);
        let webhooks = format!("http://{told_at}/webhooks/payments");
        self.set("PAYMENT__SIMULATED__WEBHOOK_URL", &webhooks);
        let process = Process::start(self.command(&["provider"]));
        self.provider = Some(Provider { process, told_at });
    }

    /// The process of its payment provider.
    pub fn provider(&self) -> &Process {
        &self.provider.as_ref().unwrap().process
    }

    /// A command of the node that the provider tells of payments.
    pub fn told(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        if let Some(provider) = &self.provider {
            command.env("FIRSTCOME_LISTEN", &provider.told_at);
        }
        command
    }

    /// The same folder with other settings.
    pub fn set(&mut self, key: &str, value: &str) {
        let key = format!("FIRSTCOME_{key}");
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_owned()));
    }

    /// Writes the file that its processes read settings from, beside what is set for each of them.
    pub fn write(&self, toml: &str) {
        std::fs::write(self.folder.path().join("firstcome.toml"), toml).unwrap();
    }

    /// A setting that was made for it, by the same name.
    pub fn setting(&self, key: &str) -> Option<&str> {
        let key = format!("FIRSTCOME_{key}");
        let setting = self.settings.iter().find(|(known, _)| *known == key);
        setting.map(|(_, value)| value.as_str())
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
    pub fn spawn(&self) -> Process {
        Process::start(self.command(&[]))
    }

    /// Starts its server and waits until it serves. In roles: two API nodes, and a process with
    /// every worker.
    pub async fn start(&self) -> Server {
        if !self.is_in_roles {
            let node = Self::node(self.told(&[])).await;
            return self.server(vec![node], Vec::new());
        }
        self.migrate().await;
        let worker = Process::start(self.command(&["work"]));
        let nodes = vec![
            Self::node(self.told(&["serve"])).await,
            Self::node(self.command(&["serve"])).await,
        ];
        self.server(nodes, vec![worker])
    }

    /// Brings its servers to what this version needs.
    pub async fn migrate(&self) {
        let (status, printed) = self.run(&["migrate"]).await;
        assert!(status.success(), "{printed}");
    }

    /// Its processes, taken together.
    pub fn server(&self, nodes: Vec<Node>, workers: Vec<Process>) -> Server {
        Server {
            nodes,
            workers,
            data: self.data(),
            http: http_client(),
            next: AtomicUsize::new(0),
            is_in_roles: self.is_in_roles,
        }
    }

    /// Starts a command that serves and waits until it does.
    pub async fn node(command: Command) -> Node {
        let mut process = Process::start(command);
        let Some(url) = process.output.url().await else {
            panic!("the server did not start:\n{}", process.printed());
        };
        Node { process, url }
    }

    /// Starts a server that must refuse to, and gives what it said.
    pub async fn start_in_vain(&self) -> (ExitStatus, String) {
        let mut process = self.spawn();
        let status = process.exit().await;
        (status, process.output.ended().await)
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

    /// What a command prints as JSON, and its exit code.
    pub async fn run_json(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let (status, printed) = self.run(arguments).await;
        let json = serde_json::from_str(&printed);
        let json = json.unwrap_or_else(|error| panic!("{error}: {printed}"));
        (json, status.code())
    }

    /// Names and values of the demo's accounts, as the file in the data folder has them.
    pub fn credentials(&self, who: Demo) -> (String, String) {
        credentials(&self.data(), who)
    }
}

/// The same by the folder.
pub fn credentials(data: &Path, who: Demo) -> (String, String) {
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
