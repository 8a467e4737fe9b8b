//! The decisions of firstcome: what is sold, who may take it, and what becomes of an order.
//!
//! Pure: no I/O, no serialisation, no runtime. The world is behind [`ports`]; time and randomness
//! come from it too. [`use_cases`] decide over the ports; everything else decides in memory.

pub mod account;
pub mod act;
pub mod batch;
pub mod dead_letter;
pub mod deal;
pub mod delivery;
pub mod event;
pub mod failure;
pub mod gate;
pub mod ids;
pub mod item;
pub mod language;
pub mod message;
pub mod money;
pub mod movement;
pub mod order;
pub mod page;
pub mod payment;
pub mod policy;
pub mod ports;
pub mod quantity;
pub mod rate;
pub mod refusal;
pub mod requester;
pub mod return_request;
pub mod session;
pub mod stock;
pub mod trace;
pub mod use_cases;
pub mod verification;
pub mod wishlist;

pub use failure::{Failure, Fault, FaultKind};
pub use ids::*;
pub use language::Language;
pub use money::{Currency, Money};
pub use quantity::Quantity;
pub use rate::Peer;
pub use refusal::{Reason, Refusal};
pub use requester::Requester;

/// An instant, in UTC. Compared and stored in milliseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
