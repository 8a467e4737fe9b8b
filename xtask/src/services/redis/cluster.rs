//! Three primaries that share the slots.

use std::process::Command;
use std::time::Duration;

use super::{Keep, ask, client, node, url};
use crate::Failure;
use crate::services::home::{Home, Lifetime};
use crate::services::server::{Server, run};
use crate::services::{port, wait};

const NODES: usize = 3;
/// How long until every node has heard of all slots.
const AGREED: Duration = Duration::from_mins(1);
const NODE_TIMEOUT_MS: u32 = 5000;

/// A Redis Cluster without replicas.
pub struct RedisCluster {
    nodes: Vec<Server>,
    pub(in crate::services) home: Home,
}

impl RedisCluster {
    /// One of our own.
    pub fn launch() -> Result<Self, Failure> {
        Self::launch_for(Lifetime::Ours)
    }

    pub(in crate::services) fn launch_for(lifetime: Lifetime) -> Result<Self, Failure> {
        let home = super::home("redis-cluster", lifetime)?;
        let mut nodes = Vec::new();
        for index in 0..NODES {
            let name = format!("node-{}", index + 1);
            // Its other port, too, is private: by default it is ten thousand further up. And what
            // lies on living nodes stays on sale when one is gone.
            let cluster = format!(
                "cluster-enabled yes\n\
                 cluster-port {}\n\
                 cluster-node-timeout {NODE_TIMEOUT_MS}\n\
                 cluster-require-full-coverage no\n",
                port::free()?
            );
            let recipe = node(&home, &name, port::free()?, Keep::AppendOnly, &cluster)?;
            nodes.push(Server::launch(recipe)?);
        }
        let addresses = nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        run(Command::new(client()?)
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "0", "--cluster-yes"]))?;
        let mut cluster = Self { nodes, home };
        cluster.agreed()?;
        cluster.home.settled();
        Ok(cluster)
    }

    /// Every node's address, as a URL.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(url).collect()
    }

    /// The nodes: to be killed and started again one by one.
    pub fn nodes(&mut self) -> &mut [Server] {
        &mut self.nodes
    }

    /// Waits until every node sees all slots served.
    pub fn agreed(&self) -> Result<(), Failure> {
        for node in &self.nodes {
            wait::until("a whole cluster", AGREED, || whole(node.port()))?;
        }
        Ok(())
    }

    pub(in crate::services) fn servers(&mut self) -> Vec<&mut Server> {
        self.nodes.iter_mut().collect()
    }
}

/// `cluster_state:ok` alone would not tell a node that is missing, since the rest goes on.
fn whole(port: u16) -> Result<(), String> {
    let info = ask(port, &["CLUSTER", "INFO"]).map_err(|failure| failure.to_string())?;
    let says = |line| info.lines().any(|one| one == line);
    if says("cluster_state:ok") && says("cluster_slots_ok:16384") {
        Ok(())
    } else {
        Err(info)
    }
}
