//! The tables as sea-orm knows them; `migrations` creates them. Nothing here means anything: rows
//! become aggregates in `rows`.

mod account;
mod catalogue;
mod dead_letter;
mod letter;
mod order;
mod payment_reference;
mod pipeline;
mod record;
mod wishlist;

pub use account::{accounts, ended_sessions, sessions, verifications};
pub use catalogue::{buyer_stock, items, stock};
pub use dead_letter::dead_letters;
pub use letter::letters_sent;
pub use order::{order_lines, orders, payments, refunds, return_lines, return_requests, shipments};
pub use payment_reference::payment_references;
pub use pipeline::{admissions, idempotency_keys, outbox, writer_positions};
pub use record::{operator_acts, stock_movements};
pub use wishlist::wishlist_entries;
