//! `firstcome import`: a catalogue into the ledger.

use std::io;
use std::process::ExitCode;

use adapters::config::Config;
use domain::account::{Email, Role};
use domain::ports::Ports;
use domain::use_cases::import_items::import_items;
use domain::{AccountId, Fault};

use crate::compose::World;
use crate::demo::Credentials;
use crate::import::{self, ImportArgs};

const DOING: &str = "importing";

/// The options of `firstcome import`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    import: ImportArgs,
    /// Whose items they are, by e-mail address; the demo's seller, where there is one.
    #[arg(long, value_name = "EMAIL")]
    seller: Option<String>,
}

/// Imports what can be, and says why the rest can't. Fails when anything stopped it half-way.
///
/// # Errors
/// There is no such seller, or the file is no catalogue.
pub async fn run(config: &Config, args: Args) -> Result<ExitCode, Fault> {
    let world = World::open(config).await?;
    let ports = world.ports.clone();
    let seller = seller(&ports, config, args.seller).await?;
    let json = args.import.json;
    let take = async |rows: &[_]| import_items(&ports, seller, rows).await;
    let report = import::run(&args.import.source, take).await;
    let report = report.map_err(|error| Fault::corrupt(DOING, error))?;
    let mut out = io::stdout().lock();
    let printed = if json {
        let printed = serde_json::to_writer_pretty(&mut out, &report.to_json());
        printed
            .map_err(io::Error::from)
            .and_then(|()| io::Write::write_all(&mut out, b"\n"))
    } else {
        report.print(&mut out)
    };
    printed.map_err(|error| Fault::unavailable(DOING, error))?;
    drop(ports);
    world.close().await?;
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn seller(ports: &Ports, config: &Config, email: Option<String>) -> Result<AccountId, Fault> {
    let demo = || {
        let credentials = Credentials::read(&config.data_dir.0)?;
        let seller = credentials
            .accounts
            .into_iter()
            .find(|account| account.role == "seller");
        seller.map(|account| account.email)
    };
    let email = email.or_else(demo);
    let email = email.ok_or_else(|| Fault::corrupt(DOING, "say whose items they are: --seller"))?;
    let email = Email::parse(&email).map_err(|_| Fault::corrupt(DOING, "no e-mail address"))?;
    match ports.accounts.by_email(&email).await? {
        Some(account) if account.role >= Role::Seller => Ok(account.id),
        Some(_) => Err(Fault::corrupt(DOING, "that account is no seller's")),
        None => Err(Fault::corrupt(
            DOING,
            "nobody has an account with that address",
        )),
    }
}
