//! `firstcome audit`: every invariant, on a running shop or on one that is stopped.

use std::io;
use std::process::ExitCode;

use adapters::config::Config;
use domain::Fault;
use domain::use_cases::audit::{self, AuditReport};

use crate::compose::World;
use crate::instance::{Claimed, Instance};
use crate::operator::Operator;
use crate::{audit_report, rush};

/// The options of `firstcome audit`.
#[derive(clap::Args)]
pub struct AuditArgs {
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Audits, prints what was found, and fails when something is broken.
///
/// # Errors
/// What has to be read can't be.
pub async fn run(config: Config, args: &AuditArgs) -> Result<ExitCode, Fault> {
    let report = if config.servers().is_some() {
        over_servers(&config).await?
    } else {
        in_one_process(&config).await?
    };
    print(&report, args.json).map_err(|error| Fault::unavailable("printing the audit", error))?;
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Reads the servers itself, beside whatever runs over them: every process sees the same.
async fn over_servers(config: &Config) -> Result<AuditReport, Fault> {
    let world = World::distributed(config).await?;
    let report = audit::audit(&world.ports).await?;
    world.close().await?;
    Ok(report)
}

/// Asks the process that has the gate.
async fn in_one_process(config: &Config) -> Result<AuditReport, Fault> {
    match Instance::claim(config)? {
        Claimed::Running { url } => {
            let url = url.ok_or_else(|| Fault::unavailable("auditing", "the shop is starting"))?;
            let operator = Operator::open(config).await?;
            rush::audit(&format!("{url}/graphql"), &operator.audit_token()?).await
        }
        // The gate of a stopped shop is gone, so the ledger is held against the rest alone.
        Claimed::Ours(_instance) => {
            let world = World::open(config).await?;
            let report = audit::audit_stopped(&world.ports).await?;
            world.close().await?;
            Ok(report)
        }
    }
}

fn print(report: &AuditReport, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &audit_report::to_json(report, None))?;
        return io::Write::write_all(&mut out, b"\n");
    }
    audit_report::print(report, None, &mut out)
}
