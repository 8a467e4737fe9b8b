//! The product from outside: the real binary in a process of its own, over HTTP and WebSockets.
//!
//! One test binary, because linking takes longer than most of what it runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod support;

mod accounts;
mod catalogue;
mod deals;
mod first_five_minutes;
mod http;
mod limits;
mod payments;
mod race;
mod refusals;
mod rehearsal;
mod restart;
mod retry;
mod sellers;
mod shards;
mod storm;
mod subscriptions;
