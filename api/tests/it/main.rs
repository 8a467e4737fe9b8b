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
mod cost;
mod http;
mod limits;
mod origins_of_requests;
mod overload;
mod persisted;
mod playground;
mod raw;
mod server;
mod slow;
mod socket;
mod sse;
mod toy;
mod webhooks;
