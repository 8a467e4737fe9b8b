//! The product from outside: the real binary in a process of its own, over HTTP and WebSockets.
//!
//! One test binary, because linking takes longer than most of what it runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

#[allow(
    dead_code,
    unused_imports,
    reason = "each of the test binaries uses its part of the harness"
)]
#[path = "../support/harness.rs"]
mod support;

#[path = "../fuzz/almost.rs"]
mod almost;

mod accounts;
mod after_sale;
mod attacks;
mod back_office;
mod banner;
mod behind_the_shop;
mod catalogue;
mod credentials;
mod deals;
mod endpoint;
mod engines;
mod first_five_minutes;
mod fuzz;
mod http;
mod keys;
mod leaks;
mod letters;
mod limits;
mod mail_server;
mod order_book;
mod order_refusals;
mod overload;
mod payments;
mod people;
mod predecessors;
mod race;
mod races_after_sale;
mod rates;
mod refusals;
mod rehearsal;
mod reload;
mod restart;
mod retry;
mod roles;
mod sealed;
mod sellers;
mod sessions;
mod shards;
mod storm;
mod subscriptions;
mod webhooks;
mod wishlists;
