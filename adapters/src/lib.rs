//! The world behind the ports.

pub mod clock;
pub mod config;
pub mod crypto;
pub mod embedded;
pub mod entropy;
pub mod item_cache;
pub mod mail;
pub mod payment;
pub mod secret_file;
pub mod sql;
pub mod telemetry;
pub mod wire;
pub mod words;
