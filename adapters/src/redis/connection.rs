//! A connection that comes back by itself, to whatever is set up. One connection carries the
//! commands of all callers at once; it is as good as a pool and costs a fraction.

mod line;
mod target;

use std::sync::Arc;

use domain::Fault;
use redis::aio::{ConnectionLike, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_read_routing::RandomReplicaStrategy;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, ResponsePolicy, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr,
};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};

use self::line::Line;
use self::target::Target;
use super::settings::{Mode, RedisSettings};

/// How often the nodes of a cluster are asked, beyond the first time, while slots move.
const CLUSTER_RETRIES: u32 = 4;

/// Which copies of the data a connection may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// The primary's only.
    Primary,
    /// A replica's where there is one: a moment behind, and free of the primary's work.
    Replica,
}

/// A connection to a server, or to the servers of a cluster.
#[derive(Clone)]
pub enum Connection {
    Line(Arc<Line>),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Connects. Afterwards it finds its way back whenever it is cut off.
    ///
    /// # Errors
    /// Nobody answers in time, or what is set makes no sense.
    pub async fn open(settings: &RedisSettings, copies: Copies) -> Result<Self, Fault> {
        Self::try_open(settings, copies)
            .await
            .map_err(|error| Fault::unavailable("connecting to Redis", error))
    }

    async fn try_open(settings: &RedisSettings, copies: Copies) -> RedisResult<Self> {
        let timeout = settings.command_timeout;
        if let Mode::Cluster { nodes } = &settings.mode {
            let mut builder = ClusterClient::builder(target::addresses(settings, nodes)?)
                .retries(CLUSTER_RETRIES)
                .connection_timeout(timeout)
                .response_timeout(timeout)
                .overall_response_timeout(Some(timeout));
            if copies == Copies::Replica {
                builder = builder.read_routing_strategy(RandomReplicaStrategy);
            }
            let connecting = builder.build()?;
            let connecting = connecting.get_async_connection();
            return match tokio::time::timeout(timeout * 2, connecting).await {
                Ok(connection) => connection.map(Self::Cluster),
                Err(_) => Err(out_of_time()),
            };
        }
        let target = Target::of(settings, copies)?;
        let line = Line::open(target, timeout).await?;
        Ok(Self::Line(Arc::new(line)))
    }

    /// Runs a command that leaves the same behind when it runs twice: where a connection turns out
    /// to be dead it is run again on the next one. In a cluster it goes to the node of its key.
    pub async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        let value = match self {
            Self::Line(line) => line.run(command).await?,
            Self::Cluster(cluster) => cluster.clone().req_packed_command(command).await?,
        };
        value.extract_error()
    }

    /// Runs several commands one after the other on the server of `key`, again if need be; each
    /// has its own answer, which may be an error of the server.
    pub async fn run_all(&self, pipeline: &Pipeline, key: &str) -> RedisResult<Vec<Value>> {
        match self {
            Self::Line(line) => line.run_all(pipeline).await,
            Self::Cluster(cluster) => {
                let count = pipeline.len();
                cluster
                    .clone()
                    .route_pipeline(pipeline.clone(), 0, count, primary_of(key))
                    .await
            }
        }
    }

    /// Runs a command that names no key on the primary of `key`.
    pub async fn run_beside(&self, command: &Cmd, key: &str) -> RedisResult<Value> {
        let value = match self {
            Self::Line(line) => line.run(command).await?,
            Self::Cluster(cluster) => {
                let routing = RoutingInfo::SingleNode(primary_of(key));
                let command = command.clone();
                cluster.clone().route_command(command, routing).await?
            }
        };
        value.extract_error()
    }

    /// Runs a command on every server this connection may talk to.
    pub async fn run_everywhere(&self, command: &Cmd) -> RedisResult<Value> {
        let value = match self {
            Self::Line(line) => line.run(command).await?,
            Self::Cluster(cluster) => {
                let everywhere = MultipleNodeRoutingInfo::AllNodes;
                let all = Some(ResponsePolicy::AllSucceeded);
                let routing = RoutingInfo::MultiNode((everywhere, all));
                let command = command.clone();
                cluster.clone().route_command(command, routing).await?
            }
        };
        value.extract_error()
    }
}

fn primary_of(key: &str) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
}

/// Opens connections that only listen. In a cluster any node hears what all of them publish.
pub struct Listening {
    target: Target,
    timeout: std::time::Duration,
}

impl Listening {
    /// # Errors
    /// What is set makes no sense.
    pub fn new(settings: &RedisSettings) -> Result<Self, Fault> {
        let target = Target::of(settings, Copies::Primary);
        Ok(Self {
            target: target.map_err(|error| Fault::corrupt("reading where Redis is", error))?,
            timeout: settings.command_timeout,
        })
    }

    /// A connection that hears these channels from now on.
    pub async fn to(&mut self, channels: &[String]) -> RedisResult<PubSub> {
        let connecting = async {
            let mut connection = self.target.client().await?.get_async_pubsub().await?;
            connection.subscribe(channels).await?;
            Ok(connection)
        };
        let connecting = tokio::time::timeout(self.timeout * 2, connecting);
        connecting.await.unwrap_or_else(|_| Err(out_of_time()))
    }
}

fn out_of_time() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// What a failed command says about its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Blame {
    /// The connection is fine, the command failed.
    Command,
    /// It is dead, or leads to a server that is no primary any more; whoever is there now may
    /// answer at once.
    Connection,
    /// Nobody may be there; waiting for a second answer would take as long again.
    Silence,
}

fn blame(error: &RedisError) -> Blame {
    let stale = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    if error.is_timeout() || error.code() == Some("NOREPLICAS") {
        // A primary that its replicas have left may have been replaced.
        Blame::Silence
    } else if stale || error.is_unrecoverable_error() {
        Blame::Connection
    } else {
        Blame::Command
    }
}

/// A failed command as a fault: wrong calls and wrong data are for a person to look at, all else
/// may pass.
pub fn fault(doing: &'static str, error: RedisError) -> Fault {
    match error.code() {
        Some("GATEARG" | "GATEDATA" | "WRONGTYPE") => Fault::corrupt(doing, error),
        _ => Fault::unavailable(doing, error),
    }
}
