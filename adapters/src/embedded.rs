//! The engines of the embedded mode: the gate in memory, the log in a SQLite file.

pub(crate) mod file;
pub mod gate;
pub mod limiter;
pub mod log;
