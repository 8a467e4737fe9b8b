//! What happens without anybody asking: accepted orders get into the ledger, payments are settled,
//! unpaid orders expire, parcels move, mail goes out, and the gate hears of everything.
//!
//! [`Workers`] runs any of them, by [`WorkerName`], until its shutdown signal; [`Health`] says how
//! each is doing. Any number of processes may run the same worker: every step it takes is guarded in
//! the ledger.

mod backoff;
mod cancellation;
mod consume;
mod context;
mod dead_letters;
mod delivery;
mod edge_relay;
mod expiry;
mod gate_keeper;
mod health;
mod housekeeping;
mod mail;
mod name;
mod order_writer;
mod outbox_relay;
mod pace;
mod payment;
mod returns;
mod runner;
#[cfg(test)]
mod testing;
mod trace;

pub use health::{Health, WorkerHealth, WorkerState};
pub use name::{UnknownWorker, WorkerName};
pub use pace::{Pace, Waits};
pub use runner::Workers;
