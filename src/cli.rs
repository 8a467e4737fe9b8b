//! The command line: which role, with which options.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::config::Config;
use clap::{Parser, Subcommand};
use domain::Fault;

use crate::roles;
use crate::roles::audit::AuditArgs;
use crate::rush::RushArgs;

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
    /// Hold ledger, gate and payments against each other; fail when an invariant is broken.
    Audit(AuditArgs),
    /// Take a catalogue in from CSV.
    Import(roles::import::Args),
    /// Bring the ledger's schema up to date.
    Migrate,
    /// Remove the accounts that rehearsals made.
    RehearsalClear,
    /// Send a rehearsal crowd against a running endpoint, then audit.
    Rush(Box<RushArgs>),
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
        Some(Role::Audit(args)) => roles::audit::run(config, &args).await,
        Some(Role::Import(args)) => roles::import::run(&config, args).await,
        Some(Role::Migrate) => roles::migrate::run(&config).await,
        Some(Role::RehearsalClear) => roles::rehearsal::clear(&config).await,
        Some(Role::Rush(args)) => roles::rehearsal::rush(&config, *args).await,
        Some(Role::Schema) => Ok(ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|fault| told(&fault))
}

/// Tells an operator at a terminal what failed: here the whole chain is theirs to see.
fn told(fault: &Fault) -> ExitCode {
    eprintln!("firstcome: {}", fault.detail());
    ExitCode::FAILURE
}
