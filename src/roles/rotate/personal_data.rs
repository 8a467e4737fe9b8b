//! The key of personal data, and everything that is sealed with it.

use std::process::ExitCode;

use adapters::clock::SystemClock;
use adapters::config::{Config, Span};
use adapters::crypto::Keyring;
use adapters::crypto::keyring::Dated;
use adapters::crypto::vault::VaultKey;
use adapters::entropy::SystemEntropy;
use adapters::sql::{Ledger, Resealed, SEALED};
use chrono::{SecondsFormat, TimeDelta};
use domain::ports::Clock;
use domain::{Fault, Timestamp};

use super::DOING;
use crate::compose;

/// Times that everything is looked through before somebody is told that others write with an old key
/// all the time: one that changes it all, one that finds what was written meanwhile, and some more.
const MOST_PASSES: usize = 5;

#[derive(clap::Args)]
pub struct Args {
    /// How long the old key is kept once the new one seals, for whoever still has something in hand
    /// that it sealed; at least as long as `--lead`. It is dropped by a run after that which finds
    /// nothing of it.
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    keep: Span,
    /// Rows that are read at once.
    #[arg(long, value_name = "ROWS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch: u64,
}

pub async fn run(
    config: &Config,
    args: &Args,
    lead: TimeDelta,
    mut keys: Keyring,
) -> Result<ExitCode, Fault> {
    // A clock that is behind, by as much as clocks may differ, goes on sealing with the key before.
    let keep = super::delta("--keep", args.keep, lead.num_milliseconds())?;
    let newest = begin(config, lead, &mut keys)?;
    wait_for(newest.from, "every process has it").await;
    // With the keys as they are now, whose time has come.
    let (ledger, live) = compose::open_ledger(config).await?;
    if live.vault.sealing() != newest.key.id {
        return Err(Fault::corrupt(DOING, "another key seals than the newest"));
    }
    let until = newest.from + keep;
    let ended = settle_for(&ledger, args.batch, until, lead).await;
    ledger.close().await?;
    let Some(looked_at) = ended? else {
        eprintln!(
            "firstcome: not everything is sealed with key {} yet; no key was dropped, run this again",
            newest.key.id
        );
        return Ok(ExitCode::FAILURE);
    };
    println!("Everything is sealed with key {}.", newest.key.id);
    if looked_at < until {
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        println!("The key before is kept; run this again after {until} to drop it.");
        return Ok(ExitCode::SUCCESS);
    }
    let gone: Vec<String> = keys
        .drop_vault_keys()
        .iter()
        .map(ToString::to_string)
        .collect();
    keys.replace(&config.data_dir.0)?;
    println!("Dropped: key {}.", gone.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// The key to seal with: a new one, unless a rotation was begun before.
fn begin(config: &Config, lead: TimeDelta, keys: &mut Keyring) -> Result<Dated<VaultKey>, Fault> {
    if keys.vault.len() > 1 {
        println!("A rotation was begun before; this goes on with it.");
    } else {
        let id = keys.add_vault_key(&SystemEntropy, SystemClock.now() + lead)?;
        keys.replace(&config.data_dir.0)?;
        println!("Key {id} is there. Back the file of keys up before it seals.");
    }
    let newest = keys.newest_vault_key().cloned();
    newest.ok_or_else(|| Fault::corrupt(DOING, "there is no vault key"))
}

async fn wait_for(from: Timestamp, why: &str) {
    let left = (from - SystemClock.now()).num_milliseconds();
    if let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) {
        let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        println!("Waiting until {from}, when {why}.");
        SystemClock.sleep_ms(left).await;
    }
}

/// Goes through everything; and again when the old key may go, where that is soon.
async fn settle_for(
    ledger: &Ledger,
    batch: u64,
    until: Timestamp,
    patience: TimeDelta,
) -> Result<Option<Timestamp>, Fault> {
    let looked_at = settle(ledger, batch).await?;
    let left = until - SystemClock.now();
    if looked_at.is_none_or(|at| at >= until) || left > patience {
        return Ok(looked_at);
    }
    wait_for(until, "whoever has the key before in hand is done").await;
    settle(ledger, batch).await
}

/// Goes through everything until there is nothing left to do; when the last look began. Nothing,
/// where something is always left.
async fn settle(ledger: &Ledger, batch: u64) -> Result<Option<Timestamp>, Fault> {
    for pass in 1..=MOST_PASSES {
        let began = SystemClock.now();
        let mut all = Resealed::default();
        for table in SEALED {
            let (mut found, mut after) = (Resealed::default(), None);
            loop {
                let (more, last) = ledger.reseal(*table, after, batch).await?;
                found += more;
                let Some(last) = last else { break };
                after = Some(last);
            }
            tell(pass, table.name, found);
            all += found;
        }
        if all.is_nothing_left() {
            return Ok(Some(began));
        }
        // Nobody's waiting mends those.
        if all.resealed == 0 && all.overtaken == 0 {
            return Ok(None);
        }
    }
    Ok(None)
}

fn tell(pass: usize, table: &str, found: Resealed) {
    let Resealed {
        texts,
        resealed,
        overtaken,
        unreadable,
    } = found;
    println!(
        "pass {pass}, {table}: {texts} texts, {resealed} sealed anew, {overtaken} overtaken, \
         {unreadable} unreadable"
    );
}
