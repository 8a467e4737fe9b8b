//! The schema against a small world of its own.

mod buying;
mod client;
mod operating;
mod reading;
mod refusing;
mod schema;
mod selling;
mod watching;
mod watching_orders;
mod wishing;
pub(super) mod world;
