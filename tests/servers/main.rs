//! The product over the real servers, from outside: API nodes and workers in processes of their own,
//! over Redis, Kafka and a SQL server.
//!
//! First what the embedded product's tests say, over servers; then each row of the order path's
//! fault table, done for real. Tests that hurt no server share one set of them (`cargo xtask
//! services up`), each with names and a database of its own; a server that is hurt is the test's.

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

#[path = "../it/accounts.rs"]
mod accounts;
#[path = "../it/after_sale.rs"]
mod after_sale;
#[path = "../it/attacks.rs"]
mod attacks;
#[path = "../it/back_office.rs"]
mod back_office;
#[path = "../it/behind_the_shop.rs"]
mod behind_the_shop;
#[path = "../it/credentials.rs"]
mod credentials;
#[path = "../it/deals.rs"]
mod deals;
#[path = "../it/first_five_minutes.rs"]
mod first_five_minutes;
#[path = "../it/keys.rs"]
mod keys;
#[path = "../it/leaks.rs"]
mod leaks;
#[path = "../it/letters.rs"]
mod letters;
#[path = "../it/limits.rs"]
mod limits;
#[path = "../it/mail_server.rs"]
mod mail_server;
#[path = "../it/payments.rs"]
mod payments;
#[path = "../it/people.rs"]
mod people;
#[path = "../it/predecessors.rs"]
mod predecessors;
#[path = "../it/race.rs"]
mod race;
#[path = "../it/races_after_sale.rs"]
mod races_after_sale;
#[path = "../it/rates.rs"]
mod rates;
#[path = "../it/reload.rs"]
mod reload;
#[path = "../it/retry.rs"]
mod retry;
#[path = "../it/sealed.rs"]
mod sealed;
#[path = "../it/sessions.rs"]
mod sessions;
#[path = "../it/shards.rs"]
mod shards;
#[path = "../it/storm.rs"]
mod storm;
#[path = "../it/subscriptions.rs"]
mod subscriptions;
#[path = "../it/webhooks.rs"]
mod webhooks;
#[path = "../it/wishlists.rs"]
mod wishlists;

mod api_dies;
mod at_rest;
mod engines;
mod fleet;
mod gate_lost;
mod kafka_tools;
mod ledger_away;
mod letters_again;
mod log_away;
mod names;
mod parcels;
mod payment_worker_dies;
mod poison;
mod rolling_restart;
mod sale;
mod traces;
mod writer_dies;
