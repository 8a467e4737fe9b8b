//! The face from outside: a real server on a port of its own, a small schema of the tests', real
//! HTTP and real sockets.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod answers;
mod browsers;
mod client;
mod http;
mod limits;
mod persisted;
mod playground;
mod server;
mod socket;
mod sse;
mod toy;
mod webhooks;
