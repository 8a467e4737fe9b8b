//! One process runs a shop: who it is, where it listens, and that there is no second one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use adapters::config::Config;
use domain::Fault;

/// The ledger's file in the data folder.
pub const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";
const ADDRESS: &str = "address";
const EPOCH: &str = "epoch";

/// The right to run the shop of a folder, for as long as this lives.
pub struct Instance {
    folder: PathBuf,
    /// Locked; the system unlocks it however the process ends.
    _lock: File,
}

/// Whether a shop is running.
pub enum Claimed {
    Ours(Instance),
    /// Another process runs it, and answers there (once it serves).
    Running {
        url: Option<String>,
    },
}

impl Instance {
    /// Claims the shop of the configured folder, which is made where it is missing.
    ///
    /// # Errors
    /// A folder that can't be written to.
    pub fn claim(config: &Config) -> Result<Claimed, Fault> {
        let folder = &config.data_dir.0;
        claim(folder).map_err(|error| Fault::unavailable("claiming the data folder", error))
    }

    /// The epoch of this run's gate: one more than that of the run before.
    ///
    /// # Errors
    /// A folder that can't be written to, or a number somebody has changed.
    pub fn next_epoch(&self) -> Result<u32, Fault> {
        const DOING: &str = "counting this start";
        let path = self.folder.join(EPOCH);
        let last = match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse::<u32>()
                .map_err(|e| Fault::corrupt(DOING, e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(Fault::unavailable(DOING, error)),
        };
        let next = last.saturating_add(1);
        fs::write(&path, next.to_string()).map_err(|error| Fault::unavailable(DOING, error))?;
        Ok(next)
    }

    /// Lets other commands find the server.
    ///
    /// # Errors
    /// A folder that can't be written to.
    pub fn announce(&self, url: &str) -> Result<(), Fault> {
        fs::write(self.folder.join(ADDRESS), url)
            .map_err(|error| Fault::unavailable("writing down the address", error))
    }
}

fn claim(folder: &Path) -> io::Result<Claimed> {
    fs::create_dir_all(folder)?;
    let lock = File::create(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {
            // Of a run that has ended, however.
            let _ = fs::remove_file(folder.join(ADDRESS));
            Ok(Claimed::Ours(Instance {
                folder: folder.to_owned(),
                _lock: lock,
            }))
        }
        Err(TryLockError::WouldBlock) => Ok(Claimed::Running {
            url: fs::read_to_string(folder.join(ADDRESS)).ok(),
        }),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_shop_and_its_starts_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let Claimed::Ours(first) = claim(folder.path()).unwrap() else {
            panic!("it is free")
        };
        first.announce("http://127.0.0.1:1").unwrap();
        assert_eq!(
            (first.next_epoch().unwrap(), first.next_epoch().unwrap()),
            (1, 2)
        );
        let Claimed::Running { url } = claim(folder.path()).unwrap() else {
            panic!("it is taken")
        };
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:1"));
        drop(first);
        assert!(matches!(claim(folder.path()).unwrap(), Claimed::Ours(_)));
    }
}
