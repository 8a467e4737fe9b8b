//! The real servers: Redis in three shapes, Kafka, MariaDB, PostgreSQL, from Debian's packages and
//! Kafka's published Java artefacts.
//!
//! Each runs in a temporary folder on private ports of 127.0.0.1 and is ready when its constructor
//! returns. It can be stopped, killed and started again on the same ports and data, and ends with
//! the value that stands for it, with the process that holds that value at the latest. A package's
//! own system service is neither started nor used.
//!
//! ```no_run
//! # fn main() -> Result<(), xtask::Failure> {
//! let mut kafka = xtask::services::Kafka::launch()?;
//! println!("{}", kafka.brokers());
//! kafka.kill()?;
//! kafka.start()?;
//! # Ok(())
//! # }
//! ```

mod home;
mod kafka;
mod mariadb;
mod packages;
mod port;
mod postgres;
mod process;
mod redis;
mod server;
mod shared;
mod shop;
mod spawn;
mod stripe_mock;
mod wait;

pub use self::home::Lifetime;
pub use self::kafka::{Kafka, kafka_tool};
pub use self::mariadb::MariaDb;
pub use self::port::free as free_port;
pub use self::postgres::Postgres;
pub use self::redis::{Keep, PRIMARY, Redis, RedisCluster, RedisSentinel};
pub use self::server::Server;
pub use self::shared::{
    Addresses, Answer, Cluster, Log, RedisAddresses, Sentinel, Set, Url, down, status,
};
pub use self::shop::Shop;
pub use self::stripe_mock::StripeMock;
