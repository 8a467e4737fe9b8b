//! Redis: the stock gate of a shop that runs in several processes, and the caches between them.

pub(crate) mod connection;
mod items;
mod settings;

pub use items::{RedisItems, SharedItem};
pub use settings::{Mode, RedisSettings};
