//! What the one binary can be.

pub mod audit;
pub mod import;
pub mod migrate;
pub mod rehearsal;
pub mod schema;
pub mod shop;
