//! The command line: which role, with which options.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::config::Settings;
use clap::{Parser, Subcommand};
use domain::Fault;

use crate::reload::Reload;
use crate::roles;
use crate::roles::audit::AuditArgs;
use crate::roles::grant::GrantArgs;
use crate::roles::rotate::RotateArgs;
use crate::roles::work::WorkArgs;
use crate::rush::RushArgs;

/// Sells what runs out: time deals with limited stock, beside ordinary items. Without a command it
/// runs the whole shop in this process, over servers where they are set.
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
    /// Serve a mutation that does nothing, for a rehearsal to compare with.
    #[command(name = crate::rush::FLOOR, hide = true)]
    Floor,
    /// Give an account another role: its e-mail address is read from standard input.
    Grant(GrantArgs),
    /// Take a catalogue in from CSV.
    Import(roles::import::Args),
    /// Bring the ledger's schema up to date; over servers, make keys, topics and the demo too.
    Migrate,
    /// Run the simulated payment provider, which takes no money, as a server of its own.
    Provider,
    /// Remove the accounts that rehearsals made.
    RehearsalClear,
    /// Replace keys, while the shop runs or not.
    Rotate(RotateArgs),
    /// Send a rehearsal crowd against a running endpoint, then audit.
    Rush(Box<RushArgs>),
    /// Print the GraphQL schema.
    Schema,
    /// Run an API node over servers.
    Serve,
    /// Run workers over servers.
    Work(WorkArgs),
}

/// Runs what was asked for.
pub async fn run(cli: Cli) -> ExitCode {
    // What is the same everywhere needs no settings.
    match cli.role {
        Some(Role::Schema) => {
            roles::schema::run();
            return ExitCode::SUCCESS;
        }
        Some(Role::Floor) => {
            return roles::floor::run()
                .await
                .unwrap_or_else(|fault| told(&fault));
        }
        _ => {}
    }
    let settings = match Settings::read(cli.config) {
        Ok(settings) => settings,
        Err(errors) => {
            for error in errors {
                eprintln!("firstcome: {error}");
            }
            return ExitCode::FAILURE;
        }
    };
    let filter = match adapters::telemetry::start(&settings.config().log) {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("firstcome: {error}");
            return ExitCode::FAILURE;
        }
    };
    let config = settings.config().clone();
    let reload = || Reload::new(settings, filter);
    let ended = match cli.role {
        None => stay(reload(), roles::shop::run).await,
        Some(Role::Audit(args)) => roles::audit::run(config, &args).await,
        Some(Role::Grant(args)) => roles::grant::run(&config, &args).await,
        Some(Role::Import(args)) => roles::import::run(&config, args).await,
        Some(Role::Migrate) => roles::migrate::run(&config).await,
        Some(Role::Provider) => done(roles::provider::run(&config).await),
        Some(Role::RehearsalClear) => roles::rehearsal::clear(&config).await,
        Some(Role::Rotate(args)) => roles::rotate::run(&config, &args).await,
        Some(Role::Rush(args)) => roles::rehearsal::rush(&config, *args).await,
        Some(Role::Serve) => stay(reload(), roles::serve::run).await,
        Some(Role::Work(args)) => stay(reload(), |reload| roles::work::run(reload, &args)).await,
        Some(Role::Floor | Role::Schema) => Ok(ExitCode::SUCCESS),
    };
    ended.unwrap_or_else(|fault| told(&fault))
}

/// Runs a role that stays until it is told to end.
async fn stay<R: Future<Output = Result<(), Fault>>>(
    reload: Result<Reload, Fault>,
    run: impl FnOnce(Reload) -> R,
) -> Result<ExitCode, Fault> {
    // Boxed, as it holds a whole shop.
    done(Box::pin(run(reload?)).await)
}

fn done(ended: Result<(), Fault>) -> Result<ExitCode, Fault> {
    ended.map(|()| ExitCode::SUCCESS)
}

/// Tells an operator at a terminal what failed: here the whole chain is theirs to see.
fn told(fault: &Fault) -> ExitCode {
    eprintln!("firstcome: {}", fault.detail());
    ExitCode::FAILURE
}
