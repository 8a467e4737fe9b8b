//! What the shops of these tests work over.

use std::process::Command;

use xtask::services::Addresses;

pub use crate::at_rest::at_rest;
use crate::support::Engines;

/// The servers of one shop: shared with other tests, but for those that a test has to itself.
pub struct Servers {
    pub redis: Redis,
    /// Brokers, with commas between them.
    pub kafka: String,
    /// A URL of a user that may make databases.
    pub ledger: String,
}

/// A Redis in one of its shapes, by its URLs.
pub enum Redis {
    Standalone(String),
    Sentinel {
        sentinels: Vec<String>,
        primary: String,
    },
    Cluster(Vec<String>),
}

/// Kafka, a cluster of Redis and PostgreSQL for a gate in shards; otherwise Kafka, one Redis and
/// MariaDB.
pub fn of(settings: &[(&str, &str)]) -> Engines {
    let mut servers = Servers::shared();
    if settings.iter().any(|(key, _)| *key == "GATE__SHARDS") {
        servers = Servers {
            redis: Redis::cluster(),
            ledger: postgresql(),
            ..servers
        };
    }
    servers.engines()
}

impl Servers {
    /// Of the shared set: Kafka, one Redis and MariaDB.
    pub fn shared() -> Self {
        Self {
            redis: Redis::Standalone(there(addresses().redis.standalone).url),
            kafka: there(addresses().kafka).brokers,
            ledger: there(addresses().mariadb).url,
        }
    }

    /// With names that nobody else has, and a new database.
    pub fn engines(self) -> Engines {
        let name = fresh_name();
        let mut settings = vec![
            ("NAMESPACE", name.clone()),
            ("LEDGER__URL", database(&self.ledger, &name)),
            ("KAFKA__BROKERS", self.kafka),
            ("KAFKA__REPLICATION", "1".to_owned()),
            ("KAFKA__PARTITIONS", "3".to_owned()),
            ("KAFKA__SESSION", "6s".to_owned()),
            ("PROCESS__NOTICE", "300ms".to_owned()),
            ("REDIS__CACHE", there(addresses().redis.standalone).url),
        ];
        let (mode, nodes) = match self.redis {
            Redis::Standalone(url) => ("standalone", vec![url]),
            Redis::Sentinel { sentinels, primary } => {
                settings.push(("REDIS__PRIMARY", primary));
                ("sentinel", sentinels)
            }
            Redis::Cluster(nodes) => ("cluster", nodes),
        };
        settings.push(("REDIS__MODE", mode.to_owned()));
        let nodes: Vec<&str> = nodes.iter().map(|url| host(url)).collect();
        settings.push(("REDIS__NODES", nodes.join(",")));
        Engines(settings)
    }
}

impl Redis {
    pub fn cluster() -> Self {
        Self::Cluster(there(addresses().redis.cluster).nodes)
    }

    pub fn sentinel() -> Self {
        let shared = there(addresses().redis.sentinel);
        Self::Sentinel {
            sentinels: shared.sentinels,
            primary: shared.primary,
        }
    }
}

/// The shared PostgreSQL.
pub fn postgresql() -> String {
    there(addresses().postgresql).url
}

fn addresses() -> Addresses {
    Addresses::read().unwrap_or_else(|failure| panic!("{failure}"))
}

fn there<T>(server: Option<T>) -> T {
    server.expect("a whole set of servers: see `cargo xtask services status`")
}

/// `host:port` of a URL without a user.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/')
}

/// A name of small letters and digits.
fn fresh_name() -> String {
    let file = tempfile::Builder::new()
        .prefix("t")
        .rand_bytes(11)
        .tempfile()
        .unwrap();
    let name = file.path().file_name().unwrap();
    name.to_str().unwrap().to_lowercase()
}

/// Makes a database, with the server's own client; its URL.
fn database(server: &str, name: &str) -> String {
    let statement = format!("CREATE DATABASE {name}");
    let mut client = if server.starts_with("mysql") {
        let mut client = mariadb("mariadb", server);
        client.args(["--execute", &statement]);
        client
    } else {
        let mut client = Command::new("psql");
        client.args(["--no-psqlrc", server, "--command", &statement]);
        client
    };
    let output = client.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let Url {
        scheme,
        user,
        password,
        host,
        port,
        ..
    } = Url::parse(server);
    format!("{scheme}://{user}:{password}@{host}:{port}/{name}")
}

/// One of MariaDB's own programs at the server of this URL, and at its database if it names one.
pub fn mariadb(program: &str, url: &str) -> Command {
    let url = Url::parse(url);
    let mut client = Command::new(program);
    client
        .args(["--no-defaults", "--protocol=tcp", "--host", url.host])
        .args(["--port", url.port, "--user", url.user])
        .arg(format!("--password={}", url.password));
    if !url.database.is_empty() {
        client.arg(url.database);
    }
    client
}

/// The parts of a database server's URL.
struct Url<'a> {
    scheme: &'a str,
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
    database: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Self {
        let parts = || {
            let (scheme, rest) = url.split_once("://")?;
            let (login, rest) = rest.split_once('@')?;
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
            let (host, port) = server.split_once(':')?;
            Some(Self {
                scheme,
                user,
                password,
                host,
                port,
                database,
            })
        };
        parts().unwrap_or_else(|| panic!("{url} is no URL of a database server"))
    }
}
