//! The configuration of a process, with where it was read, so that it can be read again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::Serialized;
use figment::value::{Dict, Value};

use super::{Config, sources};

/// What holds from the moment it is read again: keys, and whole sections. Nothing that another
/// process relies on is among it, and nothing that the process keeps something open by.
const LIVE: [&str; 5] = ["graphql", "limits", "log.filter", "playground", "rates"];

/// The settings of a process.
pub struct Settings {
    file: Option<PathBuf>,
    written: Dict,
    config: Config,
}

/// What came of reading again.
pub struct Reread {
    /// What holds from now on.
    pub settings: Settings,
    /// Keys that hold with it, and did not before.
    pub changed: Vec<String>,
    /// Keys that were changed too, and hold after a restart.
    pub later: Vec<String>,
}

impl Settings {
    /// Reads `file` if one is named, otherwise [`FILE`](super::FILE) where it is there.
    ///
    /// # Errors
    /// Everything that is wrong, a line each, with the key it is about.
    pub fn read(file: Option<PathBuf>) -> Result<Self, Vec<String>> {
        let (written, config) = read(file.as_deref())?;
        Ok(Self {
            file,
            written,
            config,
        })
    }

    /// What they say.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Reads everything again, and takes what a running process can take.
    ///
    /// # Errors
    /// Everything that is wrong, also with what is new beside what can't be taken.
    pub fn reread(&self) -> Result<Reread, Vec<String>> {
        let (now, _) = read(self.file.as_deref())?;
        let mut written = self.written.clone();
        for key in LIVE {
            take(&mut written, &now, key);
        }
        let changed = differing(&self.written, &written);
        let later = differing(&written, &now);
        let config = Config::from_sources(&Figment::from(Serialized::defaults(&written)))?;
        let settings = Self {
            file: self.file.clone(),
            written,
            config,
        };
        Ok(Reread {
            settings,
            changed,
            later,
        })
    }
}

fn read(file: Option<&Path>) -> Result<(Dict, Config), Vec<String>> {
    let sources = sources::all(file);
    let config = Config::from_sources(&sources)?;
    let written = sources.extract();
    let written = written.map_err(|error| sources::everything_wrong(&sources, error))?;
    Ok((written, config))
}

/// Puts what stands under `key` in `from` into its place in `into`.
fn take(into: &mut Dict, from: &Dict, key: &str) {
    match key.split_once('.') {
        Some((section, key)) => {
            let mut inner = dict(into, section);
            take(&mut inner, &dict(from, section), key);
            into.insert(section.to_owned(), inner.into());
        }
        None => match from.get(key) {
            Some(value) => drop(into.insert(key.to_owned(), value.clone())),
            None => drop(into.remove(key)),
        },
    }
}

fn dict(within: &Dict, section: &str) -> Dict {
    let section = within.get(section).and_then(Value::as_dict);
    section.cloned().unwrap_or_default()
}

/// The keys whose values differ.
fn differing(one: &Dict, other: &Dict) -> Vec<String> {
    let mut keys = Vec::new();
    look(one, other, "", &mut keys);
    keys
}

fn look(one: &Dict, other: &Dict, within: &str, keys: &mut Vec<String>) {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for name in names {
        let key = match within {
            "" => name.clone(),
            _ => format!("{within}.{name}"),
        };
        match (one.get(name), other.get(name)) {
            (Some(Value::Dict(_, one)), Some(Value::Dict(_, other))) => {
                look(one, other, &key, keys);
            }
            (one, other) if json(one) != json(other) => keys.push(key),
            _ => {}
        }
    }
}

/// In which a number is a number, whatever it was read from.
fn json(value: Option<&Value>) -> serde_json::Value {
    serde_json::json!(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;

    fn file(folder: &Path, toml: &str) -> PathBuf {
        let path = folder.join("shop.toml");
        std::fs::write(&path, toml).unwrap();
        path
    }

    const BEFORE: &str = "
        [log]\nfilter = \"warn\"
        [orders]\nhold = \"2m\"\nmax_lines = 1000
        [rates]\nsign_in_per_peer = \"60/1m\"
        [limits]\nlist_items = 2000";

    #[test]
    fn what_is_read_again_holds_or_waits_for_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), BEFORE);
        let settings = Settings::read(Some(path)).unwrap();
        let same = settings.reread().unwrap();
        assert_eq!((same.changed, same.later), (vec![], vec![]));

        file(
            folder.path(),
            "
            playground = false
            [log]\nfilter = \"debug\"\nformat = \"json\"
            [orders]\nhold = \"1m\"
            [redis]\npassword = \"a secret\"
            [limits]\nlist_items = 1500\ntokens = 600",
        );
        let Reread {
            settings,
            changed,
            later,
        } = settings.reread().unwrap();
        assert_eq!(
            changed,
            [
                "limits.list_items",
                "limits.tokens",
                "log.filter",
                "playground"
            ],
            "a key that is gone has its default, which is what it had"
        );
        assert_eq!(later, ["log.format", "orders.hold", "redis.password"]);
        let config = settings.config();
        assert_eq!(config.log.filter, "debug");
        assert_eq!(config.limits.tokens, 600);
        assert!(!config.playground.0);
        assert_eq!(config.orders.hold, Span::minutes(2));
        // What waits is said again, and what holds is not.
        let again = settings.reread().unwrap();
        assert_eq!(again.changed, Vec::<String>::new());
        assert_eq!(again.later, ["log.format", "orders.hold", "redis.password"]);
    }

    #[test]
    fn what_makes_no_sense_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), BEFORE);
        let settings = Settings::read(Some(path)).unwrap();
        for (toml, wrong) in [
            ("[limits]\ntokens = 1\nno_such = 2", "limits.no_such"),
            ("[log]\nfilter = \"no=such=filter\"", "log.filter"),
            ("[limits", "expected"),
            // By itself it makes sense, but not beside the lines that this process allows.
            (
                "[orders]\nmax_lines = 100\n[limits]\nlist_items = 200",
                "limits.list_items",
            ),
        ] {
            file(folder.path(), toml);
            let errors = settings.reread().err().unwrap();
            assert!(errors.join("\n").contains(wrong), "{toml}: {errors:?}");
        }
        std::fs::remove_file(folder.path().join("shop.toml")).unwrap();
        assert!(settings.reread().is_err());
    }
}
