//! Redis: the stock gate of a shop that runs in several processes, and the caches between them.

pub(crate) mod connection;
mod settings;

pub use settings::{Mode, RedisSettings};
