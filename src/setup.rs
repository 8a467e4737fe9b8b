//! What servers need before a shop runs over them: keys, schema, topics, and something to sell.

use std::fs::File;

use adapters::config::Config;
use adapters::crypto::Keyring;
use adapters::entropy::SystemEntropy;
use domain::Fault;

use crate::compose::{self, World};
use crate::demo;

/// Held by whoever prepares, in the data folder: all processes of a shop share it.
const LOCK: &str = "setup.lock";
const DOING: &str = "preparing the servers";

/// Makes what is not there yet, and tells what it did, a line each. Any number of processes may do
/// so: one after the other.
///
/// # Errors
/// Servers that do not answer or refuse, or a folder that can't be written to.
pub async fn prepare(config: &Config, tell: impl Fn(&str)) -> Result<(), Fault> {
    let _lock = lock(config).await?;
    let folder = config.data_dir.0.as_path();
    let are_keys_new = Keyring::read(folder)?.is_none();
    Keyring::open(folder, &SystemEntropy)?;
    let word = if are_keys_new { "made" } else { "found" };
    tell(&format!("keys: {word} in {}", folder.display()));
    compose::migrate_ledger(config).await?;
    tell("ledger: its schema is up to date");
    let topics = compose::make_log(config).await?;
    match topics.created.as_slice() {
        [] => tell("log: its topics are there"),
        created => tell(&format!("log: made {}", created.join(", "))),
    }
    for found in topics.differences {
        tell(&format!(
            "log: {} has {} = {}, not {}; it is left as it is",
            found.topic, found.setting, found.found, found.wanted
        ));
    }
    let world = World::distributed(config).await?;
    let filled = fill(config, &world, are_keys_new).await;
    world.close().await?;
    if filled? {
        let file = config.path(demo::FILE);
        tell(&format!(
            "demo: put in; the passwords are in {}",
            file.display()
        ));
    }
    Ok(())
}

/// Puts the demo into an empty shop where it is wanted; whether it did.
async fn fill(config: &Config, world: &World, are_keys_new: bool) -> Result<bool, Fault> {
    let folder = config.data_dir.0.as_path();
    let is_empty = world.ports.accounts.is_empty().await?;
    if are_keys_new && !is_empty {
        // With these nobody could read what the accounts say.
        Keyring::remove(folder)?;
        let text = format!(
            "the ledger has accounts already, and {} has no keys for them: share the folder that \
             this shop began with",
            folder.display()
        );
        return Err(Fault::corrupt(DOING, text));
    }
    if config.demo.0 {
        demo::fill(&world.ports, folder).await?;
    }
    Ok(config.demo.0 && is_empty)
}

/// The right to prepare, once nobody else has it.
async fn lock(config: &Config) -> Result<File, Fault> {
    let path = config.path(LOCK);
    let folder = config.data_dir.0.clone();
    let locking = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(folder)?;
        let lock = File::create(path)?;
        lock.lock()?;
        Ok::<File, std::io::Error>(lock)
    });
    let locked = locking
        .await
        .map_err(|error| Fault::corrupt(DOING, error))?;
    locked.map_err(|error| Fault::unavailable(DOING, error))
}
