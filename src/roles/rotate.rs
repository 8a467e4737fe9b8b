//! `firstcome rotate`: keys are replaced, and nobody notices. May run beside the shop, on any machine
//! that shares its data folder, and be ended and begun again at any point.

mod personal_data;
mod tokens;

use std::fs::{File, TryLockError};
use std::process::ExitCode;

use adapters::config::{Config, Span};
use adapters::crypto::Keyring;
use adapters::crypto::rotation::LEAST_LEAD_MS;
use chrono::TimeDelta;
use clap::Subcommand;
use domain::Fault;

/// Held by whoever replaces keys, in the data folder.
const LOCK: &str = "rotate.lock";
const DOING: &str = "rotating keys";
/// No option waits for longer.
const MOST_DAYS: i64 = 365;

/// The options of `firstcome rotate`.
#[derive(clap::Args)]
pub struct RotateArgs {
    #[command(subcommand)]
    what: What,
    /// How long a new key is in the file before it is used: every process has to have read it by
    /// then. At least 3s; more than a minute where the folder takes its time to reach all machines.
    #[arg(long, global = true, value_name = "SPAN", default_value = "1m")]
    lead: Span,
}

#[derive(Subcommand)]
enum What {
    /// What access tokens are signed with. Nobody is signed out: tokens of the old key are good until
    /// they are over.
    Tokens(tokens::Args),
    /// What personal data is sealed with: a new key, and everything is sealed anew with it, a batch
    /// at a time. One that was begun is gone on with.
    PersonalData(personal_data::Args),
}

/// Rotates, and says what was done.
///
/// # Errors
/// No keys, keys that can't be read or written, somebody else who rotates, a fault of the ledger.
pub async fn run(config: &Config, args: &RotateArgs) -> Result<ExitCode, Fault> {
    let lead = delta("--lead", args.lead, LEAST_LEAD_MS)?;
    let keys = keys(config)?;
    let _lock = lock(config)?;
    match &args.what {
        What::Tokens(args) => tokens::run(config, args, lead, keys),
        What::PersonalData(args) => personal_data::run(config, args, lead, keys).await,
    }
}

/// A time that any clock can be moved on by.
fn delta(option: &str, span: Span, least_ms: i64) -> Result<TimeDelta, Fault> {
    let most = TimeDelta::days(MOST_DAYS);
    let given = TimeDelta::try_milliseconds(span.ms()).filter(|given| *given <= most);
    given
        .filter(|given| given.num_milliseconds() >= least_ms)
        .ok_or_else(|| {
            let text = format!("{option}: at least {least_ms} ms, at most {MOST_DAYS} days");
            Fault::corrupt(DOING, text)
        })
}

/// The keys that are there: a rotation never makes the first ones.
fn keys(config: &Config) -> Result<Keyring, Fault> {
    let folder = &config.data_dir.0;
    Keyring::read(folder)?.ok_or_else(|| {
        let text = format!("there are no keys in {}: no shop yet", folder.display());
        Fault::corrupt(DOING, text)
    })
}

/// The right to replace the keys.
fn lock(config: &Config) -> Result<File, Fault> {
    let lock = File::create(config.path(LOCK)).map_err(|e| Fault::unavailable(DOING, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(Fault::unavailable(DOING, "somebody else does so just now"))
        }
        Err(TryLockError::Error(error)) => Err(Fault::unavailable(DOING, error)),
    }
}
