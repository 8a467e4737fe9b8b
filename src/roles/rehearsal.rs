//! `firstcome rush`: a rehearsal, with buyers that an operator makes for it and can remove.

use std::io;
use std::process::ExitCode;

use adapters::config::Config;
use domain::Fault;

use crate::operator::Operator;
use crate::rush::{self, RushArgs};

const DOING: &str = "rehearsing";

/// Lets a crowd loose, prints what came of it, and fails when something is broken.
///
/// # Errors
/// There is nothing to rehearse with, or nobody answers.
pub async fn rush(config: &Config, args: RushArgs) -> Result<ExitCode, Fault> {
    let operator = Operator::open(config).await?;
    let json = args.json;
    let fault = |error: rush::RushError| Fault::unavailable(DOING, error);
    let plan = rush::plan(args, operator.random_id()).map_err(fault)?;
    let buyers = operator.buyers(plan.run_name(), plan.buyers()).await?;
    let url = plan.audit_url();
    let audit = async || rush::audit(&url, &operator.audit_token()?).await;
    let outcome = rush::run(plan, buyers, audit).await.map_err(fault)?;
    let mut out = io::stdout().lock();
    let printed = if json {
        let printed = serde_json::to_writer_pretty(&mut out, &outcome.to_json());
        printed
            .map_err(io::Error::from)
            .and_then(|()| io::Write::write_all(&mut out, b"\n"))
    } else {
        outcome.print(&mut out)
    };
    printed.map_err(|error| Fault::unavailable(DOING, error))?;
    Ok(if outcome.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Removes the accounts that rehearsals made.
///
/// # Errors
/// A fault of the ledger.
pub async fn clear(config: &Config) -> Result<ExitCode, Fault> {
    let removed = Operator::open(config).await?.remove_buyers().await?;
    println!("Removed {removed} rehearsal accounts; their orders stay.");
    Ok(ExitCode::SUCCESS)
}
