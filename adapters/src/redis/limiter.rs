//! Rates that are counted over all processes of a shop.

use async_trait::async_trait;
use domain::Fault;
use domain::ports::Limiter;
use domain::ports::limiter::Taken;
use domain::rate::{Bucket, Rate};

use super::connection::{Connection, Copies};
use super::keys::bucket_key;
use super::replies::{Reply, wrong};
use super::scripts::Script;
use super::settings::RedisSettings;

const DOING: &str = "counting how often something is done";

/// Buckets in the gate's Redis, by its clock. A command that is sent again because its connection
/// broke may be counted twice.
pub struct RedisLimiter {
    namespace: String,
    connection: Connection,
    script: Script,
}

impl RedisLimiter {
    /// Connects, and loads the script.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, Fault> {
        let connection = Connection::open(settings, Copies::Primary).await?;
        let script = Script::new(include_str!("../../../lua/take.lua"), DOING);
        script.load(&connection).await?;
        Ok(Self {
            namespace: settings.namespace.clone(),
            connection,
            script,
        })
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn take(&self, bucket: &Bucket, rate: Rate) -> Result<Taken, Fault> {
        let key = bucket_key(&self.namespace, bucket);
        let mut call = self.script.call(1, 2, key.len() + 32);
        call.arg(key).arg(rate.interval_us()).arg(rate.times());
        let mut reply = Reply::new(DOING, self.script.run(&self.connection, &call).await?)?;
        match (reply.int()?, reply.unsigned()?) {
            (1, _) => Ok(Taken::Yes),
            (0, retry_after_ms) => Ok(Taken::No { retry_after_ms }),
            _ => Err(wrong(DOING, "neither taken nor refused")),
        }
    }
}
