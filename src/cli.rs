//! The command line: which role, with which options.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::config::Config;
use clap::{Parser, Subcommand};
use domain::Fault;

use crate::roles;

/// Sells what runs out: time deals with limited stock, beside ordinary items. Without a command it
/// runs the whole shop in this process.
#[derive(Parser)]
#[command(name = "firstcome", version)]
pub struct Cli {
    /// Read settings from this file instead of `firstcome.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Print the GraphQL schema.
    Schema,
}

/// Runs what was asked for.
pub async fn run(cli: Cli) -> ExitCode {
    // What prints constants needs no settings.
    if let Some(Role::Schema) = cli.role {
        roles::schema::run();
        return ExitCode::SUCCESS;
    }
    let config = match Config::read(cli.config.as_deref()) {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                eprintln!("firstcome: {error}");
            }
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = adapters::telemetry::start(&config.log) {
        eprintln!("firstcome: {error}");
        return ExitCode::FAILURE;
    }
    let done = match cli.role {
        None => roles::shop::run(config).await.map(|()| ExitCode::SUCCESS),
        Some(Role::Schema) => Ok(ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|fault| told(&fault))
}

/// Tells an operator at a terminal what failed: here the whole chain is theirs to see.
fn told(fault: &Fault) -> ExitCode {
    eprintln!("firstcome: {}", fault.detail());
    ExitCode::FAILURE
}
