//! Payment providers: one that speaks Stripe's API over HTTP, one in this process that takes no
//! money, and the same as a server that speaks Stripe's API.

mod references;
pub mod server;
pub mod simulated;
pub mod stripe;
mod tls;

pub use references::References;
pub use simulated::SimulatedProvider;
pub use stripe::{StripeProvider, StripeSettings};
