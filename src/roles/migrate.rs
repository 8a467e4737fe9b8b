//! `firstcome migrate`: everything that has to be there before the shop starts, and is not.

use std::process::ExitCode;

use adapters::config::Config;
use domain::Fault;

use crate::compose::World;
use crate::setup;

/// Over servers: keys, schema, topics and the demo. In one process the start does all of that by
/// itself, so this only brings the schema up to date.
///
/// # Errors
/// A ledger that can't be opened or that a later program wrote, servers that do not answer.
pub async fn run(config: &Config) -> Result<ExitCode, Fault> {
    if config.servers().is_some() {
        setup::prepare(config, |line| println!("{line}")).await?;
    } else {
        World::open(config).await?.close().await?;
        println!("The schema is up to date.");
    }
    Ok(ExitCode::SUCCESS)
}
