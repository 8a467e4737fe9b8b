//! The keys of access tokens.

use std::process::ExitCode;

use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::crypto::Keyring;
use adapters::crypto::rotation::{Added, MOST_KEYS};
use adapters::entropy::SystemEntropy;
use chrono::TimeDelta;
use domain::Fault;
use domain::ports::Clock;

use crate::operator::REHEARSAL_HOURS;

/// Clocks that differ, and whoever was stopped in the middle of signing.
const MARGIN_HOURS: i64 = 1;

#[derive(clap::Args)]
pub struct Args {
    /// For a key that got into wrong hands: sign with a new one at once, and accept no other any
    /// more. Sessions go on; every client has to refresh its access token.
    #[arg(long)]
    at_once: bool,
}

pub fn run(
    config: &Config,
    args: &Args,
    lead: TimeDelta,
    mut keys: Keyring,
) -> Result<ExitCode, Fault> {
    let folder = &config.data_dir.0;
    let now = SystemClock.now();
    if args.at_once {
        keys.replace_token_keys(&SystemEntropy, now);
        keys.replace(folder)?;
        println!("Tokens are signed with a new key; those of any other are refused from now on.");
        return Ok(ExitCode::SUCCESS);
    }
    let life = TimeDelta::milliseconds(config.accounts.access.ms());
    let life = life.max(TimeDelta::hours(REHEARSAL_HOURS)) + TimeDelta::hours(MARGIN_HOURS);
    let dropped = keys.drop_token_keys(now, life);
    let added = keys.add_token_key(&SystemEntropy, now, now + lead);
    if dropped > 0 || added == Added::Done {
        keys.replace(folder)?;
    }
    if dropped > 0 {
        println!("Dropped, as their last token is over: {dropped}.");
    }
    match added {
        Added::Done => {
            let from = (now + lead).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            println!("A new key is published now, and signs from {from} on.");
            println!("Tokens of the keys before are good until they are over.");
            Ok(ExitCode::SUCCESS)
        }
        Added::Waiting { from } => {
            let from = from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            println!("A new key is there already, and signs from {from} on.");
            Ok(ExitCode::SUCCESS)
        }
        Added::TooMany => {
            eprintln!("firstcome: {MOST_KEYS} keys still have tokens; nothing was added");
            Ok(ExitCode::FAILURE)
        }
    }
}
