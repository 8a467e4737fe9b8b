//! `firstcome migrate`: the ledger's schema, brought up to date without starting the shop.

use std::process::ExitCode;

use adapters::config::Config;
use domain::Fault;

use crate::compose::World;

/// Opens the ledger, which brings its schema up to date.
///
/// # Errors
/// A ledger that can't be opened, or that a later program wrote.
pub async fn run(config: &Config) -> Result<ExitCode, Fault> {
    World::open(config, 0).await?.close().await?;
    println!("The schema is up to date.");
    Ok(ExitCode::SUCCESS)
}
