//! The ledger in a SQLite file keeps the stores' law.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod stores {
    pub mod accounts;
    pub mod batches;
    pub mod bench;
    pub mod books;
    pub mod chaos;
    pub mod guards;
    pub mod items;
    pub mod lists;
    pub mod sqlite;
    pub mod steps;
    pub mod suite;
    pub mod tellings;
    pub mod traces;
}
#[path = "support/traced.rs"]
mod traced;

use stores::sqlite::open;

stores::suite::suite!(open);
