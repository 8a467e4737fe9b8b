//! The face of firstcome: GraphQL over HTTP, WebSocket and server-sent events, the playground, health.
//!
//! Nothing here decides anything of the business: a resolver parses, calls a use case of the domain,
//! and maps what comes back.

pub mod answer;
pub mod app;
pub mod authenticate;
mod census;
mod counts;
pub mod engine;
pub mod fault;
pub mod floor;
pub mod graphql;
mod headers;
mod health;
mod http;
mod intake;
pub mod limits;
mod mailbox;
mod operation;
pub mod origin;
pub mod playground;
pub mod request;
pub mod server;
pub mod sessions;
mod socket;
mod sse;
mod term;
pub mod webhooks;
