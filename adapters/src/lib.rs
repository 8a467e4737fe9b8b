//! The world behind the ports.

// The tests' helpers name this crate as everybody else does.
#[cfg(test)]
extern crate self as adapters;

mod batcher;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod embedded;
pub mod entropy;
pub mod guard;
pub mod item_cache;
pub mod kafka;
pub mod mail;
pub mod payment;
pub mod redis;
pub mod secret_file;
mod spread;
pub mod sql;
pub mod telemetry;
pub mod wire;
pub mod words;
