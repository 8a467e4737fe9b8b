//! Developer commands: `cargo xtask check`, `clients`, `schema`, `services`, `test`.

mod architecture;
mod cargo;
mod check;
mod clients;
mod compose;
mod schema;
mod servers;
mod steps;
mod supply;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::Failure;

use crate::steps::Steps;

#[derive(Parser)]
#[command(about = "Developer commands of firstcome")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formatting, lints and the architecture's rules
    Check,
    /// The public clients and audits alone, against the product as it was built last
    Clients,
    /// Licences, second versions, bans, sources and advisories of every crate, by cargo-deny
    Deny,
    /// Write schema.graphql as the binary prints it
    Schema {
        /// Compare instead of writing; fail with the difference
        #[arg(long)]
        check: bool,
    },
    /// The real servers: Redis in three shapes, Kafka, MariaDB, PostgreSQL
    Services {
        #[command(subcommand)]
        command: servers::Command,
    },
    /// Everything CI asks for: check, schema --check, all tests with the real servers, then the
    /// public clients
    Test,
}

fn main() -> ExitCode {
    run(&Arguments::parse().command).unwrap_or_else(|failure| {
        eprintln!("xtask: {failure}");
        ExitCode::FAILURE
    })
}

fn run(command: &Command) -> Result<ExitCode, Failure> {
    let workspace = cargo::Workspace::find;
    match command {
        Command::Check => Ok(check::run(&workspace()?)),
        Command::Clients => Ok(test::of_clients(&workspace()?)),
        Command::Deny => {
            let mut steps = Steps::default();
            supply::add(&mut steps, &workspace()?);
            Ok(steps.summary())
        }
        Command::Schema { check: false } => schema::write(&workspace()?),
        Command::Schema { check: true } => schema::compare(&workspace()?),
        Command::Services { command } => servers::run(command),
        Command::Test => Ok(test::run(&workspace()?)),
    }
}
