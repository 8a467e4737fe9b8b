//! What the one binary can be.

pub mod audit;
mod crew;
mod endpoint;
pub mod floor;
pub mod grant;
pub mod import;
pub mod migrate;
pub mod provider;
pub mod rehearsal;
pub mod rotate;
pub mod schema;
pub mod serve;
pub mod shop;
pub mod work;

use adapters::config::Config;
use domain::Fault;

/// # Errors
/// The settings name no servers, without which `role` has nothing to share with others.
fn need_servers(config: &Config, role: &str) -> Result<(), Fault> {
    if config.servers().is_some() {
        return Ok(());
    }
    let text = format!(
        "`firstcome {role}` runs over servers: set ledger.url, redis.nodes and kafka.brokers; \
         `firstcome` alone runs everything in one process"
    );
    Err(Fault::corrupt("starting", text))
}
