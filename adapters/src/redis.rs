//! Redis: the stock gate of a shop that runs in several processes, and the caches between them.

pub(crate) mod connection;
mod gate;
mod items;
mod keys;
mod limiter;
mod replies;
mod scripts;
mod settings;

pub use gate::{GateSettings, RedisGate};
pub use items::{RedisItems, SharedItem};
pub use limiter::RedisLimiter;
pub use settings::{Mode, RedisSettings};
