//! What the one binary can be.

pub mod schema;
pub mod shop;
