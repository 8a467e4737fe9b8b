//! A primary, two replicas, and three Sentinels that fail over.

use std::time::Duration;

use super::{Keep, ask, node, recipe, url};
use crate::Failure;
use crate::services::home::{Home, Lifetime};
use crate::services::server::Server;
use crate::services::{port, wait};

/// The name by which the Sentinels know the primary.
pub const PRIMARY: &str = "firstcome";

const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
/// Sentinels that must agree that the primary is gone.
const QUORUM: usize = 2;
/// How long the set may take until everybody knows everybody.
const SETTLED: Duration = Duration::from_mins(1);

/// A primary that cut itself off must have stopped taking writes before another one takes over:
/// its lag is below the Sentinels' patience. Replicas report once a second.
const MAX_LAG_S: u32 = 3;
const DOWN_AFTER_MS: u32 = 4000;
const FAILOVER_TIMEOUT_MS: u32 = 10_000;

/// A replicated Redis with automatic failover.
pub struct RedisSentinel {
    nodes: Vec<Server>,
    sentinels: Vec<Server>,
    pub(in crate::services) home: Home,
}

impl RedisSentinel {
    /// One of our own.
    pub fn launch() -> Result<Self, Failure> {
        Self::launch_for(Lifetime::Ours)
    }

    pub(in crate::services) fn launch_for(lifetime: Lifetime) -> Result<Self, Failure> {
        let home = super::home("redis-sentinel", lifetime)?;
        let writes = format!(
            "min-replicas-to-write 1\n\
             min-replicas-max-lag {MAX_LAG_S}\n\
             repl-diskless-sync-delay 0\n"
        );
        let first = port::free()?;
        let primary = node(&home, "node-1", first, Keep::AppendOnly, &writes)?;
        let mut nodes = vec![Server::launch(primary)?];
        for index in 0..REPLICAS {
            let name = format!("node-{}", index + 2);
            let follows =
                format!("{writes}replica-serve-stale-data no\nreplicaof 127.0.0.1 {first}\n");
            let replica = node(&home, &name, port::free()?, Keep::AppendOnly, &follows)?;
            nodes.push(Server::launch(replica)?);
        }
        let mut sentinels = Vec::new();
        for index in 0..SENTINELS {
            sentinels.push(sentinel(&home, &format!("sentinel-{}", index + 1), first)?);
        }
        let mut set = Self {
            nodes,
            sentinels,
            home,
        };
        set.settled()?;
        set.home.settled();
        Ok(set)
    }

    /// The Sentinels' addresses, as URLs.
    pub fn sentinels(&self) -> Vec<String> {
        self.sentinels.iter().map(url).collect()
    }

    /// The node that the Sentinels name as primary: to be killed, asked, and started again.
    pub fn primary(&mut self) -> Result<&mut Server, Failure> {
        let port = self.primary_port()?;
        self.nodes
            .iter_mut()
            .find(|node| node.port() == port)
            .ok_or_else(|| format!("no node of ours is on the primary's port {port}").into())
    }

    /// All nodes, primary and replicas, in no particular order of roles.
    pub fn nodes(&mut self) -> &mut [Server] {
        &mut self.nodes
    }

    /// Waits until the Sentinels have made another node than the one on `port` the primary.
    pub fn fails_over_from(&self, port: u16, within: Duration) -> Result<(), Failure> {
        wait::until("a failover", within, || match self.primary_port() {
            Ok(primary) if primary != port => Ok(()),
            Ok(_) => Err("the primary is the same".to_owned()),
            Err(failure) => Err(failure.to_string()),
        })
    }

    /// Waits until all nodes run and follow one primary, and every Sentinel knows them all: only
    /// then can it fail over.
    pub fn settled(&self) -> Result<(), Failure> {
        wait::until("a settled set", SETTLED, || {
            let primary = self.primary_port().map_err(|failure| failure.to_string())?;
            let role = ask(primary, &["INFO", "REPLICATION"]).map_err(|no| no.to_string())?;
            if !role.contains(&format!("min_slaves_good_slaves:{REPLICAS}")) {
                return Err(role);
            }
            self.sentinels.iter().try_for_each(knows_everybody)
        })
    }

    fn primary_port(&self) -> Result<u16, Failure> {
        let mut running = self
            .sentinels
            .iter()
            .filter(|sentinel| sentinel.pid().is_some());
        let sentinel = running.next().ok_or("no Sentinel runs")?;
        let answer = ask(
            sentinel.port(),
            &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY],
        )?;
        let port = answer.lines().nth(1).and_then(|port| port.parse().ok());
        port.ok_or_else(|| format!("a Sentinel does not name the primary: {answer}").into())
    }

    pub(in crate::services) fn servers(&mut self) -> Vec<&mut Server> {
        self.sentinels.iter_mut().chain(&mut self.nodes).collect()
    }
}

fn knows_everybody(sentinel: &Server) -> Result<(), String> {
    let answer = ask(sentinel.port(), &["SENTINEL", "MASTER", PRIMARY]);
    let answer = answer.map_err(|failure| failure.to_string())?;
    let known = field(&answer, "num-slaves") == Some(REPLICAS)
        && field(&answer, "num-other-sentinels") == Some(SENTINELS - 1);
    if known { Ok(()) } else { Err(answer) }
}

fn sentinel(home: &Home, name: &str, primary: u16) -> Result<Server, Failure> {
    let folder = home.folder(name)?;
    let port = port::free()?;
    let settings = format!(
        "port {port}\n\
         bind 127.0.0.1\n\
         dir {}\n\
         sentinel monitor {PRIMARY} 127.0.0.1 {primary} {QUORUM}\n\
         sentinel down-after-milliseconds {PRIMARY} {DOWN_AFTER_MS}\n\
         sentinel failover-timeout {PRIMARY} {FAILOVER_TIMEOUT_MS}\n\
         sentinel parallel-syncs {PRIMARY} 1\n",
        folder.display()
    );
    let file = home.file(&format!("{name}/sentinel.conf"), &settings)?;
    let arguments = vec![file.into(), "--sentinel".into()];
    Server::launch(recipe(home, name, port, arguments)?)
}

/// A number among the names and values that alternate line by line.
fn field(answer: &str, name: &str) -> Option<usize> {
    let mut lines = answer.lines();
    lines.find(|line| *line == name)?;
    lines.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_line_after_its_name() {
        let answer = "name\nfirstcome\nnum-slaves\n2\nquorum\n2\n";
        assert_eq!(field(answer, "num-slaves"), Some(2));
        assert_eq!(field(answer, "name"), None);
        assert_eq!(field(answer, "missing"), None);
    }
}
